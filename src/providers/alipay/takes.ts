// What the operations of Alipay take of the shapes that all platforms share: its v2 gateway and its v3 interface each their own.
import { bareMessage, factsOfMessages, type Takes } from '../takes.ts';

const call = { takes: ['apiMethod', 'bizContent', 'parameters', 'appAuthToken'], needs: ['apiMethod'] } as const;

export const takes = {
  authorize: {
    v2: { ...call, mark: 'apiMethod' },
    v3: { takes: ['method', 'url', 'headers', 'body', 'appAuthToken'], needs: ['method', 'url'], mark: 'url' },
  },
  sign: true,
  verify: {
    v2: { kinds: ['response'], takes: [...factsOfMessages, 'apiMethod'], needs: ['apiMethod'], mark: 'apiMethod' },
    v3: { kinds: ['response'], takes: factsOfMessages, needs: ['headers'] },
    notification: { kinds: ['notification'], takes: factsOfMessages, needs: [] },
    return: { kinds: ['return'], takes: factsOfMessages, needs: ['url'] },
    message: bareMessage,
  },
  decrypt: {
    content: {
      takes: ['algorithm', 'ciphertext'],
      needs: ['algorithm', 'ciphertext'],
      values: { algorithm: ['AES', 'AES_V2'] },
    },
  },
  openNotification: true,
  paymentParameters: { call },
} as const satisfies Takes;
