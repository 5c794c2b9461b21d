// Commands on a pseudo-terminal, by script(1) of util-linux where it is there.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { mainFile } from './paycert.ts';

export const hasScript = spawnSync('script', ['--version']).status === 0;

/** What the terminal shows, as the bytes it was sent. */
export async function onTerminal(args: readonly string[]): Promise<{ code: number | null; shown: string }> {
  const quoted = [process.execPath, mainFile, ...args].map((word) => `'${word}'`).join(' ');
  // Only what a person's terminal has: CI and NO_COLOR of whoever runs the tests switch colours off.
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], TERM: 'xterm-256color' };
  const child = spawn('script', ['-qec', `stty rows 24 cols 80; ${quoted}`, '/dev/null'], { env });
  const [shown, [code]] = await Promise.all([text(child.stdout), once(child, 'close') as Promise<[number | null]>]);
  return { code, shown };
}
