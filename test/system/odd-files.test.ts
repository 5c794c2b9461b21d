// Every file that somebody else may replace: what takes its place, and is no file or has no end, is refused at once and costs little.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { makeDirectory } from '../support/directories.ts';
import type { Outcome, Outcomes } from '../support/odd-files-child.ts';

const child = join(import.meta.dirname, '../support/odd-files-child.ts');
const source = join(import.meta.dirname, '../../src');

/** What a directory holds beside files is no part of the material; a directory given as a file is one of parts. */
const leftOut = /^material, (?:one file: a directory$|(?!one file).*: (?!a link into \/proc))/;
/** The provider refuses a part that is empty. */
const emptyPart = /^material, .*: (?:an empty file|a file of blanks)$/;
/** What is refused as a text, which is followed: the field is named, and the configuration has the path. */
const emptyText = /^(?:paycert\.yaml|the token(?: of the proxy)?): (?:an empty file|a file of blanks)$/;

function isRefused({ reader, odd, code, isNamed }: Outcome): boolean {
  const name = `${reader}: ${odd}`;
  if (code === 'read') return leftOut.test(name) || emptyPart.test(name);
  return isNamed || (['config-invalid', 'token-unusable'].includes(code) && emptyText.test(name));
}

describe('a file that somebody else may replace', () => {
  it('is refused by its path once it is a pipe, a device, a directory, empty or without an end, and never waited for', async (t) => {
    const run = promisify(execFile)(process.execPath, [child, await makeDirectory(t)], {
      // A reader that waits in the event loop can be ended from outside only.
      timeout: 300_000,
      killSignal: 'SIGKILL',
    });
    const { stdout } = await run.catch((error: unknown) => {
      const { stderr = '' } = error as { readonly stderr?: string };
      throw new Error(`it hangs, or ends, at: ${stderr.slice(-1000)}`);
    });
    const { outcomes, mostMegabytes } = JSON.parse(stdout) as Outcomes;
    assert.ok(outcomes.length > 100);
    assert.deepEqual(
      outcomes.filter((one) => !isRefused(one)),
      [],
    );
    assert.ok(mostMegabytes < 400, `it took ${mostMegabytes.toFixed(0)} MB`);
  });

  // What paycert/testing writes and reads again is its own.
  it('is read nowhere else than where reads are bounded', () => {
    const readers = globSync('**/*.ts', { cwd: source, exclude: ['testing/**'] }).filter((file) => {
      const imports = readFileSync(join(source, file), 'utf8').matchAll(
        /import \{([^}]*)\} from 'node:fs(?:\/promises)?'/g,
      );
      return [...imports].some(([, names = '']) =>
        /\b(?:readFile(?:Sync)?|createReadStream|open(?:Sync)?)\b/.test(names),
      );
    });
    assert.deepEqual(readers.sort(), [
      // Of our own making: its end alone, in a thread that only the audit waits for.
      'audit/disk.ts',
      // What a person names on the command line, where a pipe is meant: its writer is on the same line.
      'cli/audit/lines.ts',
      'cli/input.ts',
      // The file of the package itself.
      'cli/main.ts',
      // What a person names on the command line.
      'cli/reconcile/journal.ts',
      'cli/reconcile/orders.ts',
      // The configuration, before there is a pool: a regular file whose size is known, up to 64 KiB.
      'cli/sidecar-threads.ts',
      // What the kernel says of this process.
      'server/limits.ts',
      'sources/mounts.ts',
      // In memory, of our own making, and of a size that is looked at first.
      'sources/private-memory.ts',
      // In memory, no link followed, and of a size that is looked at first.
      'sources/read-memory.ts',
      'system/read-bounded.ts',
    ]);
  });
});
