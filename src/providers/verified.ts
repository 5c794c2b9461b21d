// The proof that a notification is the platform's: made by verifying it, and the only thing that opens one.

interface Sent {
  readonly kind: 'notification';
  readonly body: Uint8Array;
}

type Verify<S extends Sent> = (received: S, now: Date) => Promise<{ readonly keyId: string }>;

/**
 * A notification whose signature is valid, with the bytes that were verified. Its fields are private and its only maker
 * verifies, so neither the compiler nor the runtime takes an object that somebody made up.
 */
export class VerifiedNotification {
  readonly #body: Uint8Array;
  readonly #keyId: string;

  private constructor(body: Uint8Array, keyId: string) {
    this.#body = body;
    this.#keyId = keyId;
  }

  /** Only a snapshot calls it (a rule of the layers). @throws PaycertError as `verify` does */
  static async from<S extends Sent>(verify: Verify<S>, received: S, now: Date): Promise<VerifiedNotification> {
    // A copy: what is opened is what was verified, whatever the caller does with its buffer meanwhile.
    const body = Uint8Array.from(received.body);
    const { keyId } = await verify({ ...received, body }, now);
    return new VerifiedNotification(body, keyId);
  }

  /** What was verified, and the key that signed it. @throws TypeError for anything else than a verified notification */
  static contentOf(notification: VerifiedNotification): { readonly body: Uint8Array; readonly keyId: string } {
    return { body: notification.#body, keyId: notification.#keyId };
  }
}
