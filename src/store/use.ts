// The operations of one snapshot for one call: what a row of the API and a program with the library both run.
import { PaycertError } from '../errors.ts';
import type { Observe } from '../events.ts';
import type {
  AuthorizedRequest,
  Ciphertext,
  Decrypted,
  Encrypted,
  Moment,
  OpenedNotification,
  PaymentParametersInput,
  Received,
  ReceivedNotification,
  RequestToAuthorize,
  Signed,
  Verified,
} from '../providers/provider.ts';
import type { Call } from './call.ts';
import type { Snapshot } from './snapshot.ts';
import type { Sealed } from './unopened.ts';
import type { Sent } from '../providers/refusal.ts';

/** Receives each request that was authorized, as it will be sent. */
export type Remember = (call: Call, sent: Sent & { readonly keyId: string }) => void;

/** What a caller may do with a credential. Each runs on the snapshot that was current when the call began. */
export class Use {
  readonly call: Call;
  readonly snapshot: Snapshot;
  readonly #observe: Observe;
  readonly #remember: Remember;

  constructor(call: Call, snapshot: Snapshot, observe: Observe, remember: Remember = () => undefined) {
    this.call = call;
    this.snapshot = snapshot;
    this.#observe = observe;
    this.#remember = remember;
  }

  sign(message: Uint8Array): Promise<Signed> {
    return this.snapshot.sign(message, this.call);
  }

  async authorize(request: RequestToAuthorize, moment: Moment): Promise<AuthorizedRequest> {
    const authorized = await this.snapshot.authorize(request, moment, this.call);
    this.#remember(this.call, { ...authorized, body: authorized.body ?? request.body ?? new Uint8Array() });
    return authorized;
  }

  paymentParameters(input: PaymentParametersInput, moment: Moment): Promise<Readonly<Record<string, string>>> {
    return this.snapshot.paymentParameters(input, moment, this.call);
  }

  encrypt(plaintext: Uint8Array, keyId?: string): Promise<Encrypted> {
    return this.snapshot.encrypt(plaintext, this.call.startedAt, keyId);
  }

  /** A refusal is observed as `unverified`: somebody forges, or a platform's key is missing here. */
  async verify(received: Received): Promise<Verified> {
    try {
      return await this.snapshot.verify(received, this.call.startedAt);
    } catch (error) {
      this.#refused(received, error);
      throw error;
    }
  }

  /** Verifies a notification and opens it, observed as `unverified`, `unopened` or `decrypted`. */
  async receive(received: ReceivedNotification): Promise<OpenedNotification> {
    const refusals = {
      unverified: (error: unknown) => this.#refused(received, error),
      unopened: this.#unopened('notification'),
    };
    const { isRetired, ...opened } = await this.snapshot.receive(received, this.call.startedAt, refusals);
    if (opened.role !== undefined) this.#decrypted(opened.role, isRetired);
    return opened;
  }

  /** Observed as `decrypted`, by the role of the key that opened it, or as `unopened`. */
  async decrypt(input: Ciphertext): Promise<Decrypted> {
    const refusals = { unopened: this.#unopened('ciphertext') };
    const { call, snapshot } = this;
    const { isRetired, ...decrypted } = await snapshot.decrypt(input, call.startedAt, call, refusals);
    this.#decrypted(decrypted.role, isRetired);
    return decrypted;
  }

  #refused({ kind }: Received, error: unknown): void {
    if (isUnverified(error)) this.#observe({ type: 'unverified', credential: this.call.credential, kind, error });
  }

  #unopened(kind: Sealed) {
    return (error: PaycertError) => this.#observe({ type: 'unopened', credential: this.call.credential, kind, error });
  }

  #decrypted(role: string, isRetired: boolean): void {
    this.#observe({ type: 'decrypted', credential: this.call.credential, role, isRetired });
  }
}

/** A refused signature. A response that the platform never signs is no proof, and nobody's failure. */
const isUnverified = (error: unknown): error is PaycertError =>
  error instanceof PaycertError && error.kind === 'refused' && error.code !== 'response-unsigned';
