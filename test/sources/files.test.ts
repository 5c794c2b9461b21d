// Mounted files as a source: a real watch tells of changes, and a poll finds what it did not tell.
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { buildProvider } from '../../src/running/build.ts';
import { files } from '../../src/sources/files.ts';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import { filesOf, makeDirectory, textsOf } from '../support/directories.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { describeMaterial } from '../support/fake-provider.ts';
import { makeMaterial, merchantId } from '../support/sidecar.ts';
import { Watching } from '../support/watching.ts';

const limit = { timeout: 300_000 };
const context = (keyId: string) => describeMaterial({ keyId });
const text = (keyId: string) => JSON.stringify({ keyId });

describe('a watch of files', () => {
  it('tells of every swap of a mounted Secret', limit, async (t) => {
    const directory = await makeDirectory(t);
    const volume = await createSecretVolume(directory, context('0'));
    const watching = new Watching(t, { paths: [directory] });
    await watching.untilSignsWith('0');
    for (const id of ['1', '2', '3', '4', '5']) await watching.change(() => volume.write(context(id)), id);
    assert.equal(watching.recorder.of('found-by-poll').length, 0);
  });

  it('tells of every swap of a projected volume, whose paths may lie in directories', limit, async (t) => {
    const directory = await makeDirectory(t);
    const projected = (id: string) =>
      new Map<string, string | Uint8Array>([...context(id), ['platform/a.pem', id], ['token', id]]);
    const volume = await createSecretVolume(directory, projected('0'));
    const watching = new Watching(t, { paths: [directory] });
    await watching.untilSignsWith('0');
    for (const id of ['1', '2', '3']) await watching.change(() => volume.write(projected(id)), id);
    const source = files({
      paths: [directory],
      pollMilliseconds: 3_600_000,
      clock: new FakeClock(),
      observe: () => {},
    });
    const { data } = await source.read(new AbortController().signal);
    assert.deepEqual([...data.keys()].sort(), ['context', 'platform/a.pem', 'token']);
  });

  it('tells of an optional Secret that was not there when the Pod began, and the last good stays when it goes', limit, async (t) => {
    const directory = await makeDirectory(t);
    const [first, second] = [await makeMaterial(), await makeMaterial(1)];
    // As kubelet mounts it then: the volume stands, and is empty.
    const volume = await createSecretVolume(directory, new Map());
    const provider = buildProvider({ wechatpay: { merchantId } });
    const watching = new Watching(t, { paths: [directory], provider });
    const { error } = await watching.recorder.next('rejected');
    assert.deepEqual([error.code, watching.signsWith], ['material-missing', undefined]);
    await watching.change(() => volume.write(first.files), first.merchant.serialNumber);
    await Promise.all([watching.recorder.next('rejected'), volume.write(new Map())]);
    assert.equal(watching.signsWith, first.merchant.serialNumber);
    await watching.change(() => volume.write(second.files), second.merchant.serialNumber);
    assert.equal(watching.recorder.of('found-by-poll').length, 0);
  }); // prettier-ignore

  it('tells nothing of what kubelet prepares beside a mounted Secret, and at once of the swap', limit, async (t) => {
    const directory = await makeDirectory(t);
    const volume = await createSecretVolume(directory, context('0'));
    const source = files({
      paths: [directory],
      pollMilliseconds: 3_600_000,
      clock: new FakeClock(),
      observe: () => {},
    });
    const stop = new AbortController();
    await source.read(stop.signal);
    const changes = source.changes(stop.signal)[Symbol.asyncIterator]();
    t.after(() => {
      stop.abort();
      return changes.return?.();
    });
    // Its start, and that its watch stands.
    for (let i = 0; i < 2; i += 1) await changes.next();
    const told = { is: false };
    const next = changes.next().then(() => (told.is = true));
    const prepared = await volume.prepare(context('1'));
    // As many turns of the event loop as there are reads: what was to be told of has been by then.
    for (let i = 0; i < 20; i += 1) await readdir(directory);
    assert.equal(told.is, false);
    await prepared.publish();
    await next;
  });

  it('tells of every swap of a mounted Secret to whoever reads a single file of it', limit, async (t) => {
    const directory = await makeDirectory(t);
    const volume = await createSecretVolume(directory, context('0'));
    const watching = new Watching(t, { paths: [join(directory, 'context')] });
    await watching.untilSignsWith('0');
    for (const id of ['1', '2', '3']) await watching.change(() => volume.write(context(id)), id);
  });

  it('tells of a swap in any of several directories', limit, async (t) => {
    const [a, b] = [await makeDirectory(t), await makeDirectory(t)];
    await createSecretVolume(a, filesOf({ other: 'x' }));
    const volume = await createSecretVolume(b, context('0'));
    const watching = new Watching(t, { paths: [a, b] });
    await watching.untilSignsWith('0');
    for (const id of ['1', '2', '3']) await watching.change(() => volume.write(context(id)), id);
  });

  it('tells of files replaced or written in place in a plain directory', limit, async (t) => {
    const directory = await makeDirectory(t);
    const file = join(directory, 'context');
    await writeFile(file, text('0'));
    const watching = new Watching(t, { paths: [directory] });
    await watching.untilSignsWith('0');
    await watching.change(() => writeFile(file, text('1')), '1');
    await writeFile(`${file}.new`, text('2'));
    await watching.change(() => rename(`${file}.new`, file), '2');
  });

  it('tells of what happens in subdirectories, also in those made later', limit, async (t) => {
    const directory = await makeDirectory(t);
    await writeFile(join(directory, 'context'), text('0'));
    const watching = new Watching(t, { paths: [directory] });
    await watching.untilSignsWith('0');
    for (const [i, name] of ['platform', 'retired'].entries()) {
      const made = watching.recorder.next('swapped');
      await mkdir(join(directory, name));
      await writeFile(join(directory, name, 'a.pem'), String(i));
      await made;
    }
  });

  it('follows a directory that is itself a link', limit, async (t) => {
    const directory = await makeDirectory(t);
    await mkdir(join(directory, 'real'));
    await symlink('real', join(directory, 'link'));
    await writeFile(join(directory, 'real/context'), text('0'));
    const watching = new Watching(t, { paths: [join(directory, 'link')] });
    await watching.untilSignsWith('0');
    // More than one: the first may be found because the watch has just begun.
    for (const id of ['1', '2', '3'])
      await watching.change(() => writeFile(join(directory, 'real/context'), text(id)), id);
  });

  const noProc = process.platform !== 'linux' && 'inotify is Linux’s';
  it('does not watch what is beside a single file or a missing directory', { ...limit, skip: noProc }, async (t) => {
    const directory = await makeDirectory(t);
    for (let i = 0; i < 20; i += 1) await mkdir(join(directory, `neighbour${String(i)}`));
    await writeFile(join(directory, 'context'), text('0'));
    const watching = new Watching(t, { paths: [join(directory, 'context')] });
    await watching.untilSignsWith('0');
    for (const id of ['1', '2', '3']) await watching.change(() => writeFile(join(directory, 'context'), text(id)), id);
    const missing = new Watching(t, { paths: [join(directory, 'missing')] });
    for (let i = 0; i < 3; i += 1) await missing.recorder.next('source-failed');
    assert.ok((await countInotifyWatches()) <= 2);
    await mkdir(join(directory, 'missing'));
    await missing.change(() => writeFile(join(directory, 'missing/context'), text('4')), '4');
  });
});

