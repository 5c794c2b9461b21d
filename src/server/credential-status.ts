// What is known of a credential, for people and dashboards. Holds no secret.
import type { Static } from 'typebox';
import { detailOf, type PaycertError } from '../errors.ts';
import type { KeyFacts } from '../providers/provider.ts';
import { abilitiesOf } from '../store/abilities.ts';
import { lacking } from '../store/snapshot.ts';
import { agesIn, type Entry, isReady } from '../store/store.ts';
import type { CredentialStatus } from './schema.ts';

type Status = Static<typeof CredentialStatus>;

const describeKey = ({ notBefore, notAfter, isDownloaded, ...facts }: KeyFacts): Status['keys'][number] => ({
  ...facts,
  ...(isDownloaded && { downloaded: true }),
  ...(notBefore && { notBefore: notBefore.toISOString() }),
  ...(notAfter && { notAfter: notAfter.toISOString() }),
});

function describeCurrent(entry: Entry): Status['keys'] {
  const ages = agesIn(entry);
  return (entry.snapshot?.context.set.keys ?? []).map((key) => {
    const age = ages.get(key);
    return { ...describeKey(key), ...(age && { replaceBy: age.replaceBy.toISOString() }) };
  });
}

/** More names than that are a directory of something else. */
const maxIgnored = 64;

function describeAbilities({ snapshot }: Entry, now: Date): Pick<Status, 'can' | 'cannot' | 'ignored'> {
  if (snapshot === undefined) return { can: [], cannot: [], ignored: [] };
  const { can, cannot } = abilitiesOf(snapshot.context, now);
  return { can: [...can], cannot: [...cannot], ignored: (snapshot.context.set.ignored ?? []).slice(0, maxIgnored) };
}

/** Why something is not as it should be, and what to do. */
export const notice = (error: PaycertError, at?: Date): Status['warnings'][number] => ({
  code: error.code,
  detail: detailOf(error),
  hint: error.hint,
  ...(at && { at: at.toISOString() }),
});

export function describeCredential(entry: Entry, now: Date): Status {
  const {
    name,
    provider,
    isRequired,
    requires,
    suspendedSince,
    snapshot,
    lastReload,
    rejection,
    deferral,
    sourceError,
    resourceError,
    staged,
    restored,
    kept,
    frozenPaths,
    copies,
    references = [],
  } = entry;
  return {
    name,
    provider,
    required: isRequired,
    ready: isReady(entry, now),
    lacking: [...lacking(snapshot, requires, now)],
    ...describeAbilities(entry, now),
    ...(suspendedSince && { suspended: true }),
    ...(snapshot && {
      generation: snapshot.generation,
      snapshotId: snapshot.snapshotId,
      ...(snapshot.version !== undefined && { version: snapshot.version }),
      loadedAt: snapshot.loadedAt.toISOString(),
      ...(snapshot.context.set.isProven && {
        apiv3Key: snapshot.context.set.isProven() ? ('proven' as const) : ('unproven' as const),
      }),
    }),
    keys: describeCurrent(entry),
    retired: (snapshot?.retired ?? [])
      .filter(({ until }) => now < until)
      .map(({ snapshotId, until, context }) => ({
        snapshotId,
        until: until.toISOString(),
        keys: context.set.keys.map(describeKey),
      })),
    warnings: snapshot?.context.set.warnings(now).map((warning) => notice(warning)) ?? [],
    ...(lastReload && { lastReload: { at: lastReload.at.toISOString(), outcome: lastReload.outcome } }),
    ...(rejection && { rejection: notice(rejection.error, rejection.at) }),
    ...(deferral && { deferral: { ...notice(deferral.error, deferral.at), until: deferral.until.toISOString() } }),
    ...(staged && { staged: describeStaged(staged) }),
    ...(entry.certificateList && { platformCertificates: describeList(entry.certificateList) }),
    ...(restored && { restored: { at: restored.at.toISOString(), keptAt: restored.keptAt.toISOString() } }),
    ...(kept && { lastGood: describeKept(kept) }),
    ...(sourceError && { sourceError: notice(sourceError.error, sourceError.at) }),
    ...(resourceError && { resourceError: notice(resourceError.error, resourceError.at) }),
    ...describeUnopened(snapshot),
    ...(frozenPaths && { frozenPaths: [...frozenPaths] }),
    ...(copies && { copies: [...copies] }),
    ...(references.length > 0 && { references: references.map((one) => ({ ...one })) }),
  };
}

const describeStaged = ({
  isActive,
  isRejected,
  until,
  percent,
  of,
  keyId,
  snapshotId,
  error,
}: NonNullable<Entry['staged']>): NonNullable<Status['staged']> => ({
  active: isActive,
  ...(isRejected === true && { rejected: true }),
  ...(until && { until: until.toISOString() }),
  ...(percent !== undefined && { percent }),
  ...(of && { of }),
  ...(keyId !== undefined && { keyId }),
  ...(snapshotId !== undefined && { snapshotId }),
  ...(error && { reason: notice(error) }),
});

const describeList = ({
  at,
  outcome,
  listedAt,
  error,
}: NonNullable<Entry['certificateList']>): NonNullable<Status['platformCertificates']> => ({
  outcome,
  at: at.toISOString(),
  ...(listedAt && { listedAt: listedAt.toISOString() }),
  ...(error && { reason: notice(error) }),
});

const describeKept = ({ at, error }: NonNullable<Entry['kept']>): NonNullable<Status['lastGood']> => ({
  kept: error === undefined,
  at: at.toISOString(),
  ...(error && { reason: notice(error) }),
});

function describeUnopened(snapshot: Entry['snapshot']): Pick<Status, 'unopened'> {
  const unopened = snapshot?.unopened ?? [];
  if (unopened.length === 0) return {};
  return {
    unopened: unopened.map(({ kind, error, count, since, at }) => ({
      ...notice(error, at),
      kind,
      count,
      since: since.toISOString(),
    })),
  };
}
