// ResourceKey: text and value are two forms of one key.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ResourceKey } from '../../src/operator/resource-key.ts';

const part = fc.stringMatching(/^[a-z0-9]([-a-z0-9.]{0,60}[a-z0-9])?$/);

describe('a resource key', () => {
  it('comes back from its text equal', () => {
    fc.assert(
      fc.property(fc.constantFrom('PaymentCredential', 'Secret'), part, part, (kind, namespace, name) => {
        const key = new ResourceKey(kind, namespace, name);
        assert.deepEqual(ResourceKey.fromString(key.toString()), key);
      }),
    );
  });

  it('is made of no other text', () => {
    for (const text of ['', 'Secret/a', 'Secret/a/b/c', 'Pod/a/b', 'a/b', 'Secret'])
      assert.throws(() => ResourceKey.fromString(text), TypeError);
  });
});
