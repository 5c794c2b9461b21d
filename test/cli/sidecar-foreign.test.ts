// The payment path waits for nothing foreign: not for a full disk, a reader that is gone or slow, a silent name server, or a pipe in place of a file.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdir, open, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import { makeMemoryDirectory } from '../support/directories.ts';
import { freePort } from '../support/free-port.ts';
import { mainFile, RunningPaycert } from '../support/paycert.ts';
import { filesOf, issue, makeAuthority, pairFiles } from '../support/mtls.ts';
import {
  call,
  configuration,
  credential,
  makeDirectory,
  makeMaterial,
  replaceFile,
  Sidecar,
  startSidecar,
  token,
} from '../support/sidecar.ts';

const limit = { timeout: 300_000 };
const sign = (address: string) => call(address, '/v1/credentials/wechat-main/sign', { body: { message: 'bQ==' } });

async function writeMaterial(t: TestContext): Promise<{ directory: string; path: string }> {
  const directory = await makeDirectory(t);
  const path = join(directory, 'keys');
  const { files } = await makeMaterial();
  await mkdir(path);
  for (const [name, bytes] of files) {
    await mkdir(join(path, name, '..'), { recursive: true });
    await writeFile(join(path, name), bytes);
  }
  return { directory, path };
}

async function openFull(t: TestContext): Promise<number> {
  const full = await open('/dev/full', 'w');
  t.after(() => full.close());
  return full.fd;
}