async function countInotifyWatches(): Promise<number> {
  const descriptors = await readdir('/proc/self/fdinfo');
  const infos = descriptors.map((name) => readFile(join('/proc/self/fdinfo', name), 'utf8').catch(() => ''));
  return (await Promise.all(infos)).join('\n').split('\ninotify wd:').length - 1;
}

describe('a poll of files', () => {
  it('finds what no event told, and starts the watch again on a directory that was replaced', limit, async (t) => {
    const directory = join(await makeDirectory(t), 'mount');
    await createSecretVolume(directory, context('0'));
    const clock = new FakeClock();
    const watching = new Watching(t, { paths: [directory], clock, pollMilliseconds: 10_000 });
    await watching.untilSignsWith('0');
    const restarted = watching.recorder.next('watch-restarted');
    await rename(directory, `${directory}.old`);
    const volume = await createSecretVolume(directory, context('1'));
    const poll = setInterval(() => clock.advance(10_000), 5);
    t.after(() => clearInterval(poll));
    await Promise.all([watching.untilSignsWith('1'), restarted]);
    clearInterval(poll);
    await watching.change(() => volume.write(context('2')), '2');
    await rm(`${directory}.old`, { recursive: true });
  });
});

describe('files', () => {
  const make = (paths: string[], keys?: Record<string, string>) =>
    files({ paths, ...(keys && { keys }), pollMilliseconds: 10_000, clock: new FakeClock(), observe: () => undefined });
  const signal = new AbortController().signal;

  it('are given under the names configured', async (t) => {
    const directory = await makeDirectory(t);
    await createSecretVolume(directory, filesOf({ 'tls.key': 'k', 'tls.crt': 'c' }));
    const source = make([directory], { 'apiclient_key.pem': 'tls.key', 'apiclient_cert.pem': 'tls.crt' });
    const { data } = await source.read(signal);
    assert.deepEqual(textsOf(data), { 'apiclient_cert.pem': 'c', 'apiclient_key.pem': 'k' });
  });

  it('have the same revision after a swap that changes nothing', async (t) => {
    const directory = await makeDirectory(t);
    const volume = await createSecretVolume(directory, filesOf({ key: '1' }));
    const before = await make([directory]).read(signal);
    await volume.write(filesOf({ key: '2' }));
    await volume.write(filesOf({ key: '1' }));
    assert.equal((await make([directory]).read(signal)).revision, before.revision);
  });

  it('end their changes on abort', limit, async (t) => {
    const stop = new AbortController();
    const ticks = make([await makeDirectory(t)])
      .changes(stop.signal)
      [Symbol.asyncIterator]();
    assert.equal((await ticks.next()).value, 'start');
    const rest = (async () => {
      while ((await ticks.next()).done !== true);
    })();
    stop.abort();
    await rest;
  });
});
