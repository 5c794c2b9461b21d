// Run by a test, with a pool of its own: signs while calls of every kind wait in the pool for a pipe that nobody opens.
import { generateKeyPairSync, sign } from 'node:crypto';
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { auditLane, type Lane, mountLane, namesLane, outputLane, socketsLane } from '../../src/system/lanes.ts';
import { runForeign } from '../../src/system/threads.ts';

const [pipe = ''] = process.argv.slice(2);
const mounts = Array.from({ length: 30 }, (_, index) => mountLane([`/mnt/${String(index)}`]));
let opened = 0;
// Without O_NONBLOCK, opening waits for a writer, as a file of a mount that hangs waits for its server.
const hang = (lane: Lane) => runForeign(lane, () => open(pipe, 'r')).then(() => (opened += 1));
for (const lane of [...mounts, namesLane, outputLane, auditLane, socketsLane])
  for (let i = 0; i < 4; i += 1) void hang(lane);

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const signOnce = promisify(sign) as (digest: string, data: Uint8Array, key: typeof privateKey) => Promise<Buffer>;
let signed = 0;
for (; signed < 50; signed += 1) await signOnce('sha256', Buffer.from(String(signed)), privateKey);
process.stdout.write(JSON.stringify({ signed, opened }), () => process.kill(process.pid, 'SIGKILL'));
