// Rows of what operations take: what a form has no use for is refused by name, and so is what it needs and is missing.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Platform } from '../../src/providers/platform.ts';
import type { RequestToAuthorize } from '../../src/providers/provider.ts';
import { platforms } from '../../src/providers/registry.ts';
import { type Form, formOf, take } from '../../src/providers/takes.ts';
import { refusal } from '../support/wechatpay.ts';

const form = { takes: ['method', 'url'], needs: ['url'] } as const;

describe('take', () => {
  it('refuses the first member that is not taken, by its name and without its value', () => {
    assert.throws(
      () => take({ url: '/', bizContent: 'secret' }, form),
      (error: Error & { code: string; field: string }) => {
        assert.deepEqual([error.code, error.field], ['request-invalid', 'bizContent']);
        return !error.message.includes('secret');
      },
    );
  });

  it('treats a member without a value as absent', () => {
    assert.equal(take({ url: '/', bizContent: undefined }, form).url, '/');
    assert.throws(() => take({ url: undefined }, form), { ...refusal('request-invalid'), field: 'url' });
  });

  it('returns what is there, even when it is empty, and refuses what is missing by its name', () => {
    const request: RequestToAuthorize = { url: '' };
    assert.equal(take(request, form).url, '');
    assert.throws(() => take({ method: 'POST' }, form), { ...refusal('request-invalid'), field: 'url' });
  });

  it('gives its needs a type that is never undefined, and hides what the form does not take', () => {
    const taken = take<RequestToAuthorize, typeof form>({ url: '/' }, form);
    const url: string = taken.url;
    // @ts-expect-error `method` may be missing
    const method: string = taken.method;
    // @ts-expect-error the form does not take `body`
    assert.deepEqual([url, method, taken.body], ['/', undefined, undefined]);
  });
});

describe('formOf', () => {
  const [marked, other] = [
    { takes: ['a'], needs: [], mark: 'a' },
    { takes: [], needs: [] },
  ];

  it('chooses the form whose mark is given, in any order of the rows', () => {
    assert.equal(formOf({ marked, other }, { a: '' }), 'marked');
    assert.equal(formOf({ other, marked }, { a: '' }), 'marked');
  });

  it('chooses the form without a mark when none is given, otherwise the first', () => {
    assert.equal(formOf({ marked, other }, {}), 'other');
    assert.equal(formOf({ marked, again: { ...marked, mark: 'b' } }, {}), 'marked');
  });
});

describe('the rows of every platform', () => {
  for (const { id, takes } of Object.values<Platform>(platforms))
    for (const [operation, forms] of Object.entries(takes as Readonly<Record<string, true | Record<string, Form>>>)) {
      if (forms === true) continue;
      it(`take what they need and are chosen by, in ${operation} of ${id}`, () => {
        for (const { takes, needs, mark } of Object.values(forms)) {
          assert.deepEqual(
            [...needs, ...(mark === undefined ? [] : [mark])].filter((member) => !takes.includes(member)),
            [],
          );
          assert.deepEqual(takes, [...new Set(takes)]);
        }
      });
    }
});
