// What forwarding to partners has in common: they sign requests and no responses, and nobody publishes which of their calls may be made twice.
import type { Forwarding } from '../forwarding.ts';

export const partnerForwarding: Omit<Forwarding, 'toAuthorize'> = {
  allowed: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].map((method) => `${method} /*`),
  repeatable: [],
  // TLS proves them, and nothing else.
  isUnsigned: () => true,
};
