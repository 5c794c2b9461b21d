// Schemes with a shared secret: WeChat Pay v2 and its refund notification, HMAC over parameters, HMAC alone.
import { hmac as code, equalCodes, secretKey } from '../../src/crypto/mac.ts';
import { PaycertError } from '../../src/errors.ts';
import { hmac } from '../../src/providers/hmac/provider.ts';
import { type Scheme, schemes } from '../../src/providers/hmac/schemes.ts';
import { openRefund, parameterText, refundKey, signParameters } from '../../src/providers/wechatpay-v2/messages.ts';
import { wechatpayV2 } from '../../src/providers/wechatpay-v2/provider.ts';
import { readXml, writeXml } from '../../src/providers/wechatpay-v2/xml.ts';
import { pairsOf } from './aliyun.ts';
import { Unusable } from './findings.ts';
import { isObject } from './read.ts';
import type { Situation } from './situation.ts';

const keyNames = ['key', 'api_key', 'apiv2_key', 'api_v2_key', 'mch_key', 'secret', 'sign_key'];

const xmlOf = (situation: Situation): string | undefined => situation.text('xml', 'body', 'notification', 'response');

const parametersOf = (situation: Situation) => {
  const given = situation.input('params', 'parameters', 'data', 'fields');
  if (given !== undefined) return pairsOf(given);
  const xml = xmlOf(situation);
  if (xml === undefined) throw new Unusable('there are neither parameters nor XML');
  return [...readXml(Buffer.from(xml))];
};

/** The sign of parameters, and what the whole provider says of a signed body. */
export async function checkV2(situation: Situation): Promise<void> {
  const secret = situation.need(...keyNames);
  const parameters = parametersOf(situation);
  const sign = situation.text('sign') ?? parameters.find(([name]) => name === 'sign')?.[1];
  const named = situation.text('sign_type') ?? parameters.find(([name]) => name === 'sign_type')?.[1];
  const isHmac = /hmac/i.test(named ?? situation.vector.kind) || sign?.length === 64;
  const type = isHmac ? 'HMAC-SHA256' : 'MD5';
  const own = signParameters(type, secretKey(Buffer.from(secret)), parameters);
  const text = situation.expectsText('string', 'string_to_sign', 'sign_string', 'sign_source');
  if (text !== undefined) {
    const withKey = `${parameterText(parameters)}&key=${secret}`;
    situation.assert(text === withKey || text === parameterText(parameters), 'the text to sign differs');
  }
  const expected = situation.expectsText('sign', 'signature', 'paySign', 'pay_sign');
  if (expected !== undefined) situation.assert(own === expected, 'the sign differs');
  if (sign === undefined && situation.verdict === undefined) return;
  const unsigned = parameters.filter(([name]) => name !== 'sign');
  const body = Buffer.from(xmlOf(situation) ?? writeXml([...unsigned, ['sign', sign ?? own]]));
  const { operations } = await wechatpayV2({ merchantId: '1900000001' }).load(
    new Map([['apiv2_key', Buffer.from(secret)]]),
  );
  const { verify } = operations;
  if (verify === undefined) throw new Unusable('the key is no APIv2 key');
  await situation.run(() => verify({ kind: 'notification', body }, new Date(0)));
}

export async function checkRefund(situation: Situation): Promise<void> {
  const opener = refundKey(secretKey(Buffer.from(situation.need(...keyNames))));
  const xml = xmlOf(situation);
  const sealed =
    situation.text('req_info', 'ciphertext', 'encrypted') ??
    (xml === undefined ? undefined : readXml(Buffer.from(xml)).get('req_info'));
  if (sealed === undefined) throw new Unusable('there is no input req_info');
  const opened = await situation.run(() => {
    const plaintext = openRefund(opener, sealed);
    if (plaintext === undefined) throw new PaycertError('decryption-failed', 'nothing opens it');
    return plaintext;
  });
  if (opened === undefined) return;
  const text = situation.expectsText('plaintext', 'xml', 'decrypted', 'req_info');
  if (text !== undefined) situation.assert(opened.toString() === text, 'the plaintext differs');
  const fields = situation.expects('fields', 'params', 'parsed');
  if (!isObject(fields)) return;
  const read = readXml(opened);
  for (const [name, value] of Object.entries(fields))
    situation.assert(read.get(name) === String(value), `the field ${name} differs`);
}

