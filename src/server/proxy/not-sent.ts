// What the proxy says with an error before any attempt: an application that looks at the outcome need not know who refused.
import type { Addition } from '../respond.ts';

export const notSent: Addition = {
  headers: { 'Paycert-Attempts': '0', 'Paycert-Outcome': 'refused' },
  members: { outcome: 'refused' },
};
