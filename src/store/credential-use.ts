// The operations of one snapshot as a call runs them: input is checked, and what becomes of it is observed and witnessed.
import { type PaycertError, requestInvalid } from '../errors.ts';
import type {
  AuthorizedRequest,
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
import { base64Of, bytesOf, checked, type Content } from './input.ts';
import {
  type At,
  authorizeOnce,
  momentOf,
  type ReceivedInput,
  refused,
  type RequestInput,
  type UseOptions,
  verifyOnce,
} from './one-use.ts';
import type { Snapshot } from './snapshot.ts';
import type { Sealed } from './unopened.ts';
import type { Begin, CiphertextInput, CredentialOperations, Judgement, NotificationInput } from './use.ts';

/** On the snapshot that was current when the call began. A class, since one is made for each call: eight functions of its own would be a tenth of its garbage. */
export class CredentialUse implements CredentialOperations {
  readonly #snapshot: Snapshot;
  readonly #begin: Begin;
  readonly #options: UseOptions;

  constructor(snapshot: Snapshot, begin: Begin, options: UseOptions) {
    this.#snapshot = snapshot;
    this.#begin = begin;
    this.#options = options;
  }

  get generation(): number {
    return this.#snapshot.generation;
  }

  sign(message: Content): Promise<Signed> {
    return this.#begin('sign', async (call) => {
      const body = message instanceof Uint8Array ? message : bytesOf({ message }, 'message');
      const signed = await this.#snapshot.signingFor(call).sign(body, call);
      const { witness } = this.#options;
      if (witness) await witness(call, { keyId: signed.keyId, generation: this.generation, body });
      return signed;
    });
  }

  authorize(given: RequestInput, moment?: Partial<Moment>): Promise<AuthorizedRequest> {
    return this.#begin('authorize', (call) =>
      authorizeOnce({ ...this.#options, snapshot: this.#snapshot }, call, given, moment),
    );
  }

  paymentParameters(
    input: PaymentParametersInput,
    moment?: Partial<Moment>,
  ): Promise<Readonly<Record<string, string>>> {
    return this.#begin('payment-parameters', async (call) => {
      const { nonce, witness } = this.#options;
      const signing = this.#snapshot.signingFor(call);
      const parameters = await signing.paymentParameters(checked(input), momentOf(call, nonce, moment), call);
      const { keyId } = signing.context.set.signer?.facts ?? {};
      await witness?.(call, { keyId, generation: this.generation });
      return parameters;
    });
  }

  report(given: Judgement): Promise<void> {
    return this.#begin('report', async ({ credential }) => {
      const { keyId, outcome } = checked(given);
      if (typeof keyId !== 'string') throw requestInvalid('keyId', 'is missing');
      if (!['accepted', 'refused'].includes(outcome)) throw requestInvalid('outcome', 'is accepted or refused');
      this.#snapshot.judge(keyId, outcome === 'refused');
      this.#options.observe({ type: 'judged', credential, keyId, outcome });
    });
  }

  encrypt(plaintext: Content, { keyId, ...at }: At & { readonly keyId?: string } = {}): Promise<Encrypted> {
    return this.#begin('encrypt', async (call) =>
      this.#snapshot.encrypt(bytesOf({ plaintext }, 'plaintext'), timeOf(call, at), keyId),
    );
  }

  verify(given: ReceivedInput, at?: At): Promise<Verified> {
    const about = { snapshot: this.#snapshot, observe: this.#options.observe };
    return this.#begin('verify', (call) => verifyOnce(about, call, given, timeOf(call, at)));
  }

  /** Observed as `unverified`, `unopened` or `decrypted`. */
  receive(given: NotificationInput, at?: At): Promise<OpenedNotification> {
    return this.#begin('notification', async (call) => {
      const received: ReceivedNotification = { ...given, kind: 'notification', body: bytesOf(given, 'body') };
      const { observe } = this.#options;
      const { isRetired, ...opened } = await this.#snapshot.receive(received, timeOf(call, at), {
        unverified: (error) => refused(observe, call.credential, { kind: 'notification', error }),
        unopened: (error) => this.#unopened(call, 'notification', error),
      });
      if (opened.role !== undefined) this.#decrypted(call, opened.role, isRetired);
      return opened;
    });
  }

  /** Observed as `decrypted`, by the role of the key that opened it, or as `unopened`. */
  decrypt(given: CiphertextInput, at?: At): Promise<Decrypted> {
    return this.#begin('decrypt', async (call) => {
      const input = { ...given, ciphertext: base64Of(given, 'ciphertext') };
      const refusals = { unopened: (error: PaycertError) => this.#unopened(call, 'ciphertext', error) };
      const opened = await this.#snapshot.decrypt(input, timeOf(call, at), call, refusals);
      const { plaintext, keyId, role, isRetired } = opened;
      this.#decrypted(call, role, isRetired);
      return { plaintext, keyId, role };
    });
  }

  #unopened({ credential }: Call, kind: Sealed, error: PaycertError): void {
    this.#options.observe({ type: 'unopened', credential, kind, error });
  }

  #decrypted({ credential }: Call, role: string, isRetired: boolean): void {
    this.#options.observe({ type: 'decrypted', credential, role, isRetired });
  }
}

const timeOf = ({ startedAt }: Call, { now = startedAt }: At = {}): Date => now;

/** As functions of their own, which a program may take out and call alone. */
export const apart = (use: CredentialOperations): CredentialOperations => ({
  sign: (message) => use.sign(message),
  authorize: (request, moment) => use.authorize(request, moment),
  verify: (received, at) => use.verify(received, at),
  receive: (notification, at) => use.receive(notification, at),
  decrypt: (input, at) => use.decrypt(input, at),
  encrypt: (plaintext, options) => use.encrypt(plaintext, options),
  paymentParameters: (input, moment) => use.paymentParameters(input, moment),
  report: (judgement) => use.report(judgement),
});
