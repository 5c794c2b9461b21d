// The PKCS#12 reader: a mutated file opens to a key that is one, or is refused by name.
import assert from 'node:assert/strict';
import { readPkcs12 } from '../../../src/crypto/pkcs12.ts';
import { type Corpus, merchantId } from '../corpus.ts';
import { byteMutations } from '../mutate-bytes.ts';
import { mutateDer } from '../mutate-der.ts';
import { mutate, refusalOf, type Target } from '../target.ts';

const mutations = [...byteMutations, ...byteMutations.map(() => mutateDer), ...byteMutations.map(() => mutateDer)];

export async function pkcs12({ containers, ders }: Corpus): Promise<Target> {
  const [slow, ...quick] = containers;
  for (const sample of containers) await readPkcs12(sample, merchantId, 'a sample that is good');
  return {
    async run(random) {
      const sample = slow && random.isOneIn(20) ? slow : random.pick(quick);
      const input = mutate(sample, mutations, random, [...containers, ...ders]);
      const password = random.isOneIn(10) ? random.pick(['', 'wrong', '\0', '密码', 'a'.repeat(1000)]) : merchantId;
      const opened = await refusalOf(() => readPkcs12(input, password, 'input'));
      if ('error' in opened) return 'refused';
      assert.equal(opened.value.privateKey.type, 'private');
      return 'accepted';
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
