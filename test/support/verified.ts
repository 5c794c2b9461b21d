// A notification taken for verified, for tests of what opens one: their material signs nothing.
import { VerifiedNotification } from '../../src/providers/verified.ts';

/** As if a key of that id had signed it. */
export const verified = (body: Uint8Array, keyId = ''): Promise<VerifiedNotification> =>
  VerifiedNotification.from(async () => ({ keyId }), { kind: 'notification', body }, new Date(0));
