// The sidecar runs under any user, as OpenShift chooses them: an id without a name, in group 0, with only what that group may do.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { on } from 'node:events';
import { it } from 'node:test';
import { makeMaterial } from '../support/sidecar.ts';
import { makeDirectory } from '../support/directories.ts';

const isRoot = process.geteuid?.() === 0;
const skip = !isRoot
  ? 'not root: nothing can run as another user'
  : spawnSync('curl', ['--version']).status !== 0 && 'no curl here';

const main = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');
const [inRange, another, stranger] = [1_000_680_000, 1_000_690_000, 65_534];

it(
  'under a user id of OpenShift, group 0 reaches the socket, and nobody else',
  { skip, timeout: 900_000 },
  async (t) => {
    const directory = await makeDirectory(t);
    const [run, material] = [join(directory, 'run'), join(directory, 'wechat-main')];
    // As kubelet makes them: the group may, everybody else may not.
    await chmod(directory, 0o755);
    for (const path of [run, material]) {
      await mkdir(path);
      await chown(path, 0, 0);
    }
    await chmod(run, 0o2770);
    await chmod(material, 0o2750);
    for (const [name, bytes] of (await makeMaterial()).files)
      await writeFile(join(material, name), bytes, { mode: 0o440 });
    const socket = join(run, 'paycert.sock');
    const config = join(directory, 'paycert.yaml');
    await writeFile(
      config,
      `listen: { socket: ${socket} }
admin: { address: "127.0.0.1:0" }
credentials:
  - name: wechat-main
    required: true
    provider: { wechatpay: { merchantId: "1900000001" } }
    source: { files: { path: ${material} } }
`,
    );
    const env = { PATH: process.env['PATH'], HOME: '/' };
    const child = spawn(process.execPath, [main, 'sidecar', '--config', config], {
      ...{ uid: inRange, gid: 0, env, cwd: '/' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(() => child.kill());
    for await (const [line] of on(createInterface(child.stdout), 'line', { signal: t.signal }) as AsyncIterable<
      [string]
    >)
      if (line.includes('"swapped"')) break;

    const ask = (uid: number, gid: number) => {
      const words = ['-sS', '--unix-socket', socket, 'http://paycert/v1/credentials/wechat-main'];
      const { stdout, status } = spawnSync('curl', words, { uid, gid, env, cwd: '/', encoding: 'utf8' });
      return { status, ready: stdout.includes('"ready":true') };
    };
    assert.deepEqual(ask(inRange, 0), { status: 0, ready: true });
    assert.deepEqual(ask(another, 0), { status: 0, ready: true });
    assert.equal(ask(stranger, stranger).status, 7);
  },
);
