// The types of the library, checked by tsc alone: what a program may write compiles, and what is misspelled does not.
import {
  type createDispatcher,
  type CredentialConfig,
  type CurrentCredential,
  type ErrorCode,
  type Event,
  isReady,
  type LibraryOptions,
  type Paycert,
  PaycertError,
  startPaycert,
} from '../../src/index.ts';
import {
  createAlipayMaterial,
  createAuthority,
  createSecretVolume,
  createWechatpayMaterial,
  encryptResource,
  makeNotification,
  makeRestResponse,
  rotateMerchant,
  signMessage,
} from '../../src/testing/index.ts';

/** `true` where each type takes the other's values. */
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

const source = { files: { path: '/run/keys' } };
const wechatpay = { merchantId: '1900000001' };

/** Every option is the schema's. */
export const accepted = (): Promise<Paycert>[] => [
  startPaycert([]),
  startPaycert([{ name: 'a', provider: { wechatpay }, source }]),
  startPaycert([
    { name: 'a', required: true, require: ['sign', 'verify'], provider: { wechatpay }, source, grace: '1d' },
  ]),
  startPaycert([{ name: 'a', provider: { alipay: { appId: '2021', mode: 'key', gateway: 'sandbox' } }, source }]),
  startPaycert([{ name: 'a', provider: { aliyun: {} }, source, maxAge: '90d', older: 'reject' }]),
  startPaycert([{ name: 'a', provider: { mtls: { minVersion: 'TLSv1.3' } }, source }]),
  startPaycert([{ name: 'a', provider: { mtls: {} }, source: { env: { keys: { 'tls.crt': 'CRT' } } } }], {
    observe: (event: Event) => event.type,
  }),
];

export const refused = (): unknown => [
  // @ts-expect-error the member is `merchantId`
  startPaycert([{ name: 'a', provider: { wechatpay: { merchantID: '1900000001' } }, source }]),
  // @ts-expect-error there is no such provider
  startPaycert([{ name: 'a', provider: { wechatPay: wechatpay }, source }]),
  // @ts-expect-error the member is `required`
  startPaycert([{ name: 'a', provider: { wechatpay }, source, isRequired: true }]),
  // @ts-expect-error a credential has a source
  startPaycert([{ name: 'a', provider: { wechatpay } }]),
  // @ts-expect-error the modes are `certificate` and `key`
  startPaycert([{ name: 'a', provider: { alipay: { appId: '2021', mode: 'cert' } }, source }]),
  // @ts-expect-error the option is `observe`
  startPaycert([], { observer: () => undefined }),
  // @ts-expect-error the code is `config-invalid`
  new PaycertError('config_invalid', ''),
];

declare const credential: CurrentCredential;
declare const paycert: Paycert;

const text = '{}';
const bytes = new TextEncoder().encode(text);

/** Content is text or bytes, and neither a time nor a nonce need be given. */
export const withoutTime = (): unknown[] =>
  [text, bytes, Buffer.from(bytes)].flatMap((content) => [
    credential.sign(content),
    credential.authorize({ method: 'POST', url: '/v3/pay', body: content }),
    credential.verify({ kind: 'response', headers: {}, body: content }),
    credential.verify({ kind: 'message', message: content, signature: content, keyId: 'k' }),
    credential.receive({ headers: {}, body: content }),
    credential.decrypt({ ciphertext: content }),
    credential.decrypt({ algorithm: 'AEAD_AES_256_GCM', ciphertext: content, nonce: 'n' }),
    credential.encrypt(content),
    credential.encrypt(content, { keyId: 'k' }),
    credential.paymentParameters({ type: 'jsapi', appId: 'a', prepayId: 'p' }),
    credential.report({ keyId: 'k', outcome: 'refused' }),
    signMessage(content, { platformKey }),
    makeRestResponse(content, { alipayKey }),
    encryptResource(content, { apiV3Key: 'k' }),
    createSecretVolume('/tmp/volume', new Map([['key', content]])),
  ]);

declare const platformKey: Parameters<typeof signMessage>[1]['platformKey'];
declare const alipayKey: Parameters<typeof makeRestResponse>[1]['alipayKey'];

export const testingWithoutTime = async (): Promise<unknown[]> => [
  createAuthority(),
  (await createAuthority()).issue({ commonName: 'shop' }),
  createAlipayMaterial({ appId: '2021' }),
  rotateMerchant(await createWechatpayMaterial({ merchantId: '1900000001' })),
  makeNotification({ platformKey, apiV3Key: 'k', resource: {} }),
  ...paycert.entries().map((state) => isReady(state)),
];

/** Time and nonce of a program that has them. */
export const withTime = (now: Date): unknown[] => [
  credential.authorize({ method: 'GET', url: '/' }, { now }),
  credential.authorize({ method: 'GET', url: '/' }, { now, nonce: 'n' }),
  credential.receive({ body: bytes }, { now }),
  credential.encrypt(text, { now, keyId: 'k' }),
  ...paycert.entries().map((state) => isReady(state, now)),
];

export const refusedUses = (now: Date): unknown => [
  // @ts-expect-error a number is no content
  credential.sign(1),
  // @ts-expect-error the member is `url`
  credential.authorize({ method: 'GET', path: '/' }),
  // @ts-expect-error the member is `nonce`
  credential.authorize({ method: 'GET', url: '/' }, { nonse: 'n' }),
  // @ts-expect-error the kinds are `response`, `notification`, `return` and `message`
  credential.verify({ kind: 'answer', body: text }),
  // @ts-expect-error a message has a key id
  credential.verify({ kind: 'message', message: text, signature: text }),
  // @ts-expect-error a notification is received, a response is verified
  credential.receive({ kind: 'response', body: text }),
  // @ts-expect-error the member is `associatedData`
  credential.decrypt({ algorithm: 'a', ciphertext: text, nonce: 'n', associated_data: 'd' }),
  // @ts-expect-error the member is `keyId`
  credential.encrypt(text, { keyID: 'k' }),
  // @ts-expect-error the option is `now`
  credential.receive({ body: text }, { time: now }),
  // @ts-expect-error the types are `jsapi` and `app`
  credential.paymentParameters({ type: 'h5' }),
  // @ts-expect-error the option is `signal`
  paycert.current('a', { abort: AbortSignal.abort() }),
  // @ts-expect-error what uncounted operations would be called with
  credential.context.operations,
];

/** Does not compile where one of them is false. */
export const facts: readonly [
  Same<Parameters<typeof startPaycert>[0], readonly CredentialConfig[]>,
  Same<
    keyof LibraryOptions,
    'observe' | 'clock' | 'environment' | 'askResponder' | 'keyServices' | 'wayOut' | 'tracing'
  >,
  Same<ReturnType<Paycert['current']>, CurrentCredential>,
  Same<PaycertError['code'], ErrorCode>,
  Same<ReturnType<typeof isReady>, boolean>,
  Same<Awaited<ReturnType<CurrentCredential['sign']>>['keyId'], string>,
  Same<Parameters<typeof createDispatcher>[1], string>,
] = [true, true, true, true, true, true, true];
