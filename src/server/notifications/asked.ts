// What a platform asks of the listener itself, such as whether it is there: answered here and signed, and nothing for the application.
import type { Notifying, PlatformReply } from '../../providers/notifying.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import type { CredentialOperations } from '../../store/use.ts';
import type { Opened } from './open.ts';

/** Undefined: it is for the application. Nothing that came is a part of what is signed. */
export async function answerTo(
  opened: Opened,
  { ask }: Notifying,
  { snapshot, use }: { readonly snapshot: Snapshot; readonly use: CredentialOperations },
): Promise<PlatformReply | undefined> {
  const asked = ask?.(opened.eventType, snapshot.context.set.signer?.publicKey);
  if (asked === undefined) return undefined;
  const { signature } = await use.sign(asked.message);
  return asked.reply(Buffer.from(signature).toString('base64'));
}
