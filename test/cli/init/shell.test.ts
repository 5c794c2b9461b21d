// What is printed for a shell means to the shell what was meant, whatever bytes it holds.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { fromFile, quote } from '../../../src/cli/init/shell.ts';

/** The words as bash passes them on, each ended by a NUL. */
function words(command: string): Buffer[] {
  const { stdout } = spawnSync('bash', ['-c', `printf '%s\\0' ${command}`]);
  const ends = [...stdout.keys()].filter((index) => stdout[index] === 0);
  return ends.map((end, index) => stdout.subarray(index === 0 ? 0 : (ends[index - 1] ?? 0) + 1, end));
}

/** A name of a file: any bytes but NUL and the slash. */
const fileName = fc.oneof(
  fc.uint8Array({ min: 1, minLength: 1, maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }).map((text) => Buffer.from(text.replaceAll('\0', '_'))),
);

describe('words for a shell', () => {
  it('come back as the bytes that were quoted', () => {
    fc.assert(
      fc.property(fc.array(fileName, { minLength: 30, maxLength: 30 }), (names) => {
        assert.deepEqual(
          words(names.map(quote).join(' ')).map((word) => word.toString('hex')),
          names.map((name) => name.toString('hex')),
        );
      }),
      { numRuns: 20 },
    );
  });

  it('are left plain where nothing in them means anything', () => {
    assert.equal(fromFile('apiv3_key', Buffer.from('./keys/apiv3_key')), '--from-file=apiv3_key=./keys/apiv3_key');
  });

  it('hold a line of CSV, as kubectl reads the option', () => {
    assert.equal(fromFile('k', Buffer.from('a,"b"')), `--from-file='"k=a,""b"""'`);
  });
});
