// paycert: subcommands, help, exit codes. Beside `bin.js`, the only place that sets process.exitCode.
import { availableParallelism } from 'node:os';
import { readFileSync } from 'node:fs';
import { PaycertError } from '../errors.ts';
import { didYouMean } from '../spelling.ts';
import { type Command, parseWords, usageError } from './command.ts';
import { commands } from './commands.ts';
import { completionScript, shells } from './completion.ts';
import { exitCodes } from './exit-codes.ts';
import { helpOf, overview } from './help.ts';
import { poolSizeFor } from '../system/pool-size.ts';
import { isForeignHung } from '../system/threads.ts';
import { printError } from './table.ts';

/** The reader of our output has gone (`| head`): nobody is left to write to. */
const readerGone = 0;

const packageFile = new URL('../../package.json', import.meta.url);

function readVersion(): string {
  return (JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string }).version;
}

const completion: Command = {
  summary: 'Print a completion script for a shell',
  usage: shells.join('|'),
  options: {},
  positionals: { min: 1, max: 1 },
  words: shells,
  run: async ({ positionals: [shell = ''] }) => {
    process.stdout.write(completionScript(shell, all));
    return 0;
  },
};

/** Of the command that was started. */
const started = { outputIsLog: false };

const all: Readonly<Record<string, Command>> = { ...commands, completion };

async function main([name = '--help', ...rest]: readonly string[]): Promise<number> {
  if (name === 'help' && rest[0] !== undefined) return main([rest[0], '--help']);
  if (name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(overview(all));
    return 0;
  }
  if (name === '--version' || name === '-V') {
    process.stdout.write(`${readVersion()}\n`);
    return 0;
  }
  const command = Object.hasOwn(all, name) ? all[name] : undefined;
  if (command === undefined) {
    throw usageError(`there is no command ${JSON.stringify(name)}${didYouMean(name, Object.keys(all))}`);
  }
  const { values, positionals } = parseWords(command, rest);
  if (values['help'] === true) {
    process.stdout.write(helpOf(name, command));
    return 0;
  }
  started.outputIsLog = command.outputIsLog === true;
  // libuv reads it when the pool is first used: RSA runs there, and what waits for a disk or a name server must not stop it.
  if (command.sizesPool !== true) process.env['UV_THREADPOOL_SIZE'] ??= String(poolSizeFor(availableParallelism()));
  const signal = command.isLongLived === true ? stopSignal() : new AbortController().signal;
  return command.run({ values, positionals, signal, version: readVersion() });
}

/** Aborted by the first signal that asks a process to end; the second of a kind ends it as it always does. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2', 'SIGALRM'] as const)
    process.once(name, () => stop.abort());
  return stop.signal;
}

/** A bug prints where it was thrown, and no message: a foreign one may quote what it choked on. */
function explain(error: unknown): number {
  if (error instanceof PaycertError) {
    for (const { message, code, hint } of [error, ...error.others]) printError(message, code, hint);
    return exitCodes[error.kind];
  }
  const { code, hint } = new PaycertError('internal-error', '');
  const frames =
    error instanceof Error ? (error.stack ?? '').split('\n').filter((line) => line.startsWith('    at ')) : [];
  printError('something unforeseen happened', code, hint);
  process.stderr.write(`${frames.join('\n')}\n`);
  return exitCodes.internal;
}

// What cannot be written there cannot be written anywhere.
process.stderr.on('error', () => undefined);
process.on('uncaughtException', (error) => process.exit(explain(error)));
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (!started.outputIsLog) process.exit(error.code === 'EPIPE' ? readerGone : exitCodes.internal);
});

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = explain(error);
}
// A read of a disk that answers is over before that; what is written at exit is written then.
const patienceMilliseconds = 500;
// Lines that a slow reader has not taken, and names that are still looked for, would keep the process.
if (started.outputIsLog) await endNow();

/**
 * Exiting joins the threads of the pool, and one that waits for a mount that hangs, or for a name, never comes. Becoming another
 * program takes them away, and still ends with our code.
 */
async function endNow(): Promise<never> {
  const code = Number(process.exitCode ?? 0);
  if (await isForeignHung(patienceMilliseconds))
    process.execve?.(process.execPath, [process.execPath, '--eval', `process.exitCode = ${code}`]);
  process.exit();
}
