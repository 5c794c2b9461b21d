// What the image runs Node with, read from its Dockerfile: benchmarks and the soak measure what runs in production.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const dockerfile = readFileSync(join(import.meta.dirname, '../../Dockerfile'), 'utf8');

function find(pattern: RegExp): string {
  const [, found] = pattern.exec(dockerfile) ?? [];
  if (found === undefined) throw new Error(`the Dockerfile has no ${String(pattern)}`);
  return found;
}

const [, ...words] = JSON.parse(find(/^ENTRYPOINT (.*)$/m)) as string[];

/** Options of Node that stand before the program. */
export const imageOptions: readonly string[] = words.slice(0, -1);

export const imageEnvironment: Readonly<Record<string, string>> = {
  NODE_OPTIONS: find(/^ +NODE_OPTIONS="(.*)"$/m),
  MALLOC_ARENA_MAX: find(/^ +MALLOC_ARENA_MAX=(\d+)/m),
  MALLOC_MMAP_THRESHOLD_: find(/^ +MALLOC_MMAP_THRESHOLD_=(\d+)/m),
  MALLOC_TRIM_THRESHOLD_: find(/^ +MALLOC_TRIM_THRESHOLD_=(\d+)/m),
};
