// How many threads of the pool a sidecar keeps for what may hang: one where all keys are in memory, one more each for names to resolve and for the directory of an audit, since each thread costs signatures.
import { fstatSync, readFileSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { parseConfig } from '../config/load.ts';
import type { Config } from '../config/schema/config.ts';
import type { CredentialConfig } from '../config/schema/credential.ts';
import type { SourceConfig } from '../config/schema/source.ts';
import { sourcePartsOf } from '../config/source-parts.ts';
import { maxCharacters } from '../config/yaml.ts';
import { PaycertError } from '../errors.ts';
import { areLocal, currentMounts, memoryMountOf, type Mounts } from '../sources/mounts.ts';
import { auditLane, foreignThreads, namesLane } from '../system/lanes.ts';
import { poolSizeFor } from '../system/pool-size.ts';
import type { ConfigPlace } from './sidecar-files.ts';

/** What a field has paycert wait for, beyond memory and its own files: another machine, of which only the name may need a thread. */
type Wait = false | 'names';

/** `lastGood`, `audit` and `credentials`: it depends. */
const fields = {
  ...{ listen: false, admin: false, log: false, remember: false, resources: false },
  ...{ proxy: 'names', notifications: 'names', wayOut: 'names', keyServices: 'names' },
} as const satisfies Record<keyof Omit<Config, 'credentials' | 'lastGood' | 'audit'>, Wait>;

const credentialFields = {
  ...{ name: false, required: false, require: false, provider: false, older: false, grace: false, maxAge: false },
  ...{ platformCertificates: 'names', check: 'names', gateway: 'names' },
} as const satisfies Record<keyof Omit<CredentialConfig, 'source'>, Wait>;

const hasNames = (table: Readonly<Record<string, Wait>>, value: object): boolean =>
  Object.keys(value).some((field) => table[field] === 'names');

const sourceFields = {
  ...{ files: false, env: false, secret: false, merge: false, fallback: false, staged: false },
  ...{ vault: 'names', consul: 'names', etcd: 'names', pki: 'names', unwrap: 'names' },
} as const satisfies Record<keyof SourceConfig, Wait>;

/** Files in memory hold no thread that a disk could keep. */
const isOnDisk = (path: string, mounts: Mounts): boolean => memoryMountOf(mounts, resolve(path)) === undefined;

/** Of tokens, passwords and certificates: whatever else it is that has one. */
const namedFiles = (value: object): readonly string[] =>
  Object.entries(value).flatMap(([name, member]: [string, unknown]) => {
    if (typeof member === 'string') return name.endsWith('File') ? [member] : [];
    return typeof member === 'object' && member !== null ? namedFiles(member) : [];
  });

/** The threads that foreign calls of this configuration may hold together. */
export function foreignThreadsOf(config: Config, mounts: Mounts): number {
  const { credentials, lastGood, audit, ...rest } = config;
  const parts = credentials.flatMap(({ source }) => sourcePartsOf(source));
  const paths = [lastGood?.directory ?? [], ...parts.map(({ files }) => files?.path ?? [])].flat();
  const files = namedFiles(config).map((path) => resolve(path));
  if (paths.some((path) => isOnDisk(path, mounts)) || !areLocal(mounts, files)) return foreignThreads;
  const asks =
    hasNames(fields, rest) ||
    audit?.otlp !== undefined ||
    credentials.some((credential) => hasNames(credentialFields, credential)) ||
    parts.some((part) => hasNames(sourceFields, part));
  return ownFilesThreads + (asks ? namesLane.most : 0) + (audit?.volume === undefined ? 0 : auditLane.most);
}

/** For the configuration, tokens, hosts file and sockets, one at a time: they hang together, on the one disk of the container. */
const ownFilesThreads = 1;

/** Where a log in a file waits for its disk, too. */
const isOutputFile = (): boolean => fstatSync(process.stdout.fd).isFile();

/**
 * What `UV_THREADPOOL_SIZE` should be. libuv reads it when the pool is first used, so this uses none: the configuration is read at
 * once, if it is on a disk of this machine. What is wrong with it is said when it is read again; what is the same is not parsed again.
 */
export function poolSizeOf(
  place: ConfigPlace,
  environment: Readonly<Record<string, string | undefined>>,
  { mounts = currentMounts(), cores = availableParallelism(), isLogFile = isOutputFile() } = {},
): number {
  const text = 'path' in place ? peek(place.path, mounts) : environment[place.variable];
  const config = isLogFile || text === undefined ? undefined : parsed(text);
  return poolSizeFor(cores, config && foreignThreadsOf(config, mounts));
}

function peek(path: string, mounts: Mounts): string | undefined {
  try {
    if (!areLocal(mounts, [resolve(path)])) return undefined;
    const stats = statSync(path);
    // A file of /proc has no size, and may have no end. A larger one is refused when it is parsed, unless its letters take several bytes each.
    return stats.isFile() && stats.size > 0 && stats.size <= maxCharacters ? readFileSync(path, 'utf8') : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall !== undefined) return undefined;
    throw error;
  }
}

function parsed(text: string): Config | undefined {
  try {
    return parseConfig(text);
  } catch (error) {
    if (error instanceof PaycertError) return undefined;
    throw error;
  }
}
