// Runs a program of the documents as docs/clients.md tells people to: with the client of its language beside it, by the command there.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { text } from 'node:stream/consumers';
import { quoted, root, sections, tableRows } from '../agreement/documents.ts';

export interface Language {
  /** What stands after the three backticks. */
  readonly info: string;
  /** Why nothing of it runs here. */
  readonly skip: string | false;
  /** What the document calls the program. */
  readonly file: string;
  readonly command: string;
}

const infos = new Map([
  ['shell', 'sh'],
  ['Go', 'go'],
  ['Java', 'java'],
  ['Python', 'python'],
  ['Node', 'js'],
]);

const isMissing = (tool: string): boolean => {
  const { error } = spawnSync(tool, [tool === 'go' ? 'version' : '--version']);
  return error !== undefined;
};

/** The table of docs/clients.md: a language, its client, the tools that it needs, the command. */
export const languages: readonly Language[] = tableRows(sections('docs/clients.md')[0]?.body ?? '').flatMap(
  ([name = '', , needs = '', runs = '']) => {
    const [info, command] = [infos.get(name), quoted(runs)[0]];
    if (info === undefined || command === undefined) return [];
    const missing = quoted(needs).filter(isMissing);
    const file = info === 'java' ? 'Pay.java' : (/pay\.\w+/.exec(command)?.[0] ?? '');
    return [{ info, command, file, skip: missing.length > 0 && `no ${missing.join(', no ')} here` }];
  },
);

const clients = fileURLToPath(new URL('examples/clients/', root));

/** Node of the test first: the machine's own may be another one. */
const path = [dirname(process.execPath), process.env['PATH']].join(delimiter);

export async function startProgram(
  directory: string,
  { file, command }: Pick<Language, 'file' | 'command'>,
  code: string,
  env: Readonly<Record<string, string>>,
): Promise<ChildProcess> {
  const folder = await mkdtemp(join(directory, 'program-'));
  await cp(clients, folder, { recursive: true });
  await writeFile(join(folder, file), code);
  return startCommand(folder, command, env);
}

/** A command of the documents, in a folder that holds what it names. */
export const startCommand = (folder: string, command: string, env: Readonly<Record<string, string>>): ChildProcess =>
  spawn('bash', ['-c', command], {
    cwd: folder,
    env: { PATH: path, HOME: process.env['HOME'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: what a shell or `go run` starts ends with it.
    detached: true,
  });

export const endProgram = ({ pid }: ChildProcess): void => {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
};

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export const runProgram = async (...args: Parameters<typeof startProgram>): Promise<Outcome> =>
  outcomeOf(await startProgram(...args));

export const runCommand = (...args: Parameters<typeof startCommand>): Promise<Outcome> =>
  outcomeOf(startCommand(...args));

async function outcomeOf(child: ChildProcess): Promise<Outcome> {
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout!),
    text(child.stderr!),
    once(child, 'close') as Promise<[number]>,
  ]);
  return { code, stdout, stderr };
}
