// SM2, SM3 and SM4: none is half supported. Whatever a source computes with them is refused, each with the code that the documents name.
import { generateKeyPairSync } from 'node:crypto';
import { aesKey } from '../../src/crypto/cipher.ts';
import { type ErrorCode, PaycertError } from '../../src/errors.ts';
import { aliyun } from '../../src/providers/aliyun/provider.ts';
import type { Received } from '../../src/providers/provider.ts';
import { aeadAlgorithm } from '../../src/providers/wechatpay/envelope.ts';
import { wechatpay } from '../../src/providers/wechatpay/provider.ts';
import { checkPayloadHash } from './aliyun.ts';
import { apiV3KeyOf } from './aead.ts';
import { Unusable } from './findings.ts';
import type { Situation } from './situation.ts';
import { subject } from './subject.ts';
import { verified } from '../support/verified.ts';

const now = new Date('2026-03-01T00:00:00Z');
const moment = { now, nonce: '0123456789abcdef0123456789abcdef' };

async function assertRefused(situation: Situation, what: string, code: ErrorCode, work: () => unknown): Promise<void> {
  const refusal = await codeOf(work);
  situation.assert(refusal === code, `${what}: ${refusal ?? 'not refused'}, and not ${code}`);
}

async function codeOf(work: () => unknown): Promise<ErrorCode | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof PaycertError) return error.code;
    throw error;
  }
}

/** Under the names that material has. */
const keyInputs: readonly (readonly [name: string, inputs: readonly string[]])[] = [
  ['wechatpay_sm2.pem', ['certificate', 'merchant_certificate', 'platform_certificate', 'cert']],
  ['pub_key.pem', ['public_key', 'wechatpay_public_key']],
  ['apiclient_key.pem', ['private_key', 'merchant_private_key']],
];

/** Keys and certificates, where they are loaded: Node parses them and computes wrong results. */
async function checkMaterial(situation: Situation): Promise<void> {
  for (const [name, inputs] of keyInputs) {
    const bytes = situation.material(...inputs);
    if (bytes === undefined) continue;
    const { problems } = (await wechatpay({ merchantId: '1900000000' }).load(new Map([[name, bytes]]))).set;
    const codes = problems.filter(({ field }) => field === name).map(({ code }) => code);
    situation.assert(codes.includes('algorithm-unsupported'), `${name} is not refused as algorithm-unsupported`);
  }
}

const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

/** A signature, genuine or not: for its algorithm, before anything is computed. */
async function checkSignature(situation: Situation): Promise<void> {
  const received: Received = {
    kind: 'response',
    body: Buffer.from(situation.text('message', 'body') ?? ''),
    headers: {
      'Wechatpay-Timestamp': String(now.getTime() / 1000),
      'Wechatpay-Nonce': moment.nonce,
      'Wechatpay-Serial': situation.text('serial') ?? 'PUB_KEY_ID_0',
      'Wechatpay-Signature': situation.need(...signatureInputs),
      'Wechatpay-Signature-Type': 'WECHATPAY2-SM2-WITH-SM3',
    },
  };
  const { verify } = await subject({ publicKey, publicKeyId: 'PUB_KEY_ID_0' });
  await assertRefused(situation, 'an answer', 'signature-algorithm-unsupported', () => verify(received, now));
}

/** A resource, for its algorithm; and it does not open as what it is not. A field opens with no key. */
async function checkSealed(situation: Situation): Promise<void> {
  const ciphertext = situation.need('ciphertext');
  const nonce = situation.text('nonce', 'iv');
  if (nonce === undefined) {
    return assertRefused(situation, 'a field', 'decryption-failed', async () =>
      (await subject({})).decrypt({ ciphertext }),
    );
  }
  const { decrypt, openNotification } = await subject({ apiV3Key: aesKey(apiV3KeyOf(situation)) });
  const associatedData = situation.text('associated_data', 'aad') ?? '';
  const open = (algorithm: string) => () => decrypt({ algorithm, ciphertext, nonce, associatedData });
  await assertRefused(situation, 'a resource', 'request-invalid', open('AEAD_SM4_GCM'));
  await assertRefused(situation, 'a resource under another name', 'decryption-failed', open(aeadAlgorithm));
  const resource = { algorithm: 'AEAD_SM4_GCM', ciphertext, nonce, associated_data: associatedData };
  const body = Buffer.from(JSON.stringify({ id: '1', event_type: 'TRANSACTION.SUCCESS', resource }));
  await assertRefused(situation, 'a notification', 'notification-malformed', () =>
    verified(body).then(openNotification),
  );
}

/** Aliyun's: where a caller asks for SM3. The SHA-256 of the same text is what is computed instead. */
async function checkHash(situation: Situation): Promise<void> {
  const text = situation.need('text', 'body', 'payload', 'value', 'message', 'string_to_sign');
  const parts = { access_key_id: 'LTAI5tExample', access_key_secret: 'x' };
  const material = new Map(Object.entries(parts).map(([name, value]) => [name, Buffer.from(value)]));
  const { authorize } = (await aliyun().load(material)).operations;
  if (authorize === undefined) throw new Unusable('the access key of this checker does not load');
  const headers = { 'x-acs-version': '2014-05-26', 'x-acs-content-sm3': situation.expectsText('sm3') ?? '' };
  const call = { method: 'POST', url: 'https://ecs.aliyuncs.com/', apiMethod: 'A', body: Buffer.from(text) };
  await assertRefused(situation, 'ACS3', 'request-invalid', () => authorize({ ...call, headers }, moment));
  const parameters = { Version: '1', SignatureMethod: 'HMAC-SM3' };
  const rpc = { url: call.url, apiMethod: 'A', parameters };
  await assertRefused(situation, 'RPC', 'request-invalid', () => authorize(rpc, moment));
  if (situation.expectedKeys(/^sha256$/).length > 0) await checkPayloadHash(situation);
}

const signatureInputs = ['signature_der_base64', 'signature', 'sign'];

/** All that a vector gives is refused, whether its source says that it is genuine or not. */
export async function checkShangmi(situation: Situation): Promise<void> {
  const has = (...names: string[]): boolean => situation.input(...names) !== undefined;
  // What the source computes is not what is asserted.
  situation.passOver(/^valid$|^result$|plaintext|derivation|sm[234]/);
  const isAboutKeys = keyInputs.some(([, inputs]) => has(...inputs));
  if (isAboutKeys) await checkMaterial(situation);
  if (has(...signatureInputs)) await checkSignature(situation);
  if (has('ciphertext')) await checkSealed(situation);
  else if (!isAboutKeys && !has(...signatureInputs)) await checkHash(situation);
}
