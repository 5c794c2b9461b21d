// A sidecar keeps threads for what its configuration may wait for, and no more: each that signs beside them costs signatures.
import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { foreignThreadsOf, poolSizeOf } from '../../src/cli/sidecar-threads.ts';
import { parseConfig } from '../../src/config/load.ts';
import { parseMounts } from '../../src/sources/mounts.ts';
import { foreignThreads } from '../../src/system/lanes.ts';
import { poolSizeFor } from '../../src/system/pool-size.ts';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import { makeMemoryDirectory } from '../support/directories.ts';
import { call, configuration, credential, makeDirectory, makeMaterial, startSidecar } from '../support/sidecar.ts';

const mounts = parseMounts(
  [
    '20 1 8:1 / / rw - ext4 /dev/sda1 rw',
    '21 20 0:30 / /run/secrets rw - tmpfs tmpfs rw',
    '22 20 0:31 / /mnt/nfs rw - nfs4 host:/ rw',
  ].join('\n'),
);
const head = { listen: { socket: '/run/paycert/p.sock' }, admin: { address: '127.0.0.1:9100' } };
const entry = (source: object, more: object = {}) => ({
  ...{ name: 'wechat', provider: { wechatpay: { merchantId: '1900000001' } }, source },
  ...more,
});
const signing = '/v1/credentials/wechat-main/sign';
const vault = (tokenFile: string) => ({
  vault: { address: 'https://vault:8200', path: 'pay', auth: { token: { tokenFile } } },
});
const inMemory = { files: { path: '/run/secrets/wechat' } };
const textOf = (source: object, more: object = {}, ofCredential: object = {}) =>
  JSON.stringify({ ...head, ...more, credentials: [entry(source, ofCredential)] });
const heldBy = (text: string) => foreignThreadsOf(parseConfig(text), mounts);

