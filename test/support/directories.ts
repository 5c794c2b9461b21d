// Temporary directories that go with the test, and named bytes from text.
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** In memory, where the last good material may be kept. */
export async function makeMemoryDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp('/dev/shm/paycert-test-');
  // What still runs may keep something in it.
  t.after(() => rm(directory, { recursive: true, force: true, maxRetries: 10 }));
  return directory;
}

export async function makeDirectory(t: TestContext): Promise<string> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'paycert-test-')));
  // A sidecar that still runs puts its socket back.
  t.after(() => rm(directory, { recursive: true, force: true, maxRetries: 10 }));
  return directory;
}

export const filesOf = (texts: Readonly<Record<string, string>>): Map<string, Uint8Array> =>
  new Map(Object.entries(texts).map(([name, text]) => [name, Buffer.from(text)]));

export const textsOf = (data: ReadonlyMap<string, Uint8Array>): Record<string, string> =>
  Object.fromEntries([...data].sort().map(([name, bytes]) => [name, Buffer.from(bytes).toString()]));
