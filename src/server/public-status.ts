// What anybody may read of a process and its credentials: dates and codes, and nothing that is derived from a secret.
import type { KeyFacts } from '../providers/provider.ts';
import { roles } from '../providers/roles.ts';
import { lacking } from '../store/snapshot.ts';
import { agesIn, type Entry, isReady } from '../store/store.ts';
import { describeHost, isProcessReady, type ProcessFacts } from './process-status.ts';

/** The admin port has no token: no check value, no id of a symmetric key, no snapshot id, which is made of both. */
export function describePublicly(
  { store, version, startedAt, files = () => [], hosts, dedupe, audit, keptKeys, remoteKeys }: ProcessFacts,
  now: Date,
): object {
  const credentials = store.entries().map((entry) => describeEntry(entry, now));
  const followed = files().map(({ file, frozenPaths, rejection }) => ({
    file,
    current: rejection === undefined,
    frozenPaths,
    rejection: rejection && { at: rejection.at, code: rejection.error.code },
  }));
  return {
    version,
    startedAt,
    ready: isProcessReady(store, now),
    files: followed,
    hosts: hosts?.()?.map(describeHost),
    dedupe: describeShared(dedupe?.()),
    audit: describeAudit(audit?.()),
    accessKeys: keptKeys?.().map(({ service, since, error }) => ({ service, since, code: error.code })),
    remoteKeys: remoteKeys?.().map(({ service, use, key, since, error }) => ({
      service,
      use,
      key,
      since,
      code: error?.code,
    })),
    credentials,
  };
}

function describeShared(shared: ReturnType<NonNullable<ProcessFacts['dedupe']>>): object | undefined {
  return shared && { available: shared.isAvailable, since: shared.since, code: shared.error?.code };
}

function describeAudit(audited: ReturnType<NonNullable<ProcessFacts['audit']>>): object | undefined {
  return audited && { written: audited.error === undefined, since: audited.since, code: audited.error?.code };
}

function describeEntry(entry: Entry, now: Date): object {
  const { name, provider, isRequired, requires, suspendedSince, snapshot, lastReload } = entry;
  const ages = agesIn(entry);
  return {
    name,
    provider,
    required: isRequired,
    ready: isReady(entry, now),
    lacking: lacking(snapshot, requires, now),
    suspended: suspendedSince !== undefined,
    generation: snapshot?.generation,
    loadedAt: snapshot?.loadedAt,
    lastReload,
    keys: snapshot?.context.set.keys.map((key) => ({ ...describeKey(key), replaceBy: ages.get(key)?.replaceBy })) ?? [],
    warnings: snapshot?.context.set.warnings(now).map(({ code }) => code) ?? [],
    rejection: entry.rejection && { at: entry.rejection.at, code: entry.rejection.error.code },
    deferral: entry.deferral && { at: entry.deferral.at, until: entry.deferral.until, code: entry.deferral.error.code },
    staged: entry.staged && {
      active: entry.staged.isActive,
      rejected: entry.staged.isRejected,
      until: entry.staged.until,
      percent: entry.staged.percent,
      of: entry.staged.of,
      code: entry.staged.error?.code,
    },
    platformCertificates: entry.certificateList && {
      outcome: entry.certificateList.outcome,
      at: entry.certificateList.at,
      listedAt: entry.certificateList.listedAt,
      code: entry.certificateList.error?.code,
    },
    restored: entry.restored,
    lastGood: entry.kept && { kept: entry.kept.error === undefined, at: entry.kept.at, code: entry.kept.error?.code },
    sourceError: entry.sourceError && { at: entry.sourceError.at, code: entry.sourceError.error.code },
    resourceError: entry.resourceError && { at: entry.resourceError.at, code: entry.resourceError.error.code },
    unopened: snapshot?.unopened.map(({ kind, error, count, since, at }) => ({
      kind,
      count,
      since,
      at,
      code: error.code,
    })),
    frozenPaths: entry.frozenPaths,
    copies: entry.copies,
  };
}

/** The id of a secret may be made of it, or be written where it should not be: here it has none. */
function describeKey({ role, algorithm, keyId, notBefore, notAfter, issuer }: KeyFacts): object {
  const isSecret = roles[role].holds === 'secret';
  return { role, algorithm, keyId: isSecret ? undefined : keyId, notBefore, notAfter, issuer };
}
