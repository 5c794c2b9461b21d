// What one pod has accepted is kept for its own containers: found again, and of no use to another pod, credential or account.
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { LastGoodDirectory } from '../../src/sources/last-good.ts';
import { material } from '../../src/sources/source.ts';
import { filesOf, makeMemoryDirectory, textsOf } from '../support/directories.ts';

const owner = { credential: 'shop', identity: 'wechatpay/1900000001' };
const keptAt = new Date('2026-11-27T10:00:00Z');
const accepted = material(filesOf({ 'apiclient_key.pem': 'a key', apiv3_key: 'a secret' }), { version: '42' });

async function make(t: TestContext) {
  const directory = join(await makeMemoryDirectory(t), 'keys');
  /** As a container that starts. */
  const start = (pod: string | undefined = 'pod-1') => new LastGoodDirectory({ directory, pod });
  return { directory, start };
}

describe('the last good material', () => {
  it('is there after a restart, equal to what was accepted', async (t) => {
    const { start } = await make(t);
    assert.equal(start().read(owner), undefined);
    start().keep(owner, accepted, keptAt);
    const kept = start().read(owner);
    assert.deepEqual(kept && { ...kept.material, keptAt: kept.keptAt, data: textsOf(kept.material.data) }, {
      revision: accepted.revision,
      version: '42',
      keptAt,
      data: textsOf(accepted.data),
    });
  });

  it('is without what was fetched beside it', async (t) => {
    const { start } = await make(t);
    const fetched = material(new Map([...accepted.data, ['list', Buffer.from('a list')]]), { version: '42', fetched: ['list'] }); // prettier-ignore
    start().keep(owner, fetched, keptAt);
    assert.equal(start().read(owner)?.material.revision, accepted.revision);
  });

  it('is of the pod that accepted it, its credential and its account, and removed where it is not', async (t) => {
    const { directory, start } = await make(t);
    const others: readonly [pod: string, who: typeof owner, message: RegExp][] = [
      ['pod-2', owner, /is of another pod/],
      ['pod-1', { ...owner, credential: 'other' }, /is of another credential/],
      ['pod-1', { ...owner, identity: 'wechatpay/1900000002' }, /is of another account/],
    ];
    for (const [pod, who, message] of others) {
      start().keep(owner, accepted, keptAt);
      if (who.credential !== owner.credential) copyFileSync(join(directory, 'shop'), join(directory, who.credential));
      const restarted = start(pod);
      assert.throws(() => restarted.read(who), { code: 'last-good-refused', message });
      assert.equal(restarted.read(who), undefined);
      assert.ok(!readdirSync(directory).includes(who.credential));
    }
  });

  it('is refused and removed if it is cut off', async (t) => {
    const { directory, start } = await make(t);
    start().keep(owner, accepted, keptAt);
    const half = readFileSync(join(directory, 'shop')).subarray(0, 120);
    start().forget('shop');
    const restarted = start();
    restarted.retain(new Set());
    writeFileSync(join(directory, 'shop'), half, { mode: 0o400 });
    assert.throws(() => start().read(owner), { code: 'last-good-refused', message: /is not whole/ });
    assert.deepEqual(readdirSync(directory), []);
  });

  it('does not outlive material that could not be kept', async (t) => {
    const { directory, start } = await make(t);
    start().keep(owner, accepted, keptAt);
    const large = material(new Map([['a', Buffer.alloc(6 * 1024 * 1024)]]));
    const restarted = start();
    assert.throws(() => restarted.keep(owner, large, keptAt), { code: 'last-good-unusable', message: /takes no more/ });
    assert.deepEqual(readdirSync(directory), []);
  });

  it('is kept of nobody who is not named any more, nor what was not written to its end', async (t) => {
    const { directory, start } = await make(t);
    for (const credential of ['shop', 'gone']) start().keep({ ...owner, credential }, accepted, keptAt);
    writeFileSync(join(directory, '.shop'), 'half');
    start().retain(new Set(['shop']));
    assert.deepEqual(readdirSync(directory), ['shop']);
  });

  it('is kept nowhere while the pod is not known, or the directory is not its own', async (t) => {
    const { directory, start } = await make(t);
    const unusable = (message: RegExp) => ({ code: 'last-good-unusable', field: 'lastGood.directory', message });
    const nobody = new LastGoodDirectory({ directory, pod: undefined });
    assert.throws(() => nobody.keep(owner, accepted, keptAt), unusable(/PAYCERT_POD_UID is not set/));
    mkdirSync(directory, { mode: 0o755 });
    assert.throws(() => start().keep(owner, accepted, keptAt), unusable(/is open to other users \(mode 0755\)/));
    assert.throws(() => start().read(owner), unusable(/is open to other users/));
    start().retain(new Set());
    assert.deepEqual(readdirSync(directory), []);
  });
});
