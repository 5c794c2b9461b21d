// A private key that stays elsewhere: only the digest of a message leaves this process, and no signature is used that does not verify here.
import { hash, type KeyObject } from 'node:crypto';
import type { PrivateKey } from '../crypto/private-key.ts';
import type { Suite } from '../crypto/suites.ts';
import { PaycertError } from '../errors.ts';

export type SignDigest = (suite: Suite, digest: Uint8Array) => Promise<Uint8Array>;

/** It takes no turn: it holds no thread of this process. `name` is shown. */
export const remoteKey = (name: string, publicKey: KeyObject, signDigest: SignDigest): PrivateKey => ({
  publicKey,
  async sign(suite, message) {
    const signature = await signDigest(suite, hash('sha256', message, 'buffer'));
    // 0.03 ms, and whatever answers in the place of the service signs nothing for us.
    if (suite.verify(publicKey, message, signature)) return signature;
    throw new PaycertError(
      'key-service-wrong',
      `what came back as a signature of ${name} does not verify with its key`,
    );
  },
});
