// The memory of a pod for a child process: a cgroup where this user may make one, elsewhere a limit of V8 and a look at what was used.
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface MemoryLimit {
  /** `cgroup`: the kernel ends what takes more. `heap`: V8 does, of its heap only; all memory is looked at afterwards. */
  readonly kind: 'cgroup' | 'heap';
  /** Options of Node. */
  readonly nodeOptions: readonly string[];
  /** Where a process writes its id to be within the limit. */
  readonly joinFile: string | undefined;
  remove(): void;
}

let count = 0;

export function limitMemory(megabytes: number): MemoryLimit {
  const directory = makeGroup(megabytes * 1024 * 1024);
  if (directory === undefined) {
    // What a pod needs beside V8's heap: the program, stacks, buffers.
    const heap = Math.floor(megabytes * 0.7);
    return {
      kind: 'heap',
      nodeOptions: [`--max-old-space-size=${heap}`],
      joinFile: undefined,
      remove: () => undefined,
    };
  }
  const remove = () => {
    try {
      rmdirSync(directory);
    } catch {
      // Its last process is not gone yet, or it is gone itself: an empty group holds nothing.
    }
  };
  return { kind: 'cgroup', nodeOptions: [], joinFile: join(directory, 'cgroup.procs'), remove };
}

/** Below this process's own group, in either version of cgroups; undefined where that is not allowed. */
function makeGroup(bytes: number): string | undefined {
  const own = (controller: string): string | undefined => {
    const lines = existsSync('/proc/self/cgroup') ? readFileSync('/proc/self/cgroup', 'utf8').split('\n') : [];
    return lines.map((line) => line.split(':')).find(([, name]) => name === controller)?.[2];
  };
  const [first, second] = [own('memory'), own('')];
  const name = `paycert-attack-${process.pid}-${(count += 1)}`;
  const places = [
    first !== undefined && { at: join('/sys/fs/cgroup/memory', first), file: 'memory.limit_in_bytes' },
    second !== undefined && { at: join('/sys/fs/cgroup', second), file: 'memory.max' },
  ].filter((place) => place !== false);
  for (const { at, file } of places) {
    const directory = join(at, name);
    try {
      mkdirSync(directory);
      writeFileSync(join(directory, file), String(bytes));
      return directory;
    } catch {
      // Not allowed, or the controller is not enabled here: a group without its file limits nothing.
      if (existsSync(directory)) rmdirSync(directory);
    }
  }
  return undefined;
}
