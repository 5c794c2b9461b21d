// What is known of a process and its credentials, for people, dashboards and probes. Holds no secret.
import type { Static } from 'typebox';
import type { SharedState } from '../delivery/redis.ts';
import type { PaycertError } from '../errors.ts';
import type { HostState } from '../gateway/client.ts';
import { isReady, type Store } from '../store/store.ts';
import { describeCredential, notice } from './credential-status.ts';
import type { FileState } from './followed-files.ts';
import type { KeptKey } from './kept-keys.ts';
import type { ProcessStatus } from './schema.ts';
import type { UseState } from './use-states.ts';

/** The process and every credential. */
export function describeProcess(
  { store, version, startedAt, files = () => [], hosts, dedupe, audit, keptKeys, remoteKeys }: ProcessFacts,
  now: Date,
): Static<typeof ProcessStatus> {
  const credentials = store.entries().map((entry) => describeCredential(entry, now));
  const about = { version, startedAt: startedAt.toISOString(), ready: isProcessReady(store, now) };
  const [known, shared, audited] = [hosts?.(), dedupe?.(), audit?.()];
  const [kept = [], remote = []] = [keptKeys?.(), remoteKeys?.()];
  return {
    ...about,
    files: files().map(describeFile),
    ...(known && { hosts: known.map(describeHost) }),
    ...(shared && { dedupe: describeShared(shared) }),
    ...(audited && { audit: describeAudit(audited) }),
    ...(kept.length > 0 && { accessKeys: kept.map(describeKept) }),
    ...(remote.length > 0 && { remoteKeys: remote.map(describeRemoteKey) }),
    credentials,
  };
}

/** What is known of a process. */
export interface ProcessFacts {
  readonly store: Store;
  readonly version: string;
  readonly startedAt: Date;
  /** The files that it follows. */
  readonly files?: (() => readonly FileState[]) | undefined;
  /** The hosts of platforms, where it has a proxy. */
  readonly hosts?: (() => readonly HostState[] | undefined) | undefined;
  /** What it shares with other pods of the notifications that were delivered, where it does. */
  readonly dedupe?: (() => SharedState | undefined) | undefined;
  /** Whether its audit is written, where it has one. */
  readonly audit?: (() => Audited | undefined) | undefined;
  /** The access keys that are used on while their files cannot be read. */
  readonly keptKeys?: (() => readonly KeptKey[]) | undefined;
  /** The keys that stay elsewhere and were used. */
  readonly remoteKeys?: (() => readonly UseState[]) | undefined;
}

/** Both are undefined while its lines are written. */
interface Audited {
  readonly error: PaycertError | undefined;
  readonly since: Date | undefined;
}

const describeAudit = ({ error, since }: Audited): NonNullable<Static<typeof ProcessStatus>['audit']> => ({
  written: error === undefined,
  ...(since && { since: since.toISOString() }),
  ...(error && { reason: notice(error, since) }),
});

const describeKept = ({
  service,
  since,
  error,
}: KeptKey): NonNullable<Static<typeof ProcessStatus>['accessKeys']>[number] => ({
  ...{ service, since: since.toISOString(), reason: notice(error) },
});

const describeRemoteKey = ({
  service,
  use,
  key,
  error,
  since,
}: UseState): NonNullable<Static<typeof ProcessStatus>['remoteKeys']>[number] => ({
  ...{ service, use, key, works: error === undefined },
  ...(since && { since: since.toISOString() }),
  ...(error && { reason: notice(error) }),
});

const describeShared = ({
  isAvailable,
  since,
  error,
}: SharedState): NonNullable<Static<typeof ProcessStatus>['dedupe']> => ({
  available: isAvailable,
  since: since.toISOString(),
  ...(error && { reason: notice(error, since) }),
});

type Host = NonNullable<Static<typeof ProcessStatus>['hosts']>[number];

export function describeHost({ host, isOnSpare, clock, credentials }: HostState): Host {
  const known = { host, onSpare: isOnSpare, credentials: [...credentials] };
  if (clock === undefined) return known;
  const { isCorrected: corrected, ...offset } = clock;
  return { ...known, clock: { ...offset, corrected } };
}

const describeFile = ({ file, frozenPaths, rejection }: FileState): Static<typeof ProcessStatus>['files'][number] => ({
  file,
  current: rejection === undefined,
  ...(frozenPaths && { frozenPaths: [...frozenPaths] }),
  ...(rejection && { rejection: notice(rejection.error, rejection.at) }),
});

/** Ready: every required credential can do now what it must. One expired merchant among many takes no pod out. */
export function isProcessReady(store: Store, now: Date): boolean {
  return store.entries().every((entry) => !entry.isRequired || isReady(entry, now));
}

/** Started: every required credential has been loaded once. */
export function isProcessStarted(store: Store): boolean {
  return store.entries().every(({ isRequired, snapshot }) => !isRequired || snapshot !== undefined);
}
