// What one set of keys does for a program, as it is asked for: what a row of the API and a program with the library both run.
import type {
  AuthorizedRequest,
  Ciphertext,
  Decrypted,
  Encrypted,
  Moment,
  OpenedNotification,
  PaymentParametersInput,
  ReceivedNotification,
  Signed,
  Verified,
} from '../providers/provider.ts';
import type { Call } from './call.ts';
import type { Content } from './input.ts';
import type { At, ReceivedInput, RequestInput } from './one-use.ts';

/** What a platform sent by itself: `headers` and `body` exactly as they came. */
export type NotificationInput = Omit<ReceivedNotification, 'kind' | 'body'> & {
  readonly kind?: 'notification';
  readonly body: Content;
};

/** A ciphertext in base64, as platforms write it, or as bytes; beside it what its algorithm needs, as the platform sent it. */
export type CiphertextInput = Ciphertext extends infer Each
  ? Each extends Ciphertext
    ? Omit<Each, 'ciphertext'> & { readonly ciphertext: Content }
    : never
  : never;

/**
 * What one set of keys does for a program. Text is taken as its UTF-8 bytes. A time that is not given is now, and a nonce is random.
 *
 * Every operation rejects with a `PaycertError`, whose `kind` says who must act: `request` (the program: `request-invalid`,
 * `operation-unsupported`), `refused` (the platform did not sign or encrypt this for your keys), `not-ready` (a key is missing or
 * has expired, or too much is under way).
 */
export interface CredentialOperations {
  /**
   * The signature over a message, made with the one key that signs now, and that key's id.
   * @example
   * const { signature, keyId } = await paycert.current('wechat-main').sign('1554208460\nnonce\n{}\n');
   * console.log(Buffer.from(signature).toString('base64'), keyId);
   */
  sign(message: Content): Promise<Signed>;
  /**
   * A request with everything that the platform asks for, such as its `Authorization` header: send it once, unchanged, within
   * five minutes. `body` is there where it differs from the one given.
   * @example
   * const url = '/v3/pay/transactions/jsapi';
   * const body = JSON.stringify({ out_trade_no: '1001' });
   * const { headers } = await paycert.current('wechat-main').authorize({ method: 'POST', url, body });
   * console.log(headers.Authorization.slice(0, 25)); // → WECHATPAY2-SHA256-RSA2048
   */
  authorize(request: RequestInput, moment?: Partial<Moment>): Promise<AuthorizedRequest>;
  /**
   * The key of the platform that signed what was received. What is forged, damaged or too old is refused: `signature-invalid`,
   * `signature-probe`, `key-unknown`, `timestamp-outside-window`.
   * @example
   * const { headers, body } = posted;
   * const { keyId } = await paycert.current('wechat-main').verify({ kind: 'response', headers, body });
   * console.log(keyId === headers['Wechatpay-Serial']); // → true
   */
  verify(received: ReceivedInput, at?: At): Promise<Verified>;
  /**
   * Verifies a notification and opens it, in one step. `resource` is parsed where it is JSON.
   * As `verify`; `decryption-failed` where it is signed and no key opens it.
   * @example
   * const { headers, body } = posted;
   * const { eventType, resource } = await paycert.current('wechat-main').receive({ headers, body });
   * console.log(eventType, resource); // → TRANSACTION.SUCCESS { out_trade_no: '1001' }
   */
  receive(notification: NotificationInput, at?: At): Promise<OpenedNotification>;
  /**
   * The plaintext of a ciphertext that the platform made for your keys, as bytes. One code for every cause: `decryption-failed`.
   * @example
   * const { algorithm, ciphertext, nonce, associated_data: associatedData } = JSON.parse(String(posted.body)).resource;
   * const sealed = { algorithm, ciphertext, nonce, associatedData };
   * const { plaintext } = await paycert.current('wechat-main').decrypt(sealed);
   * console.log(Buffer.from(plaintext).toString()); // → {"out_trade_no":"1001"}
   */
  decrypt(input: CiphertextInput, at?: At): Promise<Decrypted>;
  /**
   * Encrypts one field for the platform: under the key of that `keyId`, otherwise under the one that lasts longest.
   * @example
   * const { ciphertext, keyId } = await paycert.current('wechat-main').encrypt('张三');
   * console.log(Buffer.from(ciphertext).toString('base64').length, keyId.length); // → 344 40
   */
  encrypt(plaintext: Content, options?: At & { readonly keyId?: string }): Promise<Encrypted>;
  /**
   * The signed object that the paying client hands to the platform's software.
   * @example
   * const input = { type: 'jsapi', appId: 'wx8888888888888888', prepayId: 'wx26112221580621e9b071c00d9e093b0000' } as const;
   * const parameters = await paycert.current('wechat-main').paymentParameters(input);
   * console.log(parameters.signType, parameters.package); // → RSA prepay_id=wx26112221580621e9b071c00d9e093b0000
   */
  paymentParameters(input: PaymentParametersInput, moment?: Partial<Moment>): Promise<Readonly<Record<string, string>>>;
  /**
   * What the platform said of a signature that was made here, by the key id that came with it: `refused` where it did not accept the
   * signature itself. A staged key that is refused too often stops signing by itself.
   * @example
   * const { keyId } = await paycert.current('wechat-main').sign('1554208460\nnonce\n{}\n');
   * await paycert.current('wechat-main').report({ keyId, outcome: 'accepted' });
   */
  report(judgement: Judgement): Promise<void>;
}

/** What a platform said of a signature. */
export interface Judgement {
  readonly keyId: string;
  readonly outcome: 'accepted' | 'refused';
}

/** Begins an operation: what surrounds it, and the call that it belongs to. */
export type Begin = <T>(operation: string, work: (call: Call) => Promise<T>) => Promise<T>;

/** All that is done is one call, which has begun already. */
export const within =
  (call: Call): Begin =>
  (_, work) =>
    work(call);