/** Its log says nothing here: it is asked until it answers as wanted. */
async function eventually(ask: () => Promise<{ status: number; content: string }>): Promise<string> {
  for (;;) {
    const answer = await ask().catch(() => undefined);
    if (answer?.status === 200) return answer.content;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const droppedLines = async (admin: string): Promise<number> =>
  Number(/^paycert_log_lines_dropped_total (\d+)/m.exec((await call(admin, '/metrics')).content)?.[1]);

/** Until more lines are dropped than before, while every signature is made. */
async function signUntilDropped(socket: string, admin: string): Promise<void> {
  const before = await droppedLines(admin);
  const batch = { items: Array.from({ length: 250 }, () => ({ message: 'bQ==' })) };
  while ((await droppedLines(admin)) === before)
    assert.equal((await call(socket, '/v1/credentials/wechat-main/sign/batch', { body: batch })).status, 200);
}

/** A sidecar with a log that the test does not read. */
async function startUnheard(t: TestContext, stdout: number | 'pipe') {
  const { directory, path } = await writeMaterial(t);
  const admin = `127.0.0.1:${await freePort()}`;
  const config = configuration(directory, [credential({ path })], 'log: { level: debug }\n').replace(
    'admin: { address: "127.0.0.1:0" }',
    `admin: { address: "${admin}" }`,
  );
  const configPath = join(directory, 'paycert.yaml');
  await Promise.all([writeFile(configPath, config), writeFile(join(directory, 'token'), `${token}\n`)]);
  const args = [mainFile, 'sidecar', '--config', configPath];
  const child = spawn(process.execPath, args, { stdio: ['ignore', stdout, 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const socket = join(directory, 'api.sock');
  await eventually(() => sign(socket));
  return { child, socket, admin };
}

describe('standard output', () => {
  const unheard: Readonly<Record<string, (t: TestContext) => Promise<number | 'pipe'>>> = {
    'on a full disk': openFull,
    'whose reader does not read': () => Promise.resolve('pipe'),
  };
  for (const [what, openStdout] of Object.entries(unheard))
    it(`${what} costs lines, which are counted, and neither serving nor stopping`, limit, async (t) => {
      const { child, socket, admin } = await startUnheard(t, await openStdout(t));
      await signUntilDropped(socket, admin);
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      assert.deepEqual(await ended, [0, null]);
    });

  it('whose reader is gone costs lines only', limit, async (t) => {
    const { directory, path } = await writeMaterial(t);
    const config = configuration(directory, [credential({ path })], 'log: { level: debug }\n');
    const sidecar = await startSidecar(t, directory, config);
    sidecar.child.stdout.destroy();
    await signUntilDropped(sidecar.socket, sidecar.admin);
    sidecar.terminate();
    assert.equal(await sidecar.ended, 0);
  });
});

describe('a file that is followed', () => {
  const odd: Readonly<Record<string, (path: string) => unknown>> = {
    'a pipe without a writer': (path) => execFileSync('mkfifo', [path]),
    'a link into /proc that has no end': (path) => symlink('/proc/self/pagemap', path),
    'a device without an end': (path) => symlink('/dev/zero', path),
  };
  for (const [what, spoil] of Object.entries(odd))
    it(`and becomes ${what} is refused; signing and stopping go on`, limit, async (t) => {
      const { directory, path } = await writeMaterial(t);
      const config = configuration(directory, [credential({ path })]);
      const sidecar = await startSidecar(t, directory, config, { env: { UV_THREADPOOL_SIZE: '2' } });
      const tokenPath = join(directory, 'token');
      await spoil(`${tokenPath}.new`);
      await rename(`${tokenPath}.new`, tokenPath);
      // Until it is looked at again, by the token's own source or with the configuration.
      const rejected = sidecar.event('config-rejected', { code: 'token-unusable' });
      await replaceFile(join(directory, 'paycert.yaml'), `${config}# changed\nlog: { level: info }\n`);
      await rejected;
      const key = join(path, 'apiclient_key.pem');
      await spoil(`${key}.new`);
      await rename(`${key}.new`, key);
      assert.equal((await sign(sidecar.socket)).status, 200);
      await rm(join(directory, 'paycert.yaml'));
      await spoil(join(directory, 'paycert.yaml'));
      assert.equal((await sign(sidecar.socket)).status, 200);
      sidecar.terminate();
      assert.equal(await sidecar.ended, 0);
    });

  it('does not hold up a start: a configuration that is a pipe is refused at once', limit, async (t) => {
    const path = join(await makeDirectory(t), 'paycert.yaml');
    execFileSync('mkfifo', [path]);
    const sidecar = new RunningPaycert(t, ['sidecar', '--config', path]);
    assert.equal(await sidecar.ended, 78);
    assert.match(sidecar.stderr, /is not a regular file \(config-unreadable\)/);
  });
});

const canMount = (() => {
  try {
    execFileSync('unshare', ['-m', 'true'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'this user may not have a mount namespace of his own (unshare -m)';
  }
})();

describe('a name server that is silent', { skip: canMount }, () => {
  it('holds up neither a signature on one CPU nor the end, however many lists wait for it', limit, async (t) => {
    const server = createSocket('udp4');
    t.after(() => server.close());
    const asked = once(server, 'message');
    server.bind(53, '127.53.53.53');
    await once(server, 'listening');
    const { directory, path } = await writeMaterial(t);
    const authority = await makeAuthority();
    const pair = join(directory, 'pair');
    await mkdir(pair);
    for (const [name, bytes] of filesOf({ ...pairFiles(await issue(authority, 'c')), 'ca.crt': authority.certificate }))
      await writeFile(join(pair, name), bytes);
    const urls = Array.from({ length: 8 }, (_, index) => `"http://crl${index}.example.com/a.crl"`).join();
    const bank = `  - name: bank
    provider: { mtls: { revocation: { urls: [${urls}] } } }
    source: { files: { path: ${JSON.stringify(pair)} } }
`;
    const config = join(directory, 'paycert.yaml');
    await writeFile(config, configuration(directory, [bank, credential({ path })]));
    await writeFile(join(directory, 'token'), token);
    await writeFile(join(directory, 'resolv.conf'), 'nameserver 127.53.53.53\noptions timeout:30 attempts:2\n');
    // Its own resolv.conf, and one CPU, which is one thread for signatures.
    const script = `mount --bind ${join(directory, 'resolv.conf')} /etc/resolv.conf && exec taskset -c 0 ${process.execPath} ${mainFile} sidecar --config ${config}`;
    const sidecar = new Sidecar(t, ['-c', script], {}, ['unshare', '-m', 'sh']);
    await sidecar.ready(['wechat-main']);
    await asked;
    for (let i = 0; i < 20; i++) assert.equal((await sign(sidecar.socket)).status, 200);
    // Every signature was made while the names were waited for.
    assert.ok(!sidecar.lines.some(({ event, credential }) => event === 'swapped' && credential === 'bank'));
    sidecar.terminate();
    assert.equal(await sidecar.ended, 0);
  });
});

describe('a server of revocation lists', () => {
  const ways: Readonly<Record<string, (socket: Socket) => void>> = {
    'accepts and says nothing': () => undefined,
    'never comes to an end': (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n0');
      const trickle = setInterval(() => socket.write('0'), 50);
      socket.on('close', () => clearInterval(trickle));
    },
  };
  for (const [way, respond] of Object.entries(ways))
    it(`that ${way} holds up neither a signature nor the end`, limit, async (t) => {
      const server = createServer((socket) => respond(socket.on('error', () => undefined).resume()));
      server.listen(0, '127.0.0.1');
      const asked = once(server, 'connection') as Promise<[Socket]>;
      await once(server, 'listening');
      t.after(() => server.close());
      const { directory, path } = await writeMaterial(t);
      const pair = join(directory, 'pair');
      await mkdir(pair);
      const authority = await makeAuthority();
      const files = filesOf({ ...pairFiles(await issue(authority, 'c')), 'ca.crt': authority.certificate });
      for (const [name, bytes] of files) await writeFile(join(pair, name), bytes);
      const { port } = server.address() as AddressInfo;
      const bank = `  - name: bank
    provider: { mtls: { revocation: { urls: ["http://127.0.0.1:${port}/a.crl"] } } }
    source: { files: { path: ${JSON.stringify(pair)} } }
`;
      const config = configuration(directory, [bank, credential({ path })]);
      const sidecar = await startSidecar(t, directory, config, { env: { UV_THREADPOOL_SIZE: '2' } });
      const [connection] = await asked;
      for (let i = 0; i < 20; i++) assert.equal((await sign(sidecar.socket)).status, 200);
      // Reset, where something of it was still on its way: `once` would call that an error.
      const over = new Promise((resolve) => connection.once('close', resolve));
      sidecar.terminate();
      assert.equal(await sidecar.ended, 0);
      await over;
    });
});

const canHang = (() => {
  if (canMount !== false) return canMount;
  const script = 'mount -i -t fuse -o fd=3,rootmode=040000,user_id=0,group_id=0 hung /mnt 3<>/dev/fuse';
  try {
    execFileSync('unshare', ['-m', 'sh', '-c', script], { stdio: 'ignore' });
    return false;
  } catch {
    return 'this user may not mount a file system of his own (fuse)';
  }
})();

/** A sidecar of one CPU with a Secret in memory, beside so many mounts of which each hangs, and credentials that read from them. */
async function startBesideHung(t: TestContext, mounts: number) {
  const directory = await makeDirectory(t);
  const { files } = await makeMaterial();
  const path = join(await makeMemoryDirectory(t), 'keys');
  const volume = await createSecretVolume(path, files);
  const disk = await createSecretVolume(join(directory, 'disk'), files);
  const hung = Array.from({ length: mounts }, (_, index) => join(directory, `hung-${String(index)}`));
  for (const mount of hung) await mkdir(mount);
  const others = hung.map((mount, index) => credential({ name: `hung-${String(index)}`, path: mount }));
  const config = join(directory, 'paycert.yaml');
  const onDisk = credential({ name: 'disk', path: join(directory, 'disk') });
  await writeFile(config, configuration(directory, [...others, credential({ path }), onDisk]));
  await writeFile(join(directory, 'token'), token);
  // Each has a server of its own: nobody reads from this descriptor.
  const script = hung.map((mount, index) => {
    const fd = String(3 + index);
    return `exec ${fd}<>/dev/fuse && mount -i -t fuse -o fd=${fd},rootmode=040000,user_id=0,group_id=0 hung ${mount} &&`;
  });
  const start = `exec taskset -c 0 ${process.execPath} ${mainFile} sidecar --config ${config}`;
  const sidecar = new Sidecar(t, ['-c', `${script.join(' ')} ${start}`], {}, ['unshare', '-m', 'sh']);
  await sidecar.ready(['wechat-main', 'disk']);
  return { sidecar, volume, disk };
}

/** A file system whose server takes requests and never responds: what is asked of it waits for ever. */
describe('mounts that hang', { skip: canHang }, () => {
  it(
    'hold up no signature on one CPU, no start or rotation in memory or on a disk, no socket and not the end, however many there are',
    limit,
    async (t) => {
      const { sidecar, volume, disk } = await startBesideHung(t, 7);
      for (let i = 0; i < 20; i++) assert.equal((await sign(sidecar.socket)).status, 200);
      for (const [name, written] of Object.entries({ 'wechat-main': volume, disk })) {
        const swapped = sidecar.event('swapped', { credential: name, generation: 2 });
        await written.write((await makeMaterial()).files);
        await swapped;
      }
      const restored = sidecar.event('socket-restored', {});
      await rm(sidecar.socket);
      await restored;
      assert.equal((await sign(sidecar.socket)).status, 200);
      sidecar.terminate();
      assert.equal(await sidecar.ended, 0);
    },
  );
});

/** One of them, and several readers. */
describe('a mount that hangs', { skip: canHang }, () => {
  it('holds up neither a signature on one CPU nor the end, however many read from it', limit, async (t) => {
    const { directory, path } = await writeMaterial(t);
    const hung = join(directory, 'hung');
    await mkdir(hung);
    const others = ['one', 'two', 'three'].map((name) => credential({ name, path: join(hung, name) }));
    const config = join(directory, 'paycert.yaml');
    await writeFile(config, configuration(directory, [...others, credential({ path })]));
    await writeFile(join(directory, 'token'), token);
    const mount = `mount -i -t fuse -o fd=3,rootmode=040000,user_id=0,group_id=0 hung ${hung}`;
    const script = `${mount} && exec taskset -c 0 ${process.execPath} ${mainFile} sidecar --config ${config}`;
    const sidecar = new Sidecar(t, ['-c', `exec 3<>/dev/fuse; ${script}`], {}, ['unshare', '-m', 'sh']);
    await sidecar.ready(['wechat-main']);
    for (let i = 0; i < 20; i++) assert.equal((await sign(sidecar.socket)).status, 200);
    sidecar.terminate();
    assert.equal(await sidecar.ended, 0);
  });
});
