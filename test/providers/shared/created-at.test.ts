// `created_at`: when keys were made, in the material of every provider; a wrong one refuses nothing.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { buildProvider } from '../../../src/running/build.ts';
import { PaycertError } from '../../../src/errors.ts';
import { readCreatedAt } from '../../../src/providers/shared/created-at.ts';
import { snapshotId } from '../../../src/store/snapshot.ts';
import { flatten } from '../../support/flatten.ts';

const now = new Date('2026-03-01T00:00:00Z');
const provider = buildProvider({ aliyun: {} });
const parts = { access_key_id: 'LTAI5tExampleExample', access_key_secret: 'made-up-secret-of-nobody' };
const load = async (more: Readonly<Record<string, string>> = {}) =>
  flatten(
    await provider.load(
      new Map(Object.entries({ ...parts, ...more }).map(([name, text]) => [name, Buffer.from(text)])),
    ),
  );

describe('created_at', () => {
  it('is a day or a time of RFC 3339, whatever white space is around it', async () => {
    for (const [text, expected] of [
      ['2026-01-02', '2026-01-02T00:00:00.000Z'],
      ['2026-01-02T03:04:05Z\n', '2026-01-02T03:04:05.000Z'],
      [' 2026-01-02T03:04:05.678+08:00', '2026-01-01T19:04:05.678Z'],
    ] as const)
      assert.deepEqual((await load({ created_at: text })).createdAt, new Date(expected));
  });

  it('that is neither is a warning that names the part and no value, and the keys are used', async () => {
    for (const text of ['', 'yesterday', '2026-13-01', '2026-02-30', '02.01.2026', '1767225600', '2026-01-02T03:04:05', '0226-01-02', '-000001-01-01']) {
      const context = await load({ created_at: text });
      assert.deepEqual(context.warnings(now).map(({ code, field }) => [code, field]), [['created-at-malformed', 'created_at']]);
      assert.ok(context.createdAt instanceof PaycertError);
      assert.equal(context.createdAt.message, 'created_at is no time of RFC 3339, and is ignored');
      assert.deepEqual(context.problems, []);
      assert.ok(context.capabilities(now).has('sign'));
    }
  }); // prettier-ignore

  it('changes nothing else: without it there is no date, and with it the snapshot is the same', async () => {
    const [without, dated] = [await load(), await load({ created_at: '2026-01-02' })];
    assert.equal(without.createdAt, undefined);
    assert.deepEqual(dated.warnings(now), []);
    assert.equal(snapshotId(dated), snapshotId(without));
  });

  it('is a year that a status can hold', () => {
    assert.ok(readCreatedAt('9999-12-31T23:59:59-23:59', 'x') instanceof PaycertError);
    assert.ok(readCreatedAt('1970-01-01T00:00:00+14:00', 'x') instanceof PaycertError);
    assert.deepEqual(readCreatedAt('1970-01-01', 'x'), new Date(0));
  });
});
