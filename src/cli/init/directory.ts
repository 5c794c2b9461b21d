// A directory as it lies on disk, also with names in another code page: every file of it and of those inside it, as bytes.
import { readdir } from 'node:fs/promises';
import { PaycertError } from '../../errors.ts';
import { readBounded, whyUnreadable } from '../../system/read-bounded.ts';

export interface Listed {
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** The path of each, from where the command was started: for the shell, which takes bytes. */
  readonly paths: ReadonlyMap<string, Buffer>;
}

const maxFiles = 1024;
const separator = Buffer.from('/');

/** Names that are not UTF-8, for people. */
const readable = (name: Buffer): string =>
  Buffer.compare(Buffer.from(name.toString()), name) === 0
    ? name.toString()
    : [...name]
        .map((byte) =>
          byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`,
        )
        .join('');

/** @throws PaycertError `source-unreadable`, `source-too-large` */
export async function listDirectory(directory: string): Promise<Listed> {
  const files = new Map<string, Uint8Array>();
  const paths = new Map<string, Buffer>();
  const room = { bytes: 4 * 1024 * 1024 };
  await walk(Buffer.from(directory.replace(/(?<=.)\/+$/, '')), '', 0);
  return { files, paths };

  async function walk(path: Buffer, prefix: string, depth: number): Promise<void> {
    for (const entry of (await entriesOf(path)).sort((a, b) => Buffer.compare(a.name, b.name))) {
      const at = Buffer.concat([path, separator, entry.name]);
      const name = `${prefix}${readable(entry.name)}`;
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
    throw unreadable(path.toString(), error);
  });

const unreadable = (path: string, error: unknown) =>
  new PaycertError('source-unreadable', `${path} ${whyUnreadable(error)}`, { field: path });
