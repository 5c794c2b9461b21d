// RSA signatures over messages and requests; verification of messages and answers.
import { normalizeSerial } from '../../src/crypto/x509.ts';
import { PaycertError } from '../../src/errors.ts';
import type { Received, Verified } from '../../src/providers/provider.ts';
import { responseMessage, readResponseSignature, requestMessage } from '../../src/providers/wechatpay/messages.ts';
import { rsaScheme } from '../../src/providers/wechatpay/schemes.ts';
import { Unusable } from './findings.ts';
import { isObject } from './read.ts';
import type { Situation } from './situation.ts';
import {
  aliveAt,
  privateKeyOf,
  subject,
  subjectsTrusting,
  type Subject,
  type Trusted,
  trustedKeys,
} from './subject.ts';
import { checkAuthorization } from './authorization.ts';
import { clockOf, requestOf } from './moments.ts';

function messageOf(situation: Situation): Buffer {
  const message = situation.text('message', 'string_to_sign', 'content', 'source');
  if (message !== undefined) return Buffer.from(message);
  const timestamp = situation.need('timestamp');
  const nonce = situation.need('nonce', 'nonce_str');
  const body = Buffer.from(situation.text('body') ?? '');
  if (situation.text('method') === undefined) return responseMessage(timestamp, nonce, body);
  const { method, url } = requestOf(situation);
  return requestMessage({ method, url }, timestamp, nonce, body);
}

export async function checkSign(situation: Situation): Promise<void> {
  const privateKey = privateKeyOf(situation);
  if (privateKey === undefined) throw new Unusable('there is no input private_key');
  const message = messageOf(situation);
  const text = situation.expectsText('message', 'string_to_sign', 'sign_source', 'request_message');
  if (text !== undefined) situation.assert(message.equals(Buffer.from(text)), 'the text to sign differs');
  const serial = situation.text('serial_no', 'serial', 'merchant_serial', 'certificate_serial') ?? '00';
  const signed = await situation.run(async () => (await subject({ privateKey, merchantSerial: serial })).sign(message));
  if (signed === undefined) return;
  const signature = situation.expectsText('signature', 'sign');
  if (signature !== undefined) {
    situation.assert(Buffer.from(signed.signature).toString('base64') === signature, 'the signature differs');
  }
  const algorithm = situation.expectsText('algorithm_name', 'algorithm');
  if (algorithm !== undefined)
    situation.equal('the algorithm', rsaScheme.name.replace(/^WECHATPAY2-/, ''), algorithm.replace(/^WECHATPAY2-/, ''));
  const keyId = situation.expectsText('serial_no', 'serial', 'certificate_serial');
  if (keyId !== undefined) situation.equal('the key id', normalizeSerial(signed.keyId), normalizeSerial(keyId));
  await checkAuthorization(situation);
}

/** The keys of all subjects are one set: the next is asked where the id is unknown to the one before. */
export async function verifyWithAny(subjects: readonly Subject[], received: Received, now: Date): Promise<Verified> {
  for (const [i, one] of subjects.entries()) {
    try {
      return await one.verify(received, now);
    } catch (error) {
      const isElsewhere = error instanceof PaycertError && /^(?:key-id-unknown|no-platform-key)$/.test(error.code);
      if (!isElsewhere || i === subjects.length - 1) throw error;
    }
  }
  throw new Unusable('there is nothing to verify with');
}

export function headersOf(situation: Situation): Readonly<Record<string, string>> | undefined {
  const headers = situation.input('headers');
  if (!isObject(headers)) return undefined;
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, String(Array.isArray(value) ? value[0] : value)]),
  );
}

/** The whole way where the source's certificate still lives at that time; otherwise the same steps, each at its own time. */
export async function verifyResponse(
  keys: readonly Trusted[],
  answer: Exclude<Received, { kind: 'message' }>,
  now: Date,
): Promise<Verified> {
  const alive = aliveAt(keys, now);
  if (alive.getTime() === now.getTime()) return verifyWithAny(await subjectsTrusting(keys), answer, now);
  const { timestamp, nonce, signature, keyId } = readResponseSignature(answer.headers ?? {}, now);
  const message = responseMessage(timestamp, nonce, answer.body);
  return verifyWithAny(await subjectsTrusting(keys), { kind: 'message', message, signature, keyId }, alive);
}

export async function checkVerify(situation: Situation): Promise<void> {
  const keys = trustedKeys(situation);
  const headers = headersOf(situation);
  if (headers !== undefined) {
    const body = Buffer.from(situation.text('body', 'response_body') ?? '');
    await situation.run(() => verifyResponse(keys, { kind: 'response', headers, body }, clockOf(situation, headers)));
    return;
  }
  const keyId = situation.text('serial', 'serial_no', 'public_key_id', 'key_id') ?? keys[0]?.keyId ?? '';
  const received = {
    kind: 'message',
    message: messageOf(situation),
    signature: situation.need('signature', 'sign'),
    keyId,
  } as const;
  await situation.run(async () => verifyWithAny(await subjectsTrusting(keys), received, aliveAt(keys, new Date())));
}
