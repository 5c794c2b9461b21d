// What Alipay signed: synchronous answers of v2, notifications, answers of v3; and what of them is signed.
import { createVerify } from 'node:crypto';
import { PaycertError } from '../../../src/errors.ts';
import { readResponse } from '../../../src/providers/alipay/response.ts';
import { fieldsOf, formatForm, type Parameters, parseForm, signedText } from '../../../src/providers/alipay/form.ts';
import { responseMessage } from '../../../src/providers/alipay/rest.ts';
import { keyReader } from '../../../src/crypto/private-key.ts';
import type { Verified } from '../../../src/providers/provider.ts';
import { Unusable } from '../findings.ts';
import { isObject } from '../read.ts';
import type { Situation } from '../situation.ts';
import { headersOf } from '../signatures.ts';
import { chainOf, subject, trusting } from './subject.ts';

const bodyNames = ['response_body', 'body', 'raw_body', 'response'];

/** `alipay_trade_query_response` → a method that is answered under it; what is answered before a method is known, any. */
function methodOf(situation: Situation): string {
  const given = situation.text('response_key', 'node', 'node_name', 'response_node');
  if (given === 'error_response') return 'alipay.any';
  return given === undefined ? situation.need('method', 'api_method') : given.replace(/_response$/, '');
}

export async function checkExtraction(situation: Situation): Promise<void> {
  const body = Buffer.from(situation.need(...bodyNames));
  const answer = await situation.run(() => readResponse(body, methodOf(situation)));
  if (answer === undefined) return;
  const content = situation.expectsText('content', 'sign_content', 'extracted', 'string_to_verify', 'sign_str');
  if (content !== undefined)
    situation.assert(Buffer.from(answer.content).equals(Buffer.from(content)), 'the content that is signed differs');
  const signature = situation.expectsText('sign', 'signature');
  if (signature !== undefined) situation.assert(answer.signature === signature, 'the signature differs');
  const serial = situation.expectsText('alipay_cert_sn', 'cert_sn');
  if (serial !== undefined) situation.equal('the certificate’s serial number', answer.certificateSerial, serial);
}

export async function checkResponse(situation: Situation): Promise<void> {
  const { context, now } = await trusting(situation);
  const body = situation.text(...bodyNames);
  if (body === undefined) {
    await situation.run(() => verifyMessage(situation, situation.need('content', 'message', 'string_to_verify')));
    return;
  }
  const apiMethod = methodOf(situation);
  await situation.run(() => context.verify({ kind: 'response', apiMethod, body: Buffer.from(body) }, now));
  if (situation.verdict !== 'refused' && situation.expectedKeys(/content|^string_to_verify$/).length > 0) {
    await checkExtraction(situation);
  }
}

async function verifyMessage(situation: Situation, text: string | Uint8Array): Promise<Verified> {
  const { context, now } = await trusting(situation);
  const keyId = context.keys.find(({ role }) => role === 'platform' || role === 'public-key')?.keyId ?? '';
  const signature = situation.need('sign', 'signature', 'alipay-signature', 'alipay_signature');
  return context.verify({ kind: 'message', message: Buffer.from(text), signature, keyId }, now);
}

/** v3: the headers where the source gives them, else their parts. */
export async function checkRestResponse(situation: Situation): Promise<void> {
  const headers = headersOf(situation);
  const body = Buffer.from(situation.text(...bodyNames) ?? '');
  if (headers === undefined) {
    const [timestamp, nonce] = [
      situation.need('timestamp', 'alipay_timestamp'),
      situation.need('nonce', 'alipay_nonce'),
    ];
    const message = responseMessage(timestamp, nonce, body);
    const text = situation.expectsText('string_to_verify', 'string_to_sign', 'message');
    if (text !== undefined) situation.assert(message.equals(Buffer.from(text)), 'the text that is signed differs');
    await situation.run(() => verifyMessage(situation, message));
    return;
  }
  const { context } = await trusting(situation);
  const stamped = Object.entries(headers).find(([name]) => name.toLowerCase() === 'alipay-timestamp')?.[1];
  const now = new Date(Number(situation.text('now_ms', 'now') ?? stamped ?? 0));
  const status = Number(situation.text('status', 'status_code') ?? 200);
  await situation.run(() => context.verify({ kind: 'response', headers, body, status }, now));
}

const formNames = ['form_body', 'raw_body', 'body', 'query'];

/** Where a source gives what was posted, and nothing else. */
function formOf(situation: Situation): Parameters | undefined {
  const form = situation.text(...formNames);
  return form?.includes('sign=') ? Object.fromEntries(new URLSearchParams(form)) : undefined;
}

