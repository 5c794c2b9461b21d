// What the operations of partners that hold each other's public key take of the shapes that all platforms share.
import { bareMessage, factsOfMessages, type Takes } from '../takes.ts';

export const takes = {
  authorize: {
    request: { takes: ['method', 'url', 'headers', 'body'], needs: ['method', 'url'] },
  },
  sign: true,
  verify: {
    request: { kinds: ['notification'], takes: factsOfMessages, needs: ['method', 'url', 'headers'] },
    message: bareMessage,
  },
} as const satisfies Takes;
