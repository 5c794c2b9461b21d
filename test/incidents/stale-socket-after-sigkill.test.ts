// Incident: the kernel killed the sidecar (out of memory), its socket file stayed, and no restart could bind it again.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstat, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { listenOnSocket } from '../../src/server/socket.ts';
import { exchange } from '../support/http-client.ts';

const listeners = new URL('../../src/server/socket.ts', import.meta.url).href;

it('stale socket after SIGKILL: the next process replaces what the killed one left behind', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'paycert-'));
  t.after(() => rm(directory, { recursive: true }));
  const path = join(directory, 'api.sock');
  const script = `import { listenOnSocket } from ${JSON.stringify(listeners)};
    await listenOnSocket(${JSON.stringify(path)}, () => {}); console.log('up');`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.ok((await lstat(path)).isSocket());

  const listener = await listenOnSocket(path, (_, response) => void response.end('back'));
  t.after(() => listener.close());
  assert.equal((await exchange(path, { path: '/' })).text, 'back');
  assert.equal((await lstat(path)).mode & 0o777, 0o660);
});
