// In a network of its own: local-kms, which listens on every interface there is, and a Unix socket through which a test reaches it.
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';

const [program = '', socket = '', port = ''] = process.argv.slice(2);
spawn(program, { stdio: 'ignore', env: { ...process.env, PORT: port } });
// Of the one before, which was killed.
rmSync(socket, { force: true });
createServer((near) => {
  const far = connect(Number(port), '127.0.0.1');
  for (const [one, other] of [
    [near, far],
    [far, near],
  ] as const) {
    one.on('error', () => other.destroy()).on('close', () => other.destroy());
    one.pipe(other);
  }
}).listen(socket);
