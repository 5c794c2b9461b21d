// How Alipay sends notifications, and what it takes for a yes: seven bytes, and nothing else.
import type { KeyObject } from 'node:crypto';
import { type Asked, type Notifying, usualRepeats, usualWait } from '../notifying.ts';

const type = 'text/plain; charset=utf-8';

export const notifying: Notifying = {
  accepted: { status: 200, type, body: 'success' },
  refused: { type, body: 'fail' },
  waitsMilliseconds: usualWait,
  repeatsMilliseconds: usualRepeats,
  ask: (eventType, publicKey) => (eventType === 'alipay.service.check' && publicKey ? checkOf(publicKey) : undefined),
};

/** The application gateway asks so when its address is saved in the console: what is inside `response` is signed (protocols 2.4). */
function checkOf(publicKey: KeyObject): Asked {
  const key = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  const message = `<success>true</success><biz_content>${key}</biz_content>`;
  const declaration = '<?xml version="1.0" encoding="GBK"?>';
  return {
    message,
    reply: (signature) => ({
      type: 'text/xml; charset=GBK',
      body: `${declaration}<alipay><response>${message}</response><sign>${signature}</sign><sign_type>RSA2</sign_type></alipay>`,
    }),
  };
}
