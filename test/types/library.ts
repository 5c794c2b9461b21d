// The types of the library, checked by tsc alone: what a program may write compiles, and what is misspelled does not.
import {
  createDispatcher,
  type CredentialConfig,
  type CurrentCredential,
  type ErrorCode,
  type Event,
  isReady,
  type LibraryOptions,
  type Paycert,
  PaycertError,
  type Snapshot,
  startPaycert,
} from '../../src/index.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Does not compile unless both types are the same. */
const same = <A, B>(..._: Equal<A, B> extends true ? [] : [never]): void => undefined;

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
    observe: ({ type }) => same<typeof type, Event['type']>(),
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

same<Parameters<typeof startPaycert>[0], readonly CredentialConfig[]>();
same<keyof LibraryOptions, 'observe' | 'clock' | 'environment' | 'askResponder'>();
same<ReturnType<Paycert['current']>, CurrentCredential>();
same<PaycertError['code'], ErrorCode>();
same<ReturnType<typeof isReady>, boolean>();
same<Awaited<ReturnType<Snapshot['sign']>>['keyId'], string>();
same<Parameters<typeof createDispatcher>[1], string>();
