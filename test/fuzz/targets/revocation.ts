// Revocation lists and answers of responders: what they say of a certificate they say as it was signed, or they say nothing.
import assert from 'node:assert/strict';
import { readOcspResponse } from '../../../src/crypto/ocsp-response.ts';
import { readRevocationList, revocationOf } from '../../../src/crypto/revocation.ts';
import { type Corpus, now } from '../corpus.ts';
import { byteMutations } from '../mutate-bytes.ts';
import { mutateDer } from '../mutate-der.ts';
import type { Random } from '../random.ts';
import { type Fate, mutate, refusalOf, type Target } from '../target.ts';

const mutations = [...byteMutations, ...byteMutations.map(() => mutateDer), ...byteMutations.map(() => mutateDer)];

export async function revocation({ revocation: { leaf, issuer, answers, list }, ders }: Corpus): Promise<Target> {
  const all = [list, ...answers, ...ders];

  /** All of them say that it is good. */
  function tryResponse(random: Random): Fate {
    const said = readOcspResponse(mutate(random.pick(answers), mutations, random, all))?.about(leaf, issuer, now);
    if (said === undefined) return 'refused';
    assert.equal(said.status, 'good');
    return 'accepted';
  }

  async function tryList(random: Random): Promise<Fate> {
    const input = mutate(list, mutations, random, all);
    const read = await refusalOf(() => readRevocationList(input, 'input'));
    if ('error' in read) return 'refused';
    const said = (await revocationOf(leaf, issuer, [read.value]))(now);
    assert.notEqual(said, 'revoked');
    return said === 'good' ? 'accepted' : 'refused';
  }

  return {
    run: async (random) => (random.isOneIn(2) ? tryResponse(random) : tryList(random)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
