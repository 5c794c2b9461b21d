// A writer that is not atomic shows each of its intermediate states for as long as a test needs.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { writeInPlace } from '../../src/testing/write-in-place.ts';

it('a file is empty, then half, then whole, one file after the other', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'paycert-in-place-'));
  t.after(() => rm(directory, { recursive: true }));
  const contents = async (): Promise<string[]> =>
    Promise.all(['cert', 'key'].map((name) => readFile(join(directory, name), 'utf8')));
  await writeFile(join(directory, 'cert'), 'old cert');
  await writeFile(join(directory, 'key'), 'old key');

  const files = new Map([
    ['cert', Buffer.from('new!')],
    ['key', Buffer.from('also')],
  ]);
  const seen: unknown[] = [];
  for await (const step of writeInPlace(directory, files)) seen.push([step.name, step.state, ...(await contents())]);
  assert.deepEqual(seen, [
    ['cert', 'truncated', '', 'old key'],
    ['cert', 'half-written', 'ne', 'old key'],
    ['cert', 'written', 'new!', 'old key'],
    ['key', 'truncated', 'new!', ''],
    ['key', 'half-written', 'new!', 'al'],
    ['key', 'written', 'new!', 'also'],
  ]);
});
