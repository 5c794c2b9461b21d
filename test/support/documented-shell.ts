// Runs the commands of the documents as somebody pastes them, in a directory of their own.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { blocksUnder } from '../agreement/documents.ts';
import type { Bao } from './bao.ts';

const run = promisify(execFile);

/** The blocks of that language under a heading of a page. */
export const blocksOf = (page: string, title: string, language: string): string[] =>
  blocksUnder(page, title)
    .filter(({ info }) => info === language)
    .map(({ text }) => text);

export interface Shell {
  readonly folder: string;
  /** Ends with the first command that fails, and rejects. */
  readonly shell: (script: string) => Promise<{ readonly stdout: string; readonly stderr: string }>;
}

export function openShell(folder: string, more: NodeJS.ProcessEnv = {}): Shell {
  const PATH = [process.env['PAYCERT_PEERS'] ?? '', process.env['PATH']].join(delimiter);
  const env = { PATH, HOME: folder, ...more };
  return { folder, shell: (script) => run('sh', ['-euc', script], { cwd: folder, env }) };
}

/** Of the owner of an OpenBao. */
export async function ownersShell(bao: Bao): Promise<Shell> {
  const folder = await mkdtemp(join(bao.directory, 'shell-'));
  const BAO_TOKEN = await readFile(await bao.tokenFile(), 'utf8');
  return openShell(folder, { BAO_ADDR: bao.url, BAO_TOKEN });
}
