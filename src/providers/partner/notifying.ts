// How partners send notifications: no document says what they take for a yes, so the status says it, and nothing is sealed.
import { type Notifying, usualRepeats, usualWait } from '../notifying.ts';
import type { ReceivedNotification } from '../provider.ts';

const json = 'application/json';

/** With how the bodies of that scheme are read. */
export const partnerNotifying = (read: (message: ReceivedNotification) => unknown): Notifying => ({
  accepted: { status: 204, type: json, body: '' },
  refused: { type: json, body: '{"code":"FAIL"}' },
  waitsMilliseconds: usualWait,
  repeatsMilliseconds: usualRepeats,
  read,
});
