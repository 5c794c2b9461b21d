// A directory in memory that is this process's own: what is refused, by what it says of it, and what others may do to a file.
import assert from 'node:assert/strict';
import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  NotPrivate,
  openPrivateDirectory,
  readPrivateFile,
  replacePrivateFile,
} from '../../src/sources/private-memory.ts';
import { makeDirectory, makeMemoryDirectory } from '../support/directories.ts';

const asRoot = { skip: process.getuid?.() === 0 ? false : 'only root gives files away' };
const bytes = Buffer.from('material');
const mode = (path: string) => lstatSync(path).mode & 0o777;

function makeWithMode(path: string, mode: number): void {
  mkdirSync(path);
  chmodSync(path, mode);
}

function makeLink(path: string): void {
  mkdirSync(`${path}.d`);
  symlinkSync(`${path}.d`, path);
}

describe('a directory in memory', () => {
  it('is made for its owner alone', async (t) => {
    const directory = join(await makeMemoryDirectory(t), 'keys');
    openPrivateDirectory(directory);
    assert.equal(mode(directory), 0o700);
    openPrivateDirectory(directory);
  });

  it('is refused on a disk, before anything is made there', async (t) => {
    const parent = await makeDirectory(t);
    assert.throws(() => openPrivateDirectory(join(parent, 'keys')), {
      name: 'NotPrivate',
      message: /is not in memory/,
    });
    assert.deepEqual(readdirSync(parent), []);
  });

  const refusals: Readonly<Record<string, readonly [(path: string) => void, RegExp]>> = {
    'others may write it': [(path) => makeWithMode(path, 0o702), /open to other users \(mode 0702\)/],
    'its group may read it': [(path) => makeWithMode(path, 0o740), /open to other users \(mode 0740\)/],
    'it is a symbolic link': [makeLink, /is not a directory/],
    'it is a file': [(path) => writeFileSync(path, ''), /EEXIST/],
  };
  for (const [title, [make, message]] of Object.entries(refusals))
    it(`is refused where ${title}`, async (t) => {
      const path = join(await makeMemoryDirectory(t), 'keys');
      make(path);
      assert.throws(() => openPrivateDirectory(path), { name: 'NotPrivate', message });
    });

  it('is refused behind a symbolic link, with the path to say instead', async (t) => {
    const parent = await makeMemoryDirectory(t);
    mkdirSync(join(parent, 'real'));
    symlinkSync(join(parent, 'real'), join(parent, 'link'));
    const message = new RegExp(`say ${parent}/real in place of ${parent}/link`);
    assert.throws(() => openPrivateDirectory(join(parent, 'link', 'keys')), { message });
  });

  it('is refused where its volume is not mounted', async (t) => {
    const parent = await makeMemoryDirectory(t);
    assert.throws(() => openPrivateDirectory(join(parent, 'missing', 'keys')), { message: /ENOENT/ });
  });

  it('is refused if another user owns it', asRoot, async (t) => {
    const path = join(await makeMemoryDirectory(t), 'keys');
    mkdirSync(path, { mode: 0o700 });
    chownSync(path, 10001, 10001);
    assert.throws(() => openPrivateDirectory(path), { message: /is owned by uid 10001/ });
  });
});

describe('a file in it', () => {
  it('is there whole or not at all, and read-only for its owner from the moment it exists', async (t) => {
    const directory = await makeMemoryDirectory(t);
    replacePrivateFile(directory, 'shop', Buffer.from('before'));
    replacePrivateFile(directory, 'shop', bytes);
    assert.deepEqual(readPrivateFile(join(directory, 'shop'), 100), bytes);
    assert.deepEqual([readdirSync(directory), mode(join(directory, 'shop'))], [['shop'], 0o400]);
  });

  it('replaces what an end in the middle of a write has left', async (t) => {
    const directory = await makeMemoryDirectory(t);
    writeFileSync(join(directory, '.shop'), 'half', { mode: 0o400 });
    replacePrivateFile(directory, 'shop', bytes);
    assert.deepEqual(readdirSync(directory), ['shop']);
  });

  it('follows no link that somebody has put in its place', async (t) => {
    const directory = await makeMemoryDirectory(t);
    const elsewhere = join(directory, 'elsewhere');
    writeFileSync(elsewhere, 'theirs', { mode: 0o600 });
    symlinkSync(elsewhere, join(directory, '.shop'));
    replacePrivateFile(directory, 'shop', bytes);
    assert.equal(readPrivateFile(elsewhere, 100).toString(), 'theirs');
    symlinkSync(elsewhere, join(directory, 'link'));
    assert.throws(() => readPrivateFile(join(directory, 'link'), 100), { name: 'NotPrivate', message: /ELOOP/ });
  });

  it('is refused if others may read it, or it is too large, or no file', async (t) => {
    const directory = await makeMemoryDirectory(t);
    const path = join(directory, 'shop');
    writeFileSync(path, bytes, { mode: 0o600 });
    assert.throws(() => readPrivateFile(path, 7), { message: /is larger than 7 bytes/ });
    chmodSync(path, 0o440);
    assert.throws(() => readPrivateFile(path, 100), { message: /open to other users/ });
    assert.throws(() => readPrivateFile(directory, 100), NotPrivate);
  });
});
