// What the operations of partners that share a secret take of the shapes that all platforms share.
import { bareMessage, factsOfMessages, type Takes } from '../takes.ts';

export const takes = {
  authorize: {
    request: { takes: ['method', 'url', 'headers', 'parameters'], needs: ['method', 'url'] },
  },
  sign: true,
  verify: {
    // The one scheme that signs the request line too.
    'scheme request': { kinds: ['notification'], takes: factsOfMessages, needs: ['method', 'url'] },
    'other schemes': { kinds: ['notification'], takes: factsOfMessages, needs: [] },
    message: bareMessage,
  },
} as const satisfies Takes;
