// What the operations of Aliyun OpenAPI take of the shapes that all platforms share. It signs no responses: TLS proves them.
import type { Takes } from '../takes.ts';

export const takes = {
  authorize: {
    RPC: {
      takes: ['method', 'url', 'apiMethod', 'parameters'],
      needs: ['url', 'apiMethod', 'parameters'],
      mark: 'parameters',
    },
    ACS3: { takes: ['method', 'url', 'headers', 'body', 'apiMethod'], needs: ['method', 'url'] },
  },
} as const satisfies Takes;
