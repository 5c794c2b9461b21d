// The paycert.yaml that `paycert init` writes: its text, which validate must take, and the file, which is never overwritten.
import { writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parseConfig } from '../../config/load.ts';
import { PaycertError } from '../../errors.ts';
import type { Draft, Platform, Told } from '../../providers/platform.ts';
import { readBounded } from '../../system/read-bounded.ts';
import { usageError } from '../command.ts';
import { isText, withoutSlashes } from '../file-names.ts';
import type { Listed } from './directory.ts';
import { quote } from './shell.ts';

export interface InitOptions extends Told {
  readonly directory: string;
  readonly name: string | undefined;
  /** Below it, each Secret is mounted under its name. */
  readonly mount: string;
  /** The configuration names the directory itself: for a trial on this machine. */
  readonly isInPlace: boolean;
  readonly out: string;
}

export interface Planned {
  readonly name: string;
  readonly platform: Platform;
  readonly draft: Draft;
}

// JSON is YAML, too.
const flow = (value: unknown): string => JSON.stringify(value).replaceAll('":', '": ').replaceAll(',"', ', "');

export function configurationOf(planned: readonly Planned[], options: InitOptions): string {
  const entries = planned.map(
    (one) => `  - name: ${one.name}
    required: true
    provider: ${flow({ [one.platform.id]: one.draft.options })}
    source: ${flow({ files: sourceOf(one, options) })}
`,
  );
  return `# Made by paycert init. Every field: docs/configuration.md
listen: { socket: /run/paycert/paycert.sock }
credentials:
${entries.join('')}`;
}

function sourceOf({ name, draft }: Planned, { isInPlace, directory, mount }: InitOptions) {
  if (!isInPlace) return { path: `${withoutSlashes(mount)}/${name}` };
  const renamed = [...draft.parts].filter(([part, file]) => part !== file);
  return { path: resolve(directory), ...(renamed.length > 0 && { keys: Object.fromEntries(renamed) }) };
}

/** Whether it was not there yet: whatever is there stays. @throws PaycertError `usage` */
export async function write(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: 'wx' });
    return true;
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST') throw usageError(`${path} cannot be written (${code}): name another file with --out`);
    const there = await readBounded(path)
      .then(({ bytes }) => bytes.toString())
      .catch(() => '');
    if (there === text) return false;
    throw usageError(`${path} is there already and says something else; it is kept: name another file with --out`);
  }
}

/** What a configuration cannot name: bytes of another code page. @throws PaycertError `usage` */
export function assertNamable(planned: readonly Planned[], { paths }: Listed): void {
  for (const { draft } of planned)
    for (const [part, file] of draft.parts) {
      const path = paths.get(file);
      if (path === undefined || isText(path)) continue;
      const renamed = Buffer.from(join(dirname(path.toString('latin1')), part), 'latin1');
      throw usageError(
        `the name of ${file} is not UTF-8, and no configuration can hold it: mv ${quote(path)} ${quote(renamed)}`,
      );
    }
}

/** What would be written is what `validate` would read: a name or an id that it refuses is refused here. @throws PaycertError `usage` */
export function assertValid(configuration: string, { name, merchantId, appId }: InitOptions): void {
  try {
    parseConfig(configuration);
  } catch (error) {
    if (!(error instanceof PaycertError)) throw error;
    const options = {
      '--name': [name, '.name'],
      '--merchant-id': [merchantId, '.merchantId'],
      '--app-id': [appId, '.appId'],
    } as const;
    const [option] =
      Object.entries(options).find(([, [given, end]]) => given !== undefined && error.field?.endsWith(end)) ?? [];
    throw usageError(`${option === undefined ? '' : `${option}: `}${error.message.replace(/ \(line \d+\)$/, '')}`);
  }
}
