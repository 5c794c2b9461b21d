// How a platform's notifications are taken: what it must be answered, how long it waits and sends again, what tells two of them apart.
import type { KeyObject } from 'node:crypto';
import type { OpenedNotification, ReceivedNotification } from './provider.ts';

/** A response as the platform reads it. */
export interface PlatformReply {
  readonly type: string;
  readonly body: string;
}

export interface Asked {
  readonly message: string;
  /** With the signature, in base64. */
  readonly reply: (signature: string) => PlatformReply;
}

/** What a listener for notifications asks of a platform. Pure. */
export interface Notifying {
  /** The only thing that ends its repetitions. */
  readonly accepted: PlatformReply & { readonly status: number };
  /** Beside any status that is no success. */
  readonly refused: PlatformReply;
  /** A response that comes later is none to it. */
  readonly waitsMilliseconds: number;
  /** From the first time that it sends a notification to the last. */
  readonly repeatsMilliseconds: number;
  /** Equal for all times that one notification is sent; its id unless given. */
  readonly keyOf?: (opened: OpenedNotification) => string;
  /** False where it has no signature, and only its encryption speaks for it. Absent: all have one. */
  readonly isSigned?: (opened: OpenedNotification) => boolean;
  /**
   * Of one by which the platform asks whether it reaches the right application: what is signed for it, and what it is answered then. No
   * application hears of it. `publicKey`: of the key that signs.
   */
  readonly ask?: (eventType: string, publicKey: KeyObject | undefined) => Asked | undefined;
  /** Of a platform that signs and encrypts nothing: what a verified message says. Its bytes are good for one `verify`. */
  readonly read?: (message: ReceivedNotification) => unknown;
}

/** WeChat Pay's own limit is five seconds; what is left is for the way there and back. No other platform publishes a shorter one. */
export const usualWait = 4500;

const hour = 3_600_000;

/** All publish about a day: 24 hours and 4 minutes (WeChat Pay), 24 hours and 24 minutes (Alipay). */
export const usualRepeats = 26 * hour;
