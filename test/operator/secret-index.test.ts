// Which resources name a Secret stays right through every change of what they name.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PaymentCredential } from '../../src/operator/resource.ts';
import { ResourceKey } from '../../src/operator/resource-key.ts';
import { SecretIndex } from '../../src/operator/secret-index.ts';

const resource = (spec: unknown): PaymentCredential => ({ kind: 'PaymentCredential', namespace: 'n', name: 'r', uid: '', resourceVersion: '', generation: 1, spec, status: undefined }); // prettier-ignore
const key = (name: string) => new ResourceKey('PaymentCredential', 'n', name);
const secret = (name: string) => new ResourceKey('Secret', 'n', name);
const naming = (name: unknown) => resource({ source: { secret: { name } } });

describe('the index', () => {
  it('follows a resource from one Secret to another, and lets it go', () => {
    const index = new SecretIndex();
    assert.deepEqual(index.set(key('a'), naming('x')), [secret('x')]);
    assert.deepEqual(index.set(key('b'), naming('x')), [secret('x')]);
    assert.deepEqual(index.set(key('a'), naming('x')), [], 'nothing new');
    assert.deepEqual([...index.resourcesOf(secret('x'))], [key('a'), key('b')]);
    assert.deepEqual(index.set(key('a'), naming('y')), [secret('x'), secret('y')]);
    assert.deepEqual(index.set(key('b'), undefined), [secret('x')]);
    assert.deepEqual([...index.resourcesOf(secret('x'))], []);
    assert.deepEqual([...index.resourcesOf(secret('y'))], [key('a')]);
  });

  it('knows both Secrets of a staged resource, and lets go of the one that it names no more', () => {
    const index = new SecretIndex();
    const both = (current: string, next: string) =>
      resource({ source: { staged: { current: { secret: { name: current } }, next: { secret: { name: next } } } } });
    assert.deepEqual(index.set(key('a'), both('x', 'y')), [secret('x'), secret('y')]);
    assert.deepEqual(index.set(key('a'), both('y', 'z')), [secret('x'), secret('z')]);
    assert.deepEqual(['x', 'y', 'z'].map((name) => index.resourcesOf(secret(name)).length), [0, 1, 1]); // prettier-ignore
    assert.deepEqual(index.set(key('a'), naming('z')), [secret('y')]);
    assert.deepEqual(index.set(key('a'), both('z', 'z')), [], 'once, with other keys');
  });

  it('takes what names no Secret as it comes', () => {
    const index = new SecretIndex();
    for (const spec of [
      undefined,
      null,
      {},
      { source: null },
      { source: { secret: 1 } },
      { source: { secret: { name: 5 } } },
      { source: { staged: null } },
      { source: { staged: { current: 1, next: { secret: null } } } },
    ])
      // prettier-ignore
      assert.deepEqual(index.set(key('a'), resource(spec)), []);
  });
});
