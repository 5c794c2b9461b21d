// How Alipay sends notifications, and what it takes for a yes: seven bytes, and nothing else.
import { type Notifying, usualRepeats, usualWait } from '../notifying.ts';

const type = 'text/plain; charset=utf-8';

export const notifying: Notifying = {
  accepted: { status: 200, type, body: 'success' },
  refused: { type, body: 'fail' },
  waitsMilliseconds: usualWait,
  repeatsMilliseconds: usualRepeats,
};