describe('a sidecar', () => {
  for (const [what, source] of Object.entries({
    'a Secret in memory': inMemory,
    'several of them': { merge: [inMemory, { files: { path: ['/run/secrets/a', '/run/secrets/b'] } }] },
    'a variable': { env: { keys: { 'apiclient_key.pem': 'KEY' } } },
    'the API server': { secret: { name: 'wechat' } },
    'two sets in memory': {
      staged: { current: inMemory, next: { files: { path: '/run/secrets/next' } }, activate: { percent: 0 } },
    },
  }))
    it(`keeps one thread for its own files where keys come from ${what}`, () => {
      assert.equal(heldBy(textOf(source)), 1);
    });

  for (const [what, text] of Object.entries({
    'keys on a disk': textOf({ files: { path: '/etc/wechat' } }),
    'keys of another machine': textOf({ files: { path: '/mnt/nfs/wechat' } }),
    'a disk behind memory': textOf({ fallback: [inMemory, { files: { path: '/etc/wechat' } }] }),
    'a next set on a disk': textOf({
      staged: { current: inMemory, next: { files: { path: '/etc/next' } }, activate: { percent: 0 } },
    }),
    'wrapped keys on a disk': textOf(
      { unwrap: { source: { files: { path: '/etc/wechat' } }, with: { local: {} } } },
      { keyServices: { local: { keyFile: '/etc/key' } } },
    ),
    'a token of another machine': textOf(vault('/mnt/nfs/token')),
    'last good sets on a disk': textOf(inMemory, { lastGood: { directory: '/var/last-good' } }),
  }))
    it(`keeps a thread for each thing that may hang with ${what}`, () => {
      assert.equal(heldBy(text), foreignThreads);
    });

  for (const [what, text] of Object.entries({
    'a Vault': textOf(vault('/run/secrets/token')),
    'an audit at a collector': textOf(inMemory, { audit: { otlp: {} } }),
    'a proxy': textOf(inMemory, { proxy: { listen: { socket: '/run/paycert/proxy.sock' } } }),
    'a live check': textOf(inMemory, {}, { check: 'live' }),
  }))
    it(`keeps one thread more for names with ${what}`, () => {
      assert.equal(heldBy(text), 2);
    });

  it('keeps one thread more for the directory of an audit, and none for an audit on standard output', () => {
    const audits = [{ volume: { directory: '/var/audit' } }, { stdout: true }];
    assert.deepEqual(audits.map((audit) => heldBy(textOf(inMemory, { audit }))), [2, 1]); // prettier-ignore
  });

  it('reads for that what the start will read: a file of this machine, or a variable', async (t) => {
    const path = join(await makeDirectory(t), 'paycert.yaml');
    await writeFile(path, textOf(inMemory));
    const surroundings = { mounts, cores: 4, isLogFile: false };
    assert.equal(poolSizeOf({ path }, {}, surroundings), poolSizeFor(4, 1));
    assert.equal(poolSizeOf({ variable: 'CONFIG' }, { CONFIG: textOf(inMemory) }, surroundings), poolSizeFor(4, 1));
    assert.equal(poolSizeOf({ path }, {}, { ...surroundings, isLogFile: true }), poolSizeFor(4));
  });

  it('keeps as few for thousands of credentials as for one', async (t) => {
    const path = join(await makeDirectory(t), 'paycert.yaml');
    const credentials = Array.from({ length: 3000 }, (_, index) => ({ ...entry(inMemory), name: `wechat-${index}` }));
    await writeFile(path, JSON.stringify({ ...head, credentials }));
    assert.equal(poolSizeOf({ path }, {}, { mounts, cores: 4, isLogFile: false }), poolSizeFor(4, 1));
  });

  it('keeps a thread for each thing that may hang where its configuration is not known before', async (t) => {
    const directory = await makeDirectory(t);
    const at = (name: string) => join(directory, name);
    await writeFile(at('invalid.yaml'), '{ listen: 1 }');
    await writeFile(at('no.yaml'), 'credentials: [');
    await writeFile(at('large.yaml'), `${textOf(inMemory)}${' '.repeat(1024 * 1024)}`);
    const surroundings = { mounts, cores: 2, isLogFile: false };
    for (const path of [
      at('absent.yaml'),
      directory,
      at('invalid.yaml'),
      at('no.yaml'),
      at('large.yaml'),
      '/proc/self/maps',
    ])
      assert.equal(poolSizeOf({ path }, {}, surroundings), poolSizeFor(2), path);
    assert.equal(poolSizeOf({ variable: 'ABSENT' }, {}, surroundings), poolSizeFor(2));
  });

  it('asks no other machine before its pool has a size', async (t) => {
    const directory = await makeDirectory(t);
    const path = join(directory, 'paycert.yaml');
    await writeFile(path, textOf(inMemory));
    const remote = new Map([...mounts, [directory, { root: '/', kind: 'fuse.sshfs' }]]);
    assert.equal(poolSizeOf({ path }, {}, { mounts: remote, cores: 2, isLogFile: false }), poolSizeFor(2));
  });

  const skip = process.platform !== 'linux' && 'threads are counted in /proc';
  it('has as many threads as that says', { skip }, async (t) => {
    const { files } = await makeMaterial();
    const threadsWith = async (home: string): Promise<number> => {
      const directory = await makeDirectory(t);
      const path = join(home, 'keys');
      await createSecretVolume(path, files);
      const sidecar = await startSidecar(t, directory, configuration(directory, [credential({ path })]));
      // Of a signature, the last to need the pool.
      assert.equal((await call(sidecar.socket, signing, { body: { message: 'm' } })).status, 200);
      return (await readdir(`/proc/${String(sidecar.child.pid)}/task`)).length;
    };
    const [memory, disk] = [await threadsWith(await makeMemoryDirectory(t)), await threadsWith(await makeDirectory(t))];
    assert.equal(disk - memory, foreignThreads - 1);
  });
});
