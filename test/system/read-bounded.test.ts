// Reading a file that others choose: it never waits for a writer, never reads more than there is room for, and reads all of what it should.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFile, mkdir, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readBounded, whyUnreadable } from '../../src/system/read-bounded.ts';
import { makeDirectory } from '../support/directories.ts';

const why = (path: string, bytes?: number) =>
  readBounded(path, bytes === undefined ? undefined : { bytes }).then(
    () => 'it was read',
    (error: unknown) => whyUnreadable(error),
  );

describe('a file', () => {
  it('is read whole, whatever its size, and takes its size of the room that it shares', async (t) => {
    const path = join(await makeDirectory(t), 'a');
    await fc.assert(
      fc.asyncProperty(fc.nat(200_000), async (size) => {
        const content = Buffer.alloc(size, 'paycert');
        await writeFile(path, content);
        const room = { bytes: 200_000 };
        assert.deepEqual((await readBounded(path, room)).bytes, content);
        assert.equal(room.bytes, 200_000 - size);
      }),
      { numRuns: 30 },
    );
  });

  it('that has no size of its own, as under /proc, is read to its end', async () => {
    const { bytes } = await readBounded('/proc/self/mountinfo');
    assert.match(bytes.toString(), / \/proc /);
  });

  it('of just the room is read, and one byte more is refused', async (t) => {
    const path = join(await makeDirectory(t), 'a');
    await writeFile(path, Buffer.alloc(10_000));
    assert.equal(await why(path, 10_000), 'it was read');
    await appendFile(path, 'x');
    assert.equal(await why(path, 10_000), 'is larger than it may be');
  });

  it('that claims terabytes is refused before any of it is read', async (t) => {
    const path = join(await makeDirectory(t), 'a');
    await writeFile(path, '');
    await truncate(path, 2 ** 42);
    assert.equal(await why(path), 'is larger than it may be');
  });

  it('without an end, which a link into /proc may be, is refused once it is larger than it may be', async (t) => {
    const link = join(await makeDirectory(t), 'a');
    // One entry of eight bytes for every page that the process could have: 256 GB, and no size.
    await symlink('/proc/self/pagemap', link);
    assert.equal(await why(link), 'is larger than it may be');
  });
});

describe('what is not a regular file', () => {
  it('is refused at once: a pipe that nobody writes, a device without an end, a directory, a socket', async (t) => {
    const directory = await makeDirectory(t);
    const at = (name: string) => join(directory, name);
    execFileSync('mkfifo', [at('pipe')]);
    await mkdir(at('directory'));
    const server = createServer().listen(at('socket'));
    t.after(() => server.close());
    await symlink('/dev/zero', at('zero'));
    await symlink('/dev/tty', at('terminal'));
    for (const name of ['pipe', 'directory', 'socket', 'zero'])
      assert.equal(await why(at(name)), 'is not a regular file');
    assert.match(await why(at('terminal')), /^is not a regular file$/);
  });

  it('is named by the system’s code where the system refuses it', async (t) => {
    assert.equal(await why(join(await makeDirectory(t), 'missing')), 'cannot be read (ENOENT)');
  });
});
