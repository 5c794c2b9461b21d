// paycert audit: what verify says of files on a disk, and which lines show shows.
import assert from 'node:assert/strict';
import { appendFile, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { Audit } from '../../../src/audit/audit.ts';
import { numberOf } from '../../../src/audit/chain.ts';
import { DirectoryDisk } from '../../../src/audit/disk.ts';
import { publicPath } from '../../../src/audit/public-path.ts';
import { systemClock } from '../../../src/clock.ts';
import { auditKey, day } from '../../support/audited.ts';
import { makeDirectory } from '../../support/directories.ts';
import { paycert } from '../../support/paycert.ts';

async function makeAudit(t: TestContext) {
  const directory = await makeDirectory(t);
  const [audited, keyFile] = [join(directory, 'audit'), join(directory, 'key')];
  await writeFile(keyFile, `${auditKey}\n`);
  const audit = new Audit({
    ...{ clock: systemClock, host: 'shop-1', about: {}, key: () => auditKey, observe: () => undefined },
    volume: {
      ...{ disk: new DirectoryDisk(audited), maxFileBytes: 1500, maxTotalBytes: 1_000_000 },
      ...{ rotateMilliseconds: day, retentionMilliseconds: day, gatherMilliseconds: 0, fsync: 'batch' },
    },
  });
  for (let order = 1001; order <= 1012; order += 1) {
    const path = publicPath(`/v3/pay/transactions/out-trade-no/${String(order)}`, auditKey);
    const credential = order % 2 === 0 ? 'wechat-main' : 'wechat-other';
    audit.record({ type: 'signed', outcome: 'ok', credential, request: `r-${String(order)}`, path });
    while (audit.head === undefined) await new Promise((resolve) => setImmediate(resolve));
    await audit.written();
  }
  const head = audit.head ?? assert.fail();
  await audit.close();
  const files = (await readdir(audited)).sort().map((name) => join(audited, name));
  assert.ok(files.length > 2);
  const verify = (...more: string[]) => paycert(['audit', 'verify', audited, '--key', keyFile, ...more]);
  const show = (...more: string[]) => paycert(['audit', 'show', audited, ...more]);
  return { directory, audited, keyFile, files, verify, show, head: `${String(head.seq)}:${String(numberOf(head))}` };
}

describe('paycert audit verify', { timeout: 900_000 }, () => {
  it('finds what was written in order, and prints its end', async (t) => {
    const { verify, head } = await makeAudit(t);
    const { code, stdout } = await verify('--head', head);
    assert.equal(code, 0);
    assert.match(stdout, /^13 lines are in order, from 1 to 13 of 20/);
    assert.ok(stdout.endsWith(`head ${head}\n`));
    const { code: ofJson, stdout: json } = await verify('--output', 'json');
    assert.deepEqual([ofJson, (JSON.parse(json) as { lines: number }).lines], [0, 13]);
  });

  it('names what is not: a changed line, a missing file, an end that is cut off, another key', async (t) => {
    const { verify, head, files, audited, directory } = await makeAudit(t);
    const [first = '', second = ''] = files;
    const text = await readFile(second, 'utf8');
    await writeFile(second, text.replace('wechat-main', 'wechat-mine'));
    const changed = await verify();
    assert.equal(changed.code, 1);
    assert.match(changed.stdout, /changed.*audit-[0-9]{15}-[0-9TZ]+\.jsonl:\d+: this line is not as it was written/);
    await writeFile(second, text);
    assert.equal((await verify()).code, 0);

    const lastFile = files.at(-1) ?? '';
    const lastText = await readFile(lastFile, 'utf8');
    await writeFile(lastFile, lastText.replace(/[^\n]*\n$/, ''));
    assert.match((await verify('--head', head)).stdout, /cut.*the end is cut off/);
    await writeFile(lastFile, lastText);

    await writeFile(join(directory, 'other'), 'another-key-of-sixteen-characters');
    assert.equal((await paycert(['audit', 'verify', audited, '--key', join(directory, 'other')])).code, 1);
    assert.equal((await paycert(['audit', 'verify', audited])).code, 1, 'a chain with a key is not one without');
    await rm(first);
    const missing = await verify();
    assert.deepEqual([missing.code, /missing/.test(missing.stdout)], [1, true]);
  });

  it('asks for the key where none was given, and says that another one may not be its own', async (t) => {
    const { audited, keyFile } = await makeAudit(t);
    const other = `${keyFile}-other`;
    await writeFile(other, 'another-key-of-sixteen');
    const without = await paycert(['audit', 'verify', audited]);
    assert.match(without.stdout, /\nno line is in order: an audit that has a key is verified with --key\n$/);
    const { stdout } = await paycert(['audit', 'verify', audited, '--key', other]);
    assert.match(stdout, /\nno line is in order: is this the key of this audit\? --key may be given again\n$/);
  });

  it('passes half a line at the end, and says so', async (t) => {
    const { verify, files } = await makeAudit(t);
    await appendFile(files.at(-1) ?? '', '{"audit":1,"time":"2026-11-27T0');
    const { code, stdout } = await verify();
    assert.equal(code, 0);
    assert.match(stdout, /half a line, as a process that is killed leaves it/);
    assert.match(stdout, /13 lines are in order/);
  });

  it('says what it was not given', async (t) => {
    const { verify, directory } = await makeAudit(t);
    for (const words of [
      ['audit', 'verify', join(directory, 'nowhere')],
      ['audit', 'verify', directory],
      ['audit', 'check', directory],
      ['audit', 'verify'],
    ])
      assert.equal((await paycert(words)).code, 64, words.join(' '));
    for (const head of ['13', '0:1', 'x:y']) assert.equal((await verify('--head', head)).code, 64);
    const { code, stderr } = await paycert(['audit', 'show', directory, '--find', '1001']);
    assert.deepEqual([code, stderr.includes('--key')], [64, true]);
    const short = join(directory, 'short');
    await writeFile(short, 'x');
    assert.match(
      (await paycert(['audit', 'verify', directory, '--key', short])).stderr,
      /--key: the key file holds no/,
    );
  });
});

describe('paycert audit show', { timeout: 900_000 }, () => {
  it('shows lines of a credential, a type, a request and a time', async (t) => {
    const { show } = await makeAudit(t);
    const count = async (...more: string[]) => (await show(...more)).stdout.split('\n').length - 1;
    assert.equal(await count(), 13);
    assert.equal(await count('--credential', 'wechat-main'), 6);
    assert.equal(await count('--type', 'started'), 1);
    assert.equal(await count('--since', '1h'), 13);
    assert.equal(await count('--until', '1h'), 0);
    assert.equal(await count('--since', '2099-01-01T00:00:00Z'), 0);
    const { stdout } = await show('--request', 'r-1004');
    assert.match(stdout, /^20\S+ signed ok host=shop-1 credential=wechat-main request=r-1004 path=\S+ seq=5\n$/);
    assert.equal((await show('--since', 'yesterday')).code, 64);
  });

  it('finds an order by its number with the key, which no line shows', async (t) => {
    const { show, keyFile } = await makeAudit(t);
    const { stdout } = await show('--find', '1004', '--key', keyFile, '--output', 'json');
    assert.equal(stdout.split('\n').length - 1, 1);
    assert.equal((JSON.parse(stdout) as { request: string }).request, 'r-1004');
    assert.ok(!(await show()).stdout.includes('/1004'));
  });
});
