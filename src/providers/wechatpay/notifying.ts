// How WeChat Pay APIv3 sends notifications, and what it takes for a yes: the status alone decides.
import { type Notifying, usualRepeats, usualWait } from '../notifying.ts';

const json = 'application/json';

export const notifying: Notifying = {
  accepted: { status: 204, type: json, body: '' },
  refused: { type: json, body: '{"code":"FAIL","message":"try again later"}' },
  waitsMilliseconds: usualWait,
  repeatsMilliseconds: usualRepeats,
};
