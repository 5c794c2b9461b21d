// Environment variables as a source.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { env } from '../../src/sources/env.ts';
import { textsOf } from '../support/directories.ts';
import { FakeClock } from '../support/fake-clock.ts';

const signal = new AbortController().signal;
const make = (keys: Record<string, string>, environment: Record<string, string | undefined>) =>
  env({ keys, environment, clock: new FakeClock() });

describe('environment variables', () => {
  it('give material under the names configured', async () => {
    const { data } = await make({ apiv3_key: 'KEY' }, { KEY: 'secret', OTHER: 'x' }).read(signal);
    assert.deepEqual(textsOf(data), { apiv3_key: 'secret' });
  });

  for (const [title, environment] of [
    ['missing', {}],
    ['empty', { KEY: '' }],
  ] as const) {
    it(`refuse one that is ${title}, naming the field; what stands there may be a secret by mistake`, async () => {
      const expected = { code: 'variable-missing', field: 'keys.apiv3_key', message: /^(?!.*KEY).*keys\.apiv3_key/ };
      await assert.rejects(make({ apiv3_key: 'KEY' }, environment).read(signal), expected);
    });
  }

  it('do not take what every object has for a variable', async () => {
    await assert.rejects(make({ k: 'constructor' }, process.env).read(signal), { code: 'variable-missing' });
  });

  it('show variables in their name, and no value', () => {
    assert.equal(make({ apiv3_key: 'KEY' }, { KEY: 'secret' }).name, 'env:KEY');
  });

  it('tick at the start and end on abort', async () => {
    const stop = new AbortController();
    const ticks = make({ k: 'KEY' }, { KEY: 's' }).changes(stop.signal)[Symbol.asyncIterator]();
    assert.equal((await ticks.next()).value, 'start');
    const next = ticks.next();
    stop.abort();
    assert.equal((await next).done, true);
  });
});
