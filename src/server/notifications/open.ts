// What a platform sent, verified and opened in one step, in one shape for all of them.
import { createHash } from 'node:crypto';
import type { Notifying } from '../../providers/notifying.ts';
import type { ReceivedNotification } from '../../providers/provider.ts';
import type { CredentialOperations } from '../../store/use.ts';

export interface Opened {
  readonly id: string;
  readonly eventType: string;
  readonly keyId: string;
  readonly verified: 'yes' | 'none';
  /** As a value of JSON. */
  readonly resource: unknown;
  /** Equal for all times that it is sent. */
  readonly key: string;
}

/** Whether messages of that platform verify only once: what is known of one is then known by its bytes. */
export const isVerifiedOnce = ({ read }: Notifying): boolean => read !== undefined;

/** Of everything that a partner signs; equal only for the very same message. */
export function digestOf({ method = '', url = '', headers = {}, body }: ReceivedNotification): string {
  const signing = ['authorization', 'host', 'x-signature', 'x-ts', 'x-nonce'].map((name) => headers[name] ?? '');
  const head = [method, url, ...signing].map((text) => `${String(Buffer.byteLength(text))}:${text}`).join('');
  return createHash('sha256').update(head).update(body).digest('hex').slice(0, 32);
}

/** @throws PaycertError as `receive` and `verify` */
export async function openWith(
  use: CredentialOperations,
  message: ReceivedNotification,
  notifying: Notifying,
): Promise<Opened> {
  if (notifying.read) {
    const { keyId } = await use.verify(message);
    return openedPlainly(message, notifying.read, keyId);
  }
  const opened = await use.receive(message);
  const { eventType, keyId, resource } = opened;
  // Without an id, nothing but the content tells two apart.
  const id = opened.id === '' ? digestOf({ kind: 'notification', body: message.body }) : opened.id;
  const key = notifying.keyOf?.(opened) ?? id;
  return { id, eventType, keyId, resource, key, verified: notifying.isSigned?.(opened) === false ? 'none' : 'yes' };
}

/** Of what has verified before, in the same bytes. */
export function openedPlainly(
  message: ReceivedNotification,
  read: NonNullable<Notifying['read']>,
  keyId: string,
): Opened {
  const id = digestOf(message);
  return { id, eventType: '', keyId, verified: 'yes', resource: read(message), key: id };
}
