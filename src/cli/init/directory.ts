// A directory as it lies on disk, also with names in another code page: every file of it and of those inside it, as bytes.
import { readdir } from 'node:fs/promises';
import { PaycertError } from '../../errors.ts';
import { readBounded, whyUnreadable } from '../../system/read-bounded.ts';
import { usageError } from '../command.ts';
import { readableName, withoutSlashes } from '../file-names.ts';
import { saidOfArchive } from './remedies.ts';

export interface Listed {
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** The path of each, from where the command was started: for the shell, which takes bytes. */
  readonly paths: ReadonlyMap<string, Buffer>;
}

const maxFiles = 1024;
const separator = Buffer.from('/');

/** @throws PaycertError `source-unreadable`, `source-too-large`; `usage` for what is no directory */
export async function listDirectory(directory: string): Promise<Listed> {
  const files = new Map<string, Uint8Array>();
  const paths = new Map<string, Buffer>();
  const room = { bytes: 4 * 1024 * 1024 };
  await walk(Buffer.from(withoutSlashes(directory)), '', 0);
  return { files, paths };

  async function walk(path: Buffer, prefix: string, depth: number): Promise<void> {
    for (const entry of (await entriesOf(path)).sort((a, b) => Buffer.compare(a.name, b.name))) {
      const at = Buffer.concat([path, separator, entry.name]);
      const name = `${prefix}${readableName(entry.name)}`;
      if (entry.name[0] === 0x2e) continue;
      if (entry.isDirectory()) {
        if (depth === 0) await walk(at, `${name}/`, 1);
        continue;
      }
      if (files.size >= maxFiles)
        throw new PaycertError('source-too-large', `${directory} holds more than ${String(maxFiles)} files`, {
          field: directory,
        });
      const { bytes } = await readBounded(at, room).catch((error: unknown) => {
        throw unreadable(`${directory}/${name}`, error);
      });
      files.set(name, bytes);
      paths.set(name, at);
    }
  }
}

const entriesOf = (path: Buffer) =>
  readdir(path, { withFileTypes: true, encoding: 'buffer' }).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOTDIR') throw unreadable(path.toString(), error);
    throw usageError(
      /\.(?:zip|rar|7z|tgz|gz)$/i.test(path.toString())
        ? saidOfArchive(path.toString())
        : `${path.toString()} is a file: give the directory that it is in`,
    );
  });

const unreadable = (path: string, error: unknown) =>
  new PaycertError('source-unreadable', `${path} ${whyUnreadable(error)}`, { field: path });
