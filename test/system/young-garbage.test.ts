// What a large download leaves behind while it passes: some megabytes, and not all of it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { describe, it } from 'node:test';
import { imageEnvironment, imageOptions } from '../support/image-settings.ts';

/** Reads so many megabytes in pieces of 64 KB as a connection does, whose buffers V8 does not see, and prints the most that was left. */
const program = (megabytes: number) => `
  import { createServer, connect } from 'node:net';
  import { passedOnBytes } from ${JSON.stringify(join(import.meta.dirname, '../../src/system/young-garbage.ts'))};
  const piece = Buffer.alloc(64 * 1024);
  const server = createServer(async (socket) => {
    for (let left = ${megabytes} * 16; left > 0; left -= 1)
      if (!socket.write(piece)) await new Promise((resolve) => socket.once('drain', resolve));
    socket.end();
    server.close();
  }).listen(0, '127.0.0.1', async () => {
    let most = 0;
    for await (const { byteLength } of connect(server.address().port, '127.0.0.1')) {
      passedOnBytes(byteLength);
      most = Math.max(most, process.memoryUsage().arrayBuffers);
    }
    console.log(most / 1024 / 1024);
  });
`;

describe('bytes that pass through', () => {
  it('leave no more than some megabytes behind, however many they are', () => {
    const run = [...imageOptions, '--input-type=module', '-e', program(128)];
    const env = { ...process.env, ...imageEnvironment };
    const printed = execFileSync(process.execPath, run, {
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const most = Number(printed);
    assert.ok(most < 20, `${String(most)} MB were left`);
  });
});
