// The APIv2 keys of one load, current first: each checks what is signed with it, and opens what is encrypted under it.
import type { KeyObject } from 'node:crypto';
import type { NameSecret } from '../../crypto/check-value.ts';
import { secretId } from '../../crypto/mac.ts';
import { PaycertError } from '../../errors.ts';
import type { KeyFacts, Opener, Verifier } from '../provider.ts';
import { secretFacts } from '../shared/facts.ts';
import { isSignedBy, openRefund, refundKey, signTypeOf } from './messages.ts';
import { readXml } from './xml.ts';

export interface Secret {
  readonly facts: KeyFacts;
  readonly verifier: Verifier;
  readonly opener: Opener;
}

export async function secretOf(
  key: KeyObject,
  role: 'apiv2' | 'apiv2-previous',
  nameSecret: NameSecret,
): Promise<Secret> {
  const facts = await secretFacts(key, { role, algorithm: 'APIv2 key' }, nameSecret);
  const id = secretId(key);
  const sealedWith = refundKey(key);
  return {
    facts,
    verifier: {
      facts,
      id,
      confirm({ messages: [message], signature, algorithm = '' }) {
        const type = signTypeOf(algorithm, signature);
        return message !== undefined && isSignedBy(key, message, signature, type) ? 0 : undefined;
      },
    },
    opener: {
      facts,
      id,
      takes: (input) => !('algorithm' in input),
      async open({ ciphertext }) {
        const plaintext = openRefund(sealedWith, ciphertext);
        // ECB authenticates nothing, and some bytes open with any key: only XML that can be read counts.
        return plaintext !== undefined && isXml(plaintext) ? plaintext : undefined;
      },
    },
  };
}

function isXml(bytes: Uint8Array): boolean {
  try {
    return readXml(bytes).size > 0;
  } catch (error) {
    if (error instanceof PaycertError) return false;
    throw error;
  }
}
