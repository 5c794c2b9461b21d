// The life of a socket's file: one process serves it, nobody removes another's, and what is lost comes back.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, lstat, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { Agent, type RequestListener } from 'node:http';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, describe, it } from 'node:test';
import { Recorder } from '../support/recorder.ts';
import { listenOnSocket } from '../../src/server/socket.ts';
import { exchange } from '../support/http-client.ts';

const directory = await mkdtemp(join(tmpdir(), 'paycert-'));
after(() => rm(directory, { recursive: true }));
const answerOk: RequestListener = (_, response) => void response.end('ok');
let count = 0;
async function newPath(): Promise<string> {
  const path = join(directory, String((count += 1)));
  await mkdir(path);
  return join(path, 'api.sock');
}

async function listen(path: string) {
  const recorder = new Recorder();
  return { recorder, ...(await listenOnSocket(path, answerOk, { observe: recorder.observe })) };
}

const socketModule = new URL('../../src/server/socket.ts', import.meta.url).href;

/** A process that serves the path, or says with its exit code why it does not. */
function startProcess(path: string) {
  const script = `import { listenOnSocket } from ${JSON.stringify(socketModule)};
    process.stdin.once('data', async () => {
      await listenOnSocket(${JSON.stringify(path)}, (_, response) => response.end(String(process.pid)))
        .then(() => console.log('up'), ({ code }) => { console.log(code); process.exit(78); });
    });
    console.log('waiting');`;
  return spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['pipe', 'pipe', 'inherit'] });
}

const isRoot = process.getuid?.() === 0;

describe(
  'a socket of another group',
  { timeout: 300_000, skip: !isRoot && 'only root may give files to any group' },
  () => {
    it('is that group’s, with mode 0660, whenever it is found, and also when it is put back', async (t) => {
      const path = await newPath();
      const recorder = new Recorder();
      const { close } = await listenOnSocket(path, answerOk, { group: 4242, observe: recorder.observe });
      t.after(close);
      const look = async () => {
        const { gid, mode } = await lstat(path);
        return [gid, mode & 0o777];
      };
      assert.deepEqual(await look(), [4242, 0o660]);
      const restored = recorder.next('socket-restored');
      await rm(path);
      await restored;
      assert.deepEqual(await look(), [4242, 0o660]);
    });

    it('is refused where this process may not give it to the group, and leaves no file', async () => {
      const path = await newPath();
      const parent = join(path, '..');
      await Promise.all([chown(directory, 65_534, -1), chown(parent, 65_534, 65_534)]);
      const script = `import { listenOnSocket } from ${JSON.stringify(socketModule)};
      await listenOnSocket(${JSON.stringify(path)}, () => undefined, { group: 4242 })
        .then(() => console.log('up'), ({ code, message }) => console.log(code, message));
      process.exit();`;
      const args = ['--input-type=module', '--eval', script];
      const child = spawn(process.execPath, args, { uid: 65_534, gid: 65_534, stdio: ['ignore', 'pipe', 'inherit'] });
      assert.match(await text(child.stdout), /^listener-unusable .* cannot be given to group 4242 \(EPERM\)/);
      const left = await readdir(parent);
      assert.deepEqual(
        left.filter((name) => !name.endsWith('.lock')),
        [],
      );
    });
  },
);

describe('a socket that is removed', { timeout: 900_000 }, () => {
  it('is put back, private as before; connections that are open stay so', async () => {
    const path = await newPath();
    const { recorder, impediment, close } = await listen(path);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    assert.equal((await exchange(path, { path: '/', agent })).text, 'ok');
    for (let times = 0; times < 3; times += 1) {
      const restored = recorder.next('socket-restored');
      await rm(path);
      await restored;
      assert.equal((await lstat(path)).mode & 0o777, 0o660);
      assert.equal((await exchange(path, { path: '/' })).text, 'ok');
      assert.equal((await exchange(path, { path: '/', agent })).text, 'ok');
    }
    assert.deepEqual([impediment(), recorder.of('socket-lost').length], [undefined, 3]);
    agent.destroy();
    await close();
    assert.deepEqual(await readdir(join(path, '..')), []);
  });

  it('is not put back over a file that somebody has put there, and says so until it is gone', async () => {
    const path = await newPath();
    const { recorder, impediment, close } = await listen(path);
    const refused = recorder.next('socket-lost', ({ error }) => error !== undefined);
    await writeFile(`${path}.new`, 'content');
    await rename(`${path}.new`, path);
    await refused;
    assert.match(String(impediment()), /is there already, and is not a socket/);
    assert.equal(await readFile(path, 'utf8'), 'content');
    const restored = recorder.next('socket-restored');
    await rm(path);
    await restored;
    assert.equal(impediment(), undefined);
    await close();
  });
});

describe('a process that ends', { timeout: 900_000 }, () => {
  it('leaves the file of its successor alone', async () => {
    const path = await newPath();
    const { recorder, close } = await listen(path);
    const lost = recorder.next('socket-lost', ({ error }) => error !== undefined);
    // As from another network namespace, where the name of the lock is free: there the file itself is all there is.
    const successor = createServer((socket) => socket.on('error', () => undefined).end('successor'));
    await once(successor.listen({ path: `${path}.new` }), 'listening');
    await rename(`${path}.new`, path);
    assert.equal((await lost).error?.code, 'listener-in-use');
    await close();
    assert.equal(await text(connect(path)), 'successor');
    successor.close();
  });
});

describe('several starts over one stale socket', { timeout: 900_000 }, () => {
  it('serve once: the others end with the code that says why', async () => {
    const path = await newPath();
    const dead = startProcess(path);
    const serving = once(dead.stdout, 'data').then(() => {
      dead.stdin.write('go');
      return once(dead.stdout, 'data');
    });
    assert.equal(String(await serving), 'up\n');
    dead.kill('SIGKILL');
    await once(dead, 'exit');
    assert.ok((await lstat(path)).isSocket());

    const children = Array.from({ length: 4 }, () => startProcess(path));
    await Promise.all(children.map(({ stdout }) => once(stdout, 'data')));
    const words = children.map(({ stdout }) => once(stdout, 'data').then(String));
    // All of them wait for this byte.
    for (const { stdin } of children) stdin.write('g');
    const said = await Promise.all(words);
    assert.deepEqual(said.sort(), ['listener-in-use\n', 'listener-in-use\n', 'listener-in-use\n', 'up\n']);
    const { text: pid } = await exchange(path, { path: '/' });
    const winner = children.find((child) => String(child.pid) === pid);
    assert.ok(winner);
    winner.kill('SIGKILL');
    await once(winner, 'exit');
  });

  it('in directories of equal names do not exclude each other', async () => {
    const [a, b] = [await listen(await newPath()), await listen(await newPath())];
    assert.equal((await exchange(b.address, { path: '/' })).text, 'ok');
    await Promise.all([a.close(), b.close()]);
  });
});
