#!/usr/bin/env node
// paycert: subcommands, help, exit codes. The only place that sets process.exitCode.
import { availableParallelism } from 'node:os';
import { readFileSync } from 'node:fs';
import { type ErrorKind, PaycertError } from '../errors.ts';
import { type Command, parseWords, usageError } from './command.ts';
import { commands } from './commands.ts';
import { completionScript, shells } from './completion.ts';
import { helpOf, overview } from './help.ts';
import { paint } from './table.ts';

// libuv reads it when the pool is first used: RSA runs there, and more threads than cores only take turns.
process.env['UV_THREADPOOL_SIZE'] ??= String(availableParallelism());

/** sysexits(3), as far as it has a word for it. */
const exitCodes: Record<ErrorKind, number> = {
  config: 78,
  source: 75,
  material: 65,
  request: 64,
  refused: 1,
  'not-ready': 75,
  internal: 70,
};

const packageFile = new URL('../../package.json', import.meta.url);

function readVersion(): string {
  return (JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string }).version;
}

const completion: Command = {
  summary: 'Print a completion script for a shell',
  usage: shells.join('|'),
  options: {},
  positionals: { min: 1, max: 1 },
  run: async ({ positionals: [shell = ''] }) => {
    process.stdout.write(completionScript(shell, all));
    return 0;
  },
};

const all: Readonly<Record<string, Command>> = { ...commands, completion };

async function main(words: readonly string[], signal: AbortSignal): Promise<number> {
  const [name = '--help', ...rest] = words;
  if (name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(overview(all));
    return 0;
  }
  if (name === '--version') {
    process.stdout.write(`${readVersion()}\n`);
    return 0;
  }
  const command = Object.hasOwn(all, name) ? all[name] : undefined;
  if (command === undefined) throw usageError(`there is no command ${JSON.stringify(name)}`);
  const { values, positionals } = parseWords(command, rest);
  if (values['help'] === true) {
    process.stdout.write(helpOf(name, command));
    return 0;
  }
  return command.run({ values, positionals, signal, version: readVersion() });
}

/** error: what happened; hint: what to do. A bug prints where it was thrown. */
function explain(error: unknown): number {
  if (error instanceof PaycertError) {
    process.stderr.write(
      `${paint('red', 'error:')} ${error.message} (${error.code})\n${paint('yellow', 'hint:')} ${error.hint}\n`,
    );
    return exitCodes[error.kind];
  }
  const frames =
    error instanceof Error ? (error.stack ?? '').split('\n').filter((line) => line.startsWith('    at ')) : [];
  process.stderr.write(`${paint('red', 'error:')} internal error, please report it\n${frames.join('\n')}\n`);
  return exitCodes.internal;
}

const stop = new AbortController();
for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop.abort());

try {
  process.exitCode = await main(process.argv.slice(2), stop.signal);
} catch (error) {
  process.exitCode = explain(error);
}
