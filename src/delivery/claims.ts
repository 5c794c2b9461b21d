// Each notification is delivered once among all pods: claimed in a store that they share, and noted there after the application's 2xx.
import { createHmac } from 'node:crypto';
import { PaycertError } from '../errors.ts';
import { randomNonce } from '../nonce.ts';

/** What became of a claim: ours, another pod's that is under way, or that of one that was delivered. */
export type Claim = 'ours' | 'under-way' | 'delivered';

/** Kept outside of the pods. Each member throws `dedupe-unavailable` where the store is away, too slow, or refuses. */
export interface SharedStore {
  /** Until that time is over, no other `owner` gets it. */
  claim(key: string, owner: string, milliseconds: number): Promise<Claim>;
  /** Also where the claim has ended, and another owner has it. */
  noteDelivered(key: string, milliseconds: number): Promise<void>;
  /** Only what this owner has claimed. */
  release(key: string, owner: string): Promise<void>;
}

export interface ClaimsOptions {
  readonly store: SharedStore;
  /** What all pods know, as it is now, and nobody else who reads the store. */
  readonly secret: () => string;
  /** Longer than one delivery may take: then nobody works on it any more. */
  readonly claimMilliseconds: number;
  /** One was delivered, and other pods do not know it. */
  readonly unshared: (error: PaycertError) => void;
}

export class Claims {
  readonly #options: ClaimsOptions;

  constructor(options: ClaimsOptions) {
    this.#options = options;
  }

  /**
   * Runs `deliver`, unless another pod has delivered it. While the store is away it is delivered: at least once.
   * @throws PaycertError `delivery-elsewhere` while another pod does; what `deliver` throws
   */
  async run(name: string, repeatsMilliseconds: number, deliver: () => Promise<void>): Promise<'first' | 'repeated'> {
    const { store, secret, claimMilliseconds, unshared } = this.#options;
    const [key, owner] = [keyOf(name, secret()), randomNonce()];
    const missed: PaycertError[] = [];
    const tried = async <T>(asked: Promise<T>): Promise<T | undefined> => {
      try {
        return await asked;
      } catch (error) {
        if (!(error instanceof PaycertError)) throw error;
        missed.push(error);
        return undefined;
      }
    };
    const claim = await tried(store.claim(key, owner, claimMilliseconds));
    if (claim === 'delivered') return 'repeated';
    if (claim === 'under-way') throw new PaycertError('delivery-elsewhere', 'another pod is delivering it');
    try {
      await deliver();
    } catch (error) {
      // A claim that is not released ends by itself: the platform waits longer, and loses nothing.
      await tried(store.release(key, owner));
      throw error;
    }
    await tried(store.noteDelivered(key, repeatsMilliseconds));
    const [why] = missed;
    if (why !== undefined) unshared(why);
    return 'first';
  }
}

/** Who reads the store sees no number of an order, and cannot say of one that it was delivered. */
const keyOf = (name: string, secret: string): string =>
  createHmac('sha256', secret).update(`delivery ${name}`).digest('base64url');
