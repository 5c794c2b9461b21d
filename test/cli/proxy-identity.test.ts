// `paycert proxy identity`: one file for the proxy, readable by its owner alone, and what SDKs are given beside it.
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { publicFilesOf, readIdentity } from '../../src/server/proxy/identity.ts';
import { makeDirectory } from '../support/directories.ts';
import { paycert } from '../support/paycert.ts';

describe('paycert proxy identity', () => {
  it('writes a private file that a proxy takes, and the public half of the same key', async (t) => {
    const directory = join(await makeDirectory(t), 'new');
    const { code, stdout, stderr } = await paycert(['proxy', 'identity', directory]);
    assert.equal(code, 0, stderr);
    assert.ok(stdout.includes(`identityFile: ${join(directory, 'identity')}`));
    assert.equal(statSync(join(directory, 'identity')).mode & 0o777, 0o600);
    for (const [name, content] of publicFilesOf(await readIdentity(join(directory, 'identity'))))
      assert.equal((await readFile(join(directory, name), 'utf8')).trim(), content.trim(), name);
    assert.ok(!stdout.includes('PRIVATE'));
  });

  it('replaces nothing, and says what it takes', async (t) => {
    const directory = await makeDirectory(t);
    await writeFile(join(directory, 'identity'), 'in use');
    const { code, stderr } = await paycert(['proxy', 'identity', directory]);
    assert.deepEqual([code, await readdir(directory)], [64, ['identity']], stderr);
    assert.match(stderr, /is not empty: name a new directory/);
    assert.match((await paycert(['proxy', 'serve', directory])).stderr, /expected identity DIR/);
  });
});
