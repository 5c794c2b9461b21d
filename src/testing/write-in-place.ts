// Writes files as a writer does that is not atomic: a reader may see an empty, a torn or an unmatched set.
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { FilesInput } from './secret-volume.ts';

/** What has just happened on disk; the file stays so until the next step is asked for. */
export interface InPlaceStep {
  readonly name: string;
  readonly state: 'truncated' | 'half-written' | 'written';
}

/**
 * Overwrites each file in the map's order, stopping after each step: three steps a file. Names that are not in the map stay.
 * `for await (const step of writeInPlace(…));` runs through; `await steps.next()` runs one step.
 * @example
 * import { writeInPlace } from 'paycert/testing';
 *
 * const states: string[] = [];
 * for await (const { state } of writeInPlace(directory, new Map([['key', 'new']]))) states.push(state);
 * console.log(states); // → [ 'truncated', 'half-written', 'written' ]
 */
export async function* writeInPlace(
  directory: string,
  files: FilesInput,
): AsyncGenerator<InPlaceStep, void, undefined> {
  for (const [name, content] of files) {
    const bytes = Buffer.from(content);
    const half = Math.floor(bytes.byteLength / 2);
    await using file = await open(join(directory, name), 'w');
    yield { name, state: 'truncated' };
    await file.writeFile(bytes.subarray(0, half));
    yield { name, state: 'half-written' };
    await file.writeFile(bytes.subarray(half));
    yield { name, state: 'written' };
  }
}
