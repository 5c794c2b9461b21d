// Kills a sidecar with an audit again and again, for so many seconds, as its test does for eight times.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Verdict } from './soak.ts';

const file = fileURLToPath(new URL('../cli/sidecar-audit.test.ts', import.meta.url));

export async function soakKills(seconds: number): Promise<readonly Verdict[]> {
  const args = ['--test', '--test-name-pattern', 'whenever it is killed', file];
  const env = { ...process.env, PAYCERT_KILL_SECONDS: String(seconds) };
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = (await once(child, 'exit')) as [number | null];
  return [{ isMet: code === 0, what: `each end of an audit verifies that kill -9 left within ${seconds} s` }];
}
