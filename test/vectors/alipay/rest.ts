// Alipay v3: what a request signs and says; and which answers must be refused, as a table of behaviour.
import { readCertificates } from '../../../src/crypto/containers.ts';
import { keyReader } from '../../../src/crypto/private-key.ts';
import { PaycertError } from '../../../src/errors.ts';
import { authorizationFields, requestMessage } from '../../../src/providers/alipay/rest.ts';
import { rsaScheme } from '../../../src/providers/alipay/schemes.ts';
import { serialOf } from '../../../src/providers/alipay/serials.ts';
import { createAlipayMaterial, makeRestResponse } from '../../../src/testing/index.ts';
import { Unusable } from '../findings.ts';
import type { Situation } from '../situation.ts';
import { chainOf, subject } from './subject.ts';

/** As we write them, where the source writes the same ones in the same order; others are signed as given. */
function fieldsOf(situation: Situation): string {
  const given = situation.text('auth_string', 'authString');
  const from = (name: string) => new RegExp(`(?:^|,)${name}=([^,]*)`).exec(given ?? '')?.[1];
  const appId = from('app_id') ?? situation.need('app_id', 'appid');
  const nonce = from('nonce') ?? situation.need('nonce');
  const timestamp = from('timestamp') ?? situation.need('timestamp');
  const app = from('app_cert_sn') ?? situation.text('app_cert_sn');
  const certificate = situation.material('certificate', 'app_certificate');
  if (app !== undefined && certificate !== undefined)
    situation.require(serialOf(readCertificates(certificate, 'certificate')[0]) === app, 'the serial number differs');
  const sender = { appId, ...(app !== undefined && { serials: { app, root: '' } }) };
  const own = authorizationFields(sender, nonce, new Date(Number(timestamp)));
  const isOurs = given === undefined || /^app_id=[^,]*(?:,app_cert_sn=[^,]*)?,nonce=[^,]*,timestamp=\d+$/.test(given);
  if (isOurs && given !== undefined) situation.require(own === given, 'the fields of the header differ');
  return isOurs ? own : given;
}

export async function checkRestRequest(situation: Situation): Promise<void> {
  const fields = fieldsOf(situation);
  const request = {
    method: situation.need('method', 'http_method'),
    url: situation.need('uri', 'url', 'path', 'request_uri'),
    body: Buffer.from(situation.text('body') ?? ''),
  };
  const message = requestMessage(fields, request, situation.text('app_auth_token'));
  const text = situation.expectsText('string_to_sign', 'message', 'content', 'sign_content');
  if (text !== undefined) situation.assert(message.equals(Buffer.from(text)), 'the text to sign differs');
  const key = situation.material('private_key', 'app_private_key');
  if (key === undefined) return;
  const { signature } = await (await subject({}, 'key', keyReader()(key, 'private_key'))).sign(message);
  const sign = Buffer.from(signature).toString('base64');
  const expected = situation.expectsText('signature', 'sign');
  if (expected !== undefined) situation.assert(sign === expected, 'the signature differs');
  const header = situation.expectsText('authorization', 'authorization_header');
  if (header !== undefined)
    situation.assert(`${rsaScheme.name} ${fields},sign=${sign}` === header, 'the Authorization header differs');
}

const codes: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^reject.*missing/, ['signature-missing']],
  [/^reject.*sn/, ['key-id-unknown', 'signature-missing']],
  [/^reject.*(?:stale|time|expire)/, ['timestamp-outside-window']],
  [/^(?:reject|invalid)/, ['signature-invalid']],
];

/** Nothing to compute: the answers are made here, with a key whose certificate stands for the source's. */
export async function checkRules(situation: Situation): Promise<void> {
  const expected = situation.expectsText('result');
  if (expected === undefined) throw new Unusable('there is no result');
  const now = new Date();
  const { alipayKeys } = await createAlipayMaterial({ appId: 'app_of_vectors', now });
  const [alipayKey] = alipayKeys as [(typeof alipayKeys)[0]];
  const chain = chainOf(Buffer.from(alipayKey.issued.certificate));
  const { verify } = await subject({ alipayCertificates: [chain] }, 'certificate');
  const { inputs } = situation;
  const stamp = inputs['stale_timestamp'] === true ? new Date(now.getTime() - 3_600_000) : now;
  const message = makeRestResponse(Buffer.from('{}'), { alipayKey, now: stamp });
  const serial = 'alipay_sn' in inputs ? (situation.text('alipay_sn') ?? '') : alipayKey.serial;
  const headers = inputs['has_signature'] === false ? {} : { ...message.headers, 'alipay-sn': serial };
  const body = inputs['signature_valid'] === false ? Buffer.from('{"changed":1}') : message.body;
  const received = { kind: 'response', headers, body, status: Number(situation.text('status') ?? 200) } as const;
  const code = await verify(received, now).then(
    () => 'verified',
    (error: unknown) => (error instanceof PaycertError ? error.code : 'crashed'),
  );
  const allowed = /^(?:pass|accept|ok|valid)/.test(expected) ? ['verified', 'response-unsigned'] : undefined;
  const known = allowed ?? codes.find(([pattern]) => pattern.test(expected))?.[1];
  if (known === undefined) throw new Unusable('no checker knows this result');
  situation.assert(known.includes(code), `came to ${code}`);
}
