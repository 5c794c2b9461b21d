// paycert wrap: what it prints is what the source opens, and nothing else is accepted as a key or a context.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openValue, parseWrappingKey } from '../../src/crypto/wrapped.ts';
import { makeDirectory } from '../support/directories.ts';
import { paycert } from '../support/paycert.ts';

describe('paycert wrap', { timeout: 900_000 }, () => {
  it('prints one line, which that key opens with that context alone', async (t) => {
    const directory = await makeDirectory(t);
    const [keyFile, text] = [join(directory, 'key'), randomBytes(32).toString('base64')];
    await writeFile(keyFile, `${text}\n`);
    const key = parseWrappingKey(text)!;
    const run = (...args: string[]) => paycert(['wrap', '-', '--key-file', keyFile, ...args], { input: 'secret' });
    const { stdout, code } = await run('--context', 'credential=shop', '--context', 'stage=a=b');
    assert.deepEqual([code, stdout.split('\n').length], [0, 2]);
    const line = stdout.trim();
    assert.ok(!line.includes(Buffer.from('secret').toString('base64')));
    assert.equal(Buffer.from(openValue(line, key, { stage: 'a=b', credential: 'shop' })!).toString(), 'secret');
    assert.equal(openValue(line, key, {}), undefined);
    assert.equal(openValue(line, randomBytes(32), { stage: 'a=b', credential: 'shop' }), undefined);
    assert.notEqual((await run()).stdout, (await run()).stdout);
  });

  it('refuses a value that is empty, as a command before a pipe that failed leaves it', async (t) => {
    const keyFile = join(await makeDirectory(t), 'key');
    await writeFile(keyFile, randomBytes(32).toString('base64'));
    for (const input of ['', ' \n']) {
      const { code, stdout, stderr } = await paycert(['wrap', '-', '--key-file', keyFile], { input });
      assert.deepEqual([code, stdout], [64, '']);
      assert.match(stderr, /standard input is empty: there is nothing to wrap/);
    }
  });

  it('refuses a file that holds no key, and a context that is none or is given twice', async (t) => {
    const directory = await makeDirectory(t);
    const keyFile = join(directory, 'key');
    await writeFile(keyFile, randomBytes(16).toString('base64'));
    const run = (...args: string[]) => paycert(['wrap', '-', '--key-file', keyFile, ...args], { input: 's' });
    assert.match((await run()).stderr, /holds no key: one line of base64, of 32 bytes.*\n.*openssl rand -base64 32/);
    await writeFile(keyFile, randomBytes(32).toString('base64'));
    assert.match((await run('--context', 'shop')).stderr, /--context is NAME=TEXT/);
    assert.match((await run('--context', 'a=1', '--context', 'a=2')).stderr, /gives a name twice/);
  });
});
