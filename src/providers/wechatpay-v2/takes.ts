// What the operations of WeChat Pay v2 take of the shapes that all platforms share.
import { factsOfMessages, type Takes } from '../takes.ts';

export const takes = {
  authorize: {
    request: { takes: ['method', 'url', 'parameters'], needs: ['url', 'parameters'] },
  },
  verify: {
    http: { kinds: ['response', 'notification'], takes: factsOfMessages, needs: [] },
  },
  decrypt: {
    resource: { takes: ['ciphertext'], needs: ['ciphertext'] },
  },
  openNotification: true,
  paymentParameters: {
    payment: { takes: ['type', 'appId', 'prepayId', 'signType'], needs: ['type', 'prepayId'] },
  },
} as const satisfies Takes;
