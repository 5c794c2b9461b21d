// Readers of keys and certificates: PEM, DER and bare base64 either load or are refused by name.
import { readCertificates, readPrivateKey, readPublicKey } from '../../../src/crypto/containers.ts';
import type { Corpus } from '../corpus.ts';
import { byteMutations } from '../mutate-bytes.ts';
import { mutateArmouredDer, mutateDer } from '../mutate-der.ts';
import { mutateText } from '../mutate-text.ts';
import { mutate, refusalOf, type Target } from '../target.ts';

const textual = [...byteMutations, ...byteMutations.map(() => mutateText), mutateArmouredDer, mutateArmouredDer];
const structural = [...byteMutations, ...byteMutations.map(() => mutateDer)];
const readers = [readPrivateKey, readPublicKey, readCertificates];

export async function containers({ texts, ders }: Corpus): Promise<Target> {
  return {
    async run(random) {
      const input = random.isOneIn(2)
        ? mutate(random.pick(texts), textual, random, texts)
        : mutate(random.pick(ders), structural, random, ders);
      let isRead = false;
      for (const read of readers) isRead = 'value' in (await refusalOf(() => read(input, 'input'))) || isRead;
      return isRead ? 'accepted' : 'refused';
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
