// What is encrypted with an application's AES keys, current first: the content of responses, phone numbers and the like.
import type { KeyObject } from 'node:crypto';
import { secretId } from '../../crypto/mac.ts';
import { atOnce } from '../../crypto/private-key.ts';
import { PaycertError } from '../../errors.ts';
import { open } from '../shared/tries.ts';
import type { KeyFacts, Opener, Operations } from '../provider.ts';
import { openContent } from './content.ts';
import { takes } from './takes.ts';

export function sealing(
  keys: readonly { readonly key: KeyObject; readonly facts: KeyFacts }[],
): Pick<Operations, 'decrypt' | 'openers'> {
  const openers = keys.map(({ key, facts }): Opener => ({
    facts,
    id: secretId(key),
    takes: (input) => 'algorithm' in input,
    open: (input) => ('algorithm' in input ? openContent(input.ciphertext, input.algorithm, key) : undefined),
  }));
  return {
    openers,
    decrypt: (input, turn = atOnce, earlier) =>
      open(openers, input, { forms: takes.decrypt, earlier, turn, absent: noAesKey }),
  };
}

const noAesKey = () => new PaycertError('no-aes-key', 'there is no AES key to decrypt with');
