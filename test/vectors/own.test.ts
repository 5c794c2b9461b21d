// The project's own known answers, which a stranger's clone has: computed by openssl and Python, of every protocol that the runner knows.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { protocols } from './kinds.ts';
import { readVectors } from './read.ts';

const folder = join(import.meta.dirname, 'own');
const vectors = readVectors(join(folder, 'vectors.json'));
if (typeof vectors === 'string') throw new TypeError(vectors);

describe('our own known answers', () => {
  it('all hold', () => {
    const { status, stdout } = spawnSync(process.execPath, [join(import.meta.dirname, 'run.ts'), folder], {
      encoding: 'utf8',
    });
    assert.equal(status, 0, stdout);
    assert.match(stdout, new RegExp(`^${vectors.length} passed, 0 failed$`, 'm'));
  });

  it('are of every protocol', () => {
    assert.deepEqual([...new Set(vectors.map(({ protocol }) => protocol))].sort(), Object.keys(protocols).sort());
  });
});
