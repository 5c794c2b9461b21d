// What the operations of WeChat Pay APIv3 take of the shapes that all platforms share.
import { bareMessage, factsOfMessages, type Takes } from '../takes.ts';
import { aeadAlgorithm } from './envelope.ts';

export const takes = {
  authorize: {
    request: { takes: ['method', 'url', 'headers', 'body', 'encryptionKeyId'], needs: ['method', 'url'] },
  },
  sign: true,
  verify: {
    http: { kinds: ['response', 'notification'], takes: factsOfMessages, needs: ['headers'] },
    message: bareMessage,
  },
  decrypt: {
    resource: {
      takes: ['algorithm', 'ciphertext', 'nonce', 'associatedData'],
      needs: ['algorithm', 'ciphertext', 'nonce'],
      mark: 'algorithm',
      values: { algorithm: [aeadAlgorithm] },
    },
    field: { takes: ['ciphertext'], needs: ['ciphertext'] },
  },
  openNotification: true,
  encrypt: true,
  paymentParameters: {
    payment: { takes: ['type', 'appId', 'prepayId'], needs: ['type', 'appId', 'prepayId'] },
  },
} as const satisfies Takes;
