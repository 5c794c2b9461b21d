// Of a part that is missing it is said which name was looked for in its place, and which are there: names alone.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { keysOf } from '../../../src/config/source-parts.ts';
import { type Provider, unusable } from '../../../src/providers/provider.ts';
import { materialReader } from '../../../src/providers/shared/material.ts';
import { withRenamed } from '../../../src/providers/shared/renamed.ts';

const requiring = (...names: readonly string[]): Provider => ({
  id: 'p',
  identity: 'p',
  async load(data) {
    const { required, problems } = materialReader(data);
    for (const name of names) required(name, (bytes) => bytes);
    return unusable(problems);
  },
});

const material = (...names: readonly string[]) => new Map(names.map((name) => [name, Buffer.from('secret')]));

async function messagesOf(keys: Readonly<Record<string, string>>, ...names: readonly string[]) {
  const { set } = await withRenamed(requiring('key', 'other'), keys).load(material(...names));
  return set.problems.map(({ code, field, message }) => {
    assert.deepEqual([code, message.startsWith(`${field ?? ''} is missing`)], ['material-missing', true]);
    return message;
  });
}

describe('a part that is missing', () => {
  it('names what `keys` looks for in its place, and what is there', async () => {
    assert.deepEqual(await messagesOf({ key: 'tls.key' }, 'tls.crt', 'a'), [
      'key is missing: `keys` takes it from "tls.key", which is not there; there are a, tls.crt',
      'other is missing',
    ]);
  });

  it('names no more than a dozen, and none that is no plain name', async () => {
    const many = Array.from({ length: 20 }, (_, index) => `n${String(index + 10)}`);
    const [message = ''] = await messagesOf({ key: 'k' }, 'other', '-----BEGIN X\nsecret', ...many);
    assert.match(message, /there are n10, .*, n21 and 10 more$/);
    assert.deepEqual(await messagesOf({ key: 'k', other: 'o' }, 'a b'), [
      'key is missing: `keys` takes it from "k", which is not there; nothing under a plain name is there',
      'other is missing: `keys` takes it from "o", which is not there; nothing under a plain name is there',
    ]);
  });

  it('is what it was where nothing was renamed, and nothing is said of one that is there', async () => {
    assert.deepEqual(await messagesOf({}, 'a'), ['key is missing', 'other is missing']);
    assert.deepEqual(await messagesOf({ toString: 'x' }, 'key'), ['other is missing']);
  });

  it('is looked for by the `keys` of every source that a source is made of', () => {
    const files = { path: '/k', keys: { a: '1' } };
    const vault = { address: 'http://v', path: 'p', auth: { token: { tokenFile: '/t' } }, keys: { b: '2' } };
    const staged = { current: { files }, next: { vault }, activate: { at: '2031-01-01T00:00:00Z' } };
    assert.deepEqual(keysOf({ staged }), { a: '1', b: '2' });
    assert.deepEqual(keysOf({ merge: [{ files }, { secret: { name: 's', keys: { c: '3' } } }] }), { a: '1', c: '3' });
    assert.deepEqual(keysOf({ env: { keys: { d: 'D' } } }), {});
  });
});
