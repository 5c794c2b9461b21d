// The types of the library, checked by tsc alone: what a program may write compiles, and what is misspelled does not.
import {
  type createDispatcher,
  type CredentialConfig,
  type CurrentCredential,
  type ErrorCode,
  type Event,
  type isReady,
  type LibraryOptions,
  type Paycert,
  PaycertError,
  type Snapshot,
  startPaycert,
} from '../../src/index.ts';

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

/** Does not compile where one of them is false. */
export const facts: readonly [
  Same<Parameters<typeof startPaycert>[0], readonly CredentialConfig[]>,
  Same<keyof LibraryOptions, 'observe' | 'clock' | 'environment' | 'askResponder'>,
  Same<ReturnType<Paycert['current']>, CurrentCredential>,
  Same<PaycertError['code'], ErrorCode>,
  Same<ReturnType<typeof isReady>, boolean>,
  Same<Awaited<ReturnType<Snapshot['sign']>>['keyId'], string>,
  Same<Parameters<typeof createDispatcher>[1], string>,
] = [true, true, true, true, true, true, true];