export async function checkXml(situation: Situation): Promise<void> {
  const xml = xmlOf(situation);
  if (xml === undefined) throw new Unusable('there is no input xml');
  const read = await situation.run(() => readXml(Buffer.from(xml)));
  const fields = situation.expects('params', 'parameters', 'fields', 'parsed');
  if (read === undefined || !isObject(fields)) return;
  situation.equal('the names', [...read.keys()].sort(), Object.keys(fields).sort());
  for (const [name, value] of Object.entries(fields))
    situation.assert(read.get(name) === String(value), `the field ${name} differs`);
}

/** `&key=` behind the parameters is WeChat Pay's rule, whoever publishes it; the others are rows of the schemes. */
export async function checkSortedParameters(situation: Situation): Promise<void> {
  const rule = `${situation.text('rule', 'scheme', 'variant') ?? ''} ${situation.vector.kind}`;
  const text = situation.expectsText('string', 'string_to_sign', 'sign_string');
  if (/&key=/.test(`${rule} ${text ?? ''}`)) return checkV2(situation);
  const scheme: Scheme = /request|method/i.test(rule)
    ? 'request'
    : /quot|encod/i.test(rule)
      ? 'sorted-quoted'
      : /append/i.test(rule)
        ? 'sorted-appended'
        : /header|form/i.test(rule)
          ? 'sorted-header'
          : 'sorted';
  const { names, signsKeyId, ...row } = schemes[scheme];
  const isSigned = (name: string) => name !== names.signature && (signsKeyId || name !== names.keyId);
  const parameters = parametersOf(situation).filter(([name]) => isSigned(name));
  const line = { method: situation.text('method') ?? 'POST', path: situation.text('path', 'uri') ?? '/' };
  const slash = /slash|%2F/i.test(rule) ? 'encode' : 'keep';
  const key = secretKey(Buffer.from(situation.need(...keyNames)));
  const own = row.code(key, Buffer.from(row.text(parameters, line, slash)));
  const expected = situation.expectsText('sign', 'signature');
  if (expected !== undefined) situation.assert(own === expected, 'the signature differs');
}

const bytesOf = (situation: Situation, hex: readonly string[], text: readonly string[]): Buffer | undefined => {
  const digits = situation.text(...hex);
  if (digits !== undefined) return Buffer.from(digits, 'hex');
  const given = situation.text(...text);
  return given === undefined ? undefined : Buffer.from(given);
};

export async function checkHmac(situation: Situation): Promise<void> {
  const key = bytesOf(situation, ['key_hex'], keyNames);
  const message = bytesOf(situation, ['msg_hex', 'message_hex', 'data_hex'], ['message', 'msg', 'data', 'text']);
  if (key === undefined || message === undefined) throw new Unusable('there is no key or no message');
  const hash = /sha-?1(?!\d)/i.test(situation.vector.kind) ? 'sha1' : 'sha256';
  const own = code(hash, secretKey(key), message);
  const told = situation.expectsText('tag', 'mac', 'hmac', 'signature', 'hex', 'tag_hex', 'base64');
  if (told !== undefined)
    situation.assert([own.toString('hex'), own.toString('base64')].includes(told), 'the code differs');
  const tag = bytesOf(situation, ['tag_hex', 'mac_hex', 'signature_hex'], ['tag', 'mac']);
  if (tag === undefined) return;
  const { operations } = await hmac({ keyId: 'a', scheme: 'sorted', slash: 'keep', maxNonces: 1000 }).load(
    new Map([['key', key]]),
  );
  const { verify } = operations;
  await situation.run(async () => {
    // The provider takes keys of 32 printable bytes and more; sources also have others.
    const isWhole = verify !== undefined && hash === 'sha256' && /^[!-~]*$/.test(key.toString('latin1'));
    if (isWhole) await verify({ kind: 'message', message, signature: tag.toString('base64'), keyId: 'a' }, new Date(0));
    else if (!equalCodes(own, tag)) throw new PaycertError('signature-invalid', 'the code differs');
  });
}
