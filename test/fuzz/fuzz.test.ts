// A short run of the fuzzing, with the same seed every time; npm run fuzz is the long one.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { makeCorpus } from './corpus.ts';
import { Tally, targetNames, targets, tryInputs } from './fuzz.ts';

const inputs = 3000;
const seed = 'continuous integration';

describe('mutated input', () => {
  for (const name of targetNames) {
    it(`${name}: is accepted for good reason or refused by name, in time`, async () => {
      const tally = new Tally();
      const count = (inputs * targets[name].share) / 100;
      for await (const result of tryInputs(name, seed, 0, count)) tally.add(result);
      const reasons = tally.failures.map(
        ({ index, reason = '' }) => `--seed '${seed}' --only ${name} --at ${index}: ${reason}`,
      );
      assert.deepEqual(reasons, []);
      assert.equal(tally.accepted + tally.refused, count);
      assert.ok(tally.accepted > 0 && tally.refused > 0, 'both sides are reached');
    });
  }
});

it('the same seed makes the same corpus', async () => {
  const [one, two, other] = [await makeCorpus('1'), await makeCorpus('1'), await makeCorpus('2')];
  const bytes = ({ material, texts, containers, field }: typeof one) => [
    ...material.files.values(),
    ...texts,
    ...containers,
    field,
  ];
  assert.deepEqual(bytes(one), bytes(two));
  assert.notDeepEqual(bytes(one), bytes(other));
});
