// The Unix socket: private from the moment it exists, and never taken from whoever serves it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync } from 'node:fs';
import { lstat, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { connect, Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { Listener } from '../../src/server/bind.ts';
import { listenOnSocket } from '../../src/server/socket.ts';
import { exchange } from '../support/http-client.ts';

const directory = await mkdtemp(join(tmpdir(), 'paycert-'));
const open: Listener[] = [];
after(async () => {
  await Promise.all(open.map(({ close }) => close()));
  await rm(directory, { recursive: true });
});
const answerOk: RequestListener = (_, response) => void response.end('ok');
let count = 0;
const newPath = () => join(directory, `${String((count += 1))}.sock`);
async function listen(path: string): Promise<Listener> {
  const listener = await listenOnSocket(path, answerOk);
  open.push(listener);
  return listener;
}

/** Another process that serves the path; it may be stopped and killed. */
async function serveElsewhere(path: string, backlog = 511) {
  const script = `require('node:net').createServer().listen({ path: ${JSON.stringify(path)}, backlog: ${String(backlog)} }, () => console.log('up'))`;
  const child = spawn(process.execPath, ['--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}

describe('a socket', () => {
  for (const mask of [0o000, 0o022, 0o077, 0o777]) {
    it(`has mode 0660 as soon as bind has returned, under a mask of ${mask.toString(8)}, which stays`, async (t) => {
      const path = newPath();
      const before = process.umask(mask);
      t.after(() => process.umask(before));
      // bind(2) happens inside listen(): what it leaves there is what anybody could ever have seen.
      const modes: number[] = [];
      const bind = Reflect.get(Server.prototype, 'listen') as (...options: unknown[]) => Server;
      t.mock.method(Server.prototype, 'listen', function (this: Server, ...options: unknown[]): Server {
        Reflect.apply(bind, this, options);
        const [{ path: bound }] = options as [{ path: string }];
        // The lock is a name in the kernel, with no file.
        if (!bound.startsWith('\0')) modes.push(lstatSync(bound).mode & 0o777);
        return this;
      });
      await listen(path);
      assert.deepEqual([modes, (await lstat(path)).mode & 0o777], [[0o660], 0o660]);
      assert.equal(process.umask(mask), mask);
    });
  }

  it('is gone when its listener has closed', async () => {
    const path = newPath();
    const { close, address } = await listenOnSocket(path, answerOk);
    assert.equal(address, path);
    await close();
    await assert.rejects(lstat(path), { code: 'ENOENT' });
  });

  it('says what is wrong with its path', async () => {
    const file = newPath();
    await writeFile(file, 'content');
    await assert.rejects(listen(file), { message: /is there already, and is not a socket/ });
    await assert.rejects(listen(join(file, 'a.sock')), { message: /ENOTDIR/ });
    await assert.rejects(listen(join(directory, `${'a'.repeat(120)}.sock`)), { message: /longer than the 107 bytes/ });
  });

  it('in a directory that does not exist is an error', async () => {
    await assert.rejects(listen(join(directory, 'none', 'a.sock')), { code: 'listener-unusable', field: 'listen' });
  });
});

describe('a path that is taken', () => {
  const inUse = { name: 'PaycertError', code: 'listener-in-use', field: 'listen.socket' };
  const unusable = { ...inUse, code: 'listener-unusable' };

  it('by a socket that answers is an error, and its owner goes on serving', async () => {
    const path = newPath();
    await listen(path);
    await assert.rejects(listen(path), inUse);
    assert.equal((await exchange(path, { path: '/' })).text, 'ok');
  });

  it('by a file is an error, and the file is not touched', async () => {
    const path = newPath();
    await writeFile(path, 'content');
    await assert.rejects(listen(path), unusable);
    assert.equal(await readFile(path, 'utf8'), 'content');
  });

  it('by a directory or a link to a file is an error, and both stay', async () => {
    await assert.rejects(listen(directory), unusable);
    const [file, link] = [newPath(), newPath()];
    await writeFile(file, 'content');
    await symlink(file, link);
    await assert.rejects(listen(link), unusable);
    assert.ok((await lstat(link)).isSymbolicLink());
  });

  it('by a process that is too busy to accept is an error, and its socket stays', async () => {
    const path = newPath();
    const child = await serveElsewhere(path, 1);
    child.kill('SIGSTOP');
    const waiting: Socket[] = [];
    // Until its queue is full: the next connection fails with EAGAIN, which is no ECONNREFUSED.
    for (let isFull = false; !isFull;) {
      const socket = connect(path);
      waiting.push(socket);
      isFull = await new Promise((resolve) =>
        socket.once('connect', () => resolve(false)).once('error', () => resolve(true)),
      );
    }
    await assert.rejects(listen(path), inUse);
    assert.ok((await lstat(path)).isSocket());
    for (const socket of waiting) socket.destroy();
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
});