/** The parameters as a case has them: what a negative case puts beside them stands in for theirs. */
function parametersOf(situation: Situation): Parameters {
  const given = situation.input('params', 'parameters', 'form', 'notify_params') ?? formOf(situation);
  if (!isObject(given)) throw new Unusable('there is no input params');
  const texts = Object.entries(given).map(([name, value]): [string, string] => {
    const own = situation.inputs[name];
    return [name, String(typeof own === 'string' && own !== given[name] ? own : value)];
  });
  return Object.fromEntries(texts);
}

const without = (parameters: Parameters, ...names: string[]): Parameters =>
  Object.fromEntries(Object.entries(parameters).filter(([name, value]) => !names.includes(name) && value !== ''));

export async function checkNotification(situation: Situation): Promise<void> {
  const parameters = parametersOf(situation);
  const form = situation.text(...formNames);
  const { context, now } = await trusting(situation);
  if (parameters['sign_type'] === 'RSA') {
    await checkLegacy(situation, parameters);
    return;
  }
  const verifyBody = (body: string) => context.verify({ kind: 'notification', body: Buffer.from(body) }, now);
  const verified = await situation.run(async () => {
    const result = await verifyBody(formatForm(parameters));
    if (form !== undefined && situation.verdict !== 'refused') {
      const isSame = signedText(parseForm(Buffer.from(form), 'body')).equals(signedText(fieldsOf(parameters)));
      situation.require(isSame, 'the form and the parameters differ');
      await verifyBody(form);
    }
    return result;
  });
  if (verified === undefined) return;
  const mode = situation.expectsText('mode', 'rule');
  if (mode !== undefined) situation.assert(mode.startsWith(verified.rule ?? ''), 'another rule was signed');
  const isV1 = situation.expects('valid_without_sign_type');
  if (isV1 !== undefined) situation.equal('whether it verifies without sign_type', verified.rule === 'V1', isV1);
  const isV2 = situation.expects('valid_with_sign_type');
  if (isV2 !== undefined) situation.equal('whether it verifies with sign_type', verified.rule === 'V2', isV2);
  const text = situation.expectsText('string_to_verify', 'string', 'string_to_sign', 'sign_content', 'content');
  const names = verified.rule === 'V1' ? ['sign', 'sign_type'] : ['sign'];
  if (text !== undefined) {
    const isSame = signedText(fieldsOf(without(parameters, ...names))).equals(Buffer.from(text));
    situation.assert(isSame, 'the text that is signed differs');
  }
}

/**
 * TEST HOOK, in no way part of the product, which refuses SHA-1: the text is checked with it, after the product has been
 * seen to refuse.
 */
async function checkLegacy(situation: Situation, parameters: Parameters): Promise<void> {
  const { context, now } = await trusting(situation);
  const code = await context
    .verify({ kind: 'notification', body: Buffer.from(formatForm(parameters)) }, now)
    .catch((error: unknown) => (error instanceof PaycertError ? error.code : 'crashed'));
  situation.require(code === 'signature-algorithm-unsupported', 'a signature with SHA-1 is not refused as such');
  const key = situation.material('certificate', 'alipay_certificate', 'public_key');
  const text = signedText(fieldsOf(without(parameters, 'sign')));
  const expected = situation.expectsText('string', 'string_to_verify', 'string_to_sign');
  if (expected !== undefined) situation.assert(text.equals(Buffer.from(expected)), 'the text that is signed differs');
  const isValid = createVerify('sha1')
    .update(text)
    .verify(String(key), parameters['sign'] ?? '', 'base64');
  if (situation.verdict !== undefined)
    situation.assert(isValid === (situation.verdict === 'accepted'), 'SHA-1 differs');
}

/** v2 requests: the text of the parameters, and its signature. */
export async function checkParameters(situation: Situation): Promise<void> {
  const text = signedText(fieldsOf(without(parametersOf(situation), 'sign')));
  const expected = situation.expectsText('string_to_sign', 'string', 'sign_content', 'content', 'sign_string');
  if (expected !== undefined) situation.assert(text.equals(Buffer.from(expected)), 'the text to sign differs');
  const key = situation.material('private_key', 'app_private_key');
  const signature = situation.expectsText('signature', 'sign');
  if (key === undefined || signature === undefined) return;
  const certificate = situation.material('app_certificate', 'certificate');
  const appCertificates = certificate === undefined ? [] : [chainOf(certificate)];
  const signed = await (await subject({ appCertificates }, 'key', keyReader()(key, 'private_key'))).sign(text);
  situation.assert(Buffer.from(signed.signature).toString('base64') === signature, 'the signature differs');
}
