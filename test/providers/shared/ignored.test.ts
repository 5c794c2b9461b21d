// What a provider says that it has not read is what it has not read, for every platform.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withIgnored } from '../../../src/providers/shared/ignored.ts';
import { type Provider, unusable } from '../../../src/providers/provider.ts';
import { materialReader } from '../../../src/providers/shared/material.ts';

const reading = (...names: readonly string[]): Provider => ({
  id: 'p',
  identity: 'p',
  async load(data) {
    const { part, problems } = materialReader(data);
    for (const name of names) part(name, (bytes) => bytes);
    return unusable(problems);
  },
});

const material = (...names: readonly string[]) => new Map(names.map((name) => [name, Buffer.from(name)]));

describe('what a provider ignores', () => {
  it('is every part that it did not read, by name', async () => {
    const { set } = await withIgnored(reading('key', 'absent')).load(material('z', 'key', 'a', 'KEY'));
    assert.deepEqual(set.ignored, ['KEY', 'a', 'z']);
  });

  it('is nothing where it has read everything', async () => {
    assert.deepEqual((await withIgnored(reading('key')).load(material('key'))).set.ignored, []);
  });

  it('leaves the bytes as they were', async () => {
    const data = material('key');
    const seen: unknown[] = [];
    const provider: Provider = { ...reading(), load: async (given) => (seen.push(given.get('key')), unusable([])) };
    await withIgnored(provider).load(data);
    assert.equal(seen[0], data.get('key'));
  });
});
