// Metrics that are facts of the store at the time of a scrape: help, labels, and how to read them off an entry.
import { decisive, roles } from '../providers/roles.ts';
import { partOf } from '../store/staged.ts';
import { agesIn, awaitedAt, isBridged, isReady } from '../store/store.ts';
import type { MetricRow } from './counted/row.ts';
import type { Sample } from './fact-gauge.ts';
import type { EntryFacts } from './steady-entries.ts';

const credential = 'credential';
const activeParts = { none: 'false', some: 'some', all: 'true' } as const;

/** Facts of the store, computed at the scrape: a series lives exactly as long as its object. */
export const gauges = {
  paycert_certificate_not_after_timestamp_seconds: {
    about: 'keys',
    help: 'When the certificate that is current in memory expires; for platform certificates, the latest of the set; for those presented in TLS, the first.',
    more: 'The set verifies until then; a certificate that is presented in TLS may be the only one that a peer sees. Only [roles](#roles) that expire.',
    labels: [credential, 'role'],
    read: (entry: EntryFacts) => byRole(entry, ({ notAfter }) => notAfter, decisive),
  },
  paycert_certificate_not_before_timestamp_seconds: {
    about: 'keys',
    help: 'Since when the certificate that is current in memory is valid; for platform certificates, the latest of the set.',
    labels: [credential, 'role'],
    read: (entry: EntryFacts) =>
      byRole(
        entry,
        ({ notBefore }) => notBefore,
        (_, a, b) => Math.max(a, b),
      ),
  },
  paycert_key_replace_by_timestamp_seconds: {
    about: 'keys',
    help: 'When a key that is current in memory is as old as maxAge allows, counted from what this process knows; of several of a role, the first.',
    more: 'What it knows is `created_at`, or when it loaded the key first: [key age](configuration.md#key-age). Only roles that have an age.',
    labels: [credential, 'role'],
    read: (entry: EntryFacts) => {
      const ages = agesIn(entry);
      return byRole(
        entry,
        (key) => ages.get(key)?.replaceBy,
        (_, a, b) => Math.min(a, b),
      );
    },
  },
  paycert_generation: {
    about: 'reloads',
    help: 'How many times this process has made new material of this credential current.',
    more: '0 before the first.',
    labels: [credential],
    read: ({ snapshot }: EntryFacts) => [{ value: snapshot?.generation ?? 0 }],
  },
  paycert_snapshot_info: {
    about: 'keys',
    help: 'Always 1; the snapshot id is equal in every process that loaded the same keys.',
    more: 'Pods that differ show here.',
    labels: [credential, 'snapshot_id'],
    read: ({ snapshot }: EntryFacts) => (snapshot ? [{ snapshot_id: snapshot.snapshotId, value: 1 }] : []),
  },
  paycert_key_info: {
    about: 'keys',
    help: 'Always 1: what names each key that is current in memory, for the texts of alerts. Secrets have none: the port has no token.',
    labels: [credential, 'role', 'key_id'],
    read: ({ snapshot }: EntryFacts) => {
      const keys = (snapshot?.context.set.keys ?? []).filter(({ role }) => roles[role].holds !== 'secret');
      const known = new Map(keys.map(({ role, keyId }) => [`${role} ${keyId}`, { role, key_id: keyId, value: 1 }]));
      return [...known.values()];
    },
  },
  paycert_suspended_since_timestamp_seconds: {
    about: 'keys',
    help: 'Since when the PaymentCredential that a credential follows is suspended; absent while it is not.',
    labels: [credential],
    read: ({ suspendedSince }: EntryFacts) => (suspendedSince ? [{ value: suspendedSince.getTime() / 1000 }] : []),
  },
  paycert_credential_ready: {
    about: 'keys',
    help: 'Whether the credential can do now what it must (1) or not (0).',
    more: 'It must do what its `require` lists. An expired certificate makes it 0.',
    labels: [credential],
    isLive: true,
    read: (entry: EntryFacts, now: Date) => [{ value: Number(isReady(entry, now)) }],
  },
  paycert_reload_last_successful: {
    about: 'reloads',
    help: 'Whether the newest material is current (1), or was rejected or cannot be read, or its PaymentCredential cannot be followed (0). Deferred material counts as 0 unless the current set lasts until it is valid.',
    more: '[Deferred](runbook.md#paycertmaterialdeferred) is good material that is not valid yet, or not confirmed by its platform.',
    labels: [credential],
    read: (entry: EntryFacts) => {
      const { snapshot, rejection, sourceError, resourceError } = entry;
      const isWaiting = awaitedAt(entry) !== undefined && !isBridged(entry);
      return [{ value: Number(snapshot !== undefined && !rejection && !sourceError && !resourceError && !isWaiting) }];
    },
  },
  paycert_deferred_until_timestamp_seconds: {
    about: 'reloads',
    help: 'When the newest material, which is good and not valid yet, becomes current by itself; or when waiting for a verdict of its platform ends.',
    more: 'Absent otherwise.',
    labels: [credential],
    read: (entry: EntryFacts) => {
      const until = awaitedAt(entry);
      return until ? [{ value: until.getTime() / 1000 }] : [];
    },
  },
  paycert_reload_last_success_timestamp_seconds: {
    about: 'reloads',
    help: 'When material of this credential last became current.',
    more: 'Absent before the first.',
    labels: [credential],
    read: ({ snapshot }: EntryFacts) => (snapshot ? [{ value: snapshot.loadedAt.getTime() / 1000 }] : []),
  },
  paycert_apiv3_key_proven: {
    about: 'keys',
    help: 'Whether the APIv3 key has opened something that WeChat Pay wrote (1) or not yet (0).',
    more: 'Absent without a key.',
    labels: [credential],
    isLive: true,
    read: ({ snapshot }: EntryFacts) =>
      snapshot?.context.set.isProven ? [{ value: Number(snapshot.context.set.isProven()) }] : [],
  },
  paycert_unopened: {
    about: 'operations',
    help: 'What the current keys could not open since they last opened something of its kind, by reason.',
    more: 'Labels as those of `paycert_unopened_total`. Absent where everything opens.',
    labels: [credential, 'kind', 'reason'],
    isLive: true,
    read: ({ snapshot }: EntryFacts) =>
      (snapshot?.unopened ?? []).map(({ kind, error, count }) => ({ kind, reason: error.code, value: count })),
  },
  paycert_warnings: {
    about: 'keys',
    help: 'Warnings about the material that is current, by code.',
    labels: [credential, 'code'],
    isLive: true,
    read: ({ snapshot }: EntryFacts, now: Date) =>
      countByCode(snapshot?.context.set.warnings(now).map(({ code }) => code) ?? []),
  },
  paycert_source_fallback: {
    about: 'reloads',
    help: 'Whether material was last read from a fallback, since better sources could not be read (1), or not (0).',
    labels: [credential],
    read: ({ fallback }: EntryFacts) => [{ value: Number(fallback !== undefined) }],
  },
  paycert_staged: {
    about: 'reloads',
    help: 'Of a staged source, always 1: whether the next set signs in this process, and whether the other set is valid.',
    more: '`active`: whether the next set signs, or `some`: a share of the requests. `valid`: whether the set beside it, which verifies and decrypts, is of use.',
    labels: [credential, 'active', 'valid'],
    read: ({ staged }: EntryFacts) =>
      staged ? [{ active: activeParts[partOf(staged)], valid: String(staged.error === undefined), value: 1 }] : [],
  },
  paycert_canary_rejected: {
    about: 'reloads',
    help: 'Of a staged source: whether the next set would sign here, and its platform refuses too many signatures (1), or not (0).',
    labels: [credential],
    read: ({ staged }: EntryFacts) => (staged ? [{ value: Number(staged.isRejected === true) }] : []),
  },
  paycert_platform_certificates_listed_timestamp_seconds: {
    about: 'keys',
    help: 'When the platform last gave the list of the certificates that it signs with.',
    more: 'Absent before the first, and without [platformCertificates](configuration.md#credentials).',
    labels: [credential],
    read: ({ certificateList }: EntryFacts) =>
      certificateList?.listedAt ? [{ value: certificateList.listedAt.getTime() / 1000 }] : [],
  },
  paycert_platform_certificates_failing: {
    about: 'keys',
    help: 'Whether the last download of platform certificates failed (1) or not (0); those that are known stay.',
    more: 'A merchant that is verified with a public key only has none to download: 0. Absent before the first.',
    labels: [credential],
    read: ({ certificateList }: EntryFacts) =>
      certificateList ? [{ value: Number(certificateList.outcome === 'failed') }] : [],
  },
  paycert_restored_since_timestamp_seconds: {
    about: 'reloads',
    help: 'Since when material that was kept before a restart is current, because the newest is not accepted or cannot be read. Absent otherwise.',
    labels: [credential],
    read: ({ restored }: EntryFacts) => (restored ? [{ value: restored.at.getTime() / 1000 }] : []),
  },
  paycert_last_good_kept: {
    about: 'reloads',
    help: 'Whether the last good material is kept for a restart of the container (1) or not (0).',
    more: 'Absent without `lastGood`, and before the first load.',
    labels: [credential],
    read: ({ kept }: EntryFacts) => (kept ? [{ value: Number(kept.error === undefined) }] : []),
  },
  paycert_frozen_mounts: {
    about: 'keys',
    help: 'Mounted paths that never update, such as subPath mounts.',
    labels: [credential],
    read: ({ frozenPaths = [] }: EntryFacts) => [{ value: frozenPaths.length }],
  },
  paycert_secret_copies: {
    about: 'keys',
    help: 'Annotations of its Secret that hold a copy of the keys, as kubectl apply writes one.',
    more: 'Of a Secret that the sidecar reads by API: a mount does not show annotations, and the operator does (`Exposed`).',
    labels: [credential],
    read: ({ copies = [] }: EntryFacts) => [{ value: copies.length }],
  },
} satisfies Record<string, GaugeRow>;

type KeyFacts = NonNullable<EntryFacts['snapshot']>['context']['set']['keys'][number];

export interface GaugeRow extends MetricRow {
  /** Whether it changes while the entry stays the same: with time, or with what the snapshot counts. */
  readonly isLive?: true;
  readonly read: (entry: EntryFacts, now: Date) => readonly Sample[];
}

function byRole(
  { snapshot }: EntryFacts,
  time: (key: KeyFacts) => Date | undefined,
  choose: typeof decisive,
): Sample[] {
  const found = new Map<string, number>();
  for (const key of snapshot?.context.set.keys ?? []) {
    const seconds = (time(key)?.getTime() ?? Number.NaN) / 1000;
    const known = found.get(key.role) ?? seconds;
    if (!Number.isNaN(seconds)) found.set(key.role, choose(key.role, known, seconds));
  }
  return [...found].map(([role, value]) => ({ role, value }));
}

function countByCode(codes: readonly string[]): Sample[] {
  const counts = new Map<string, number>();
  for (const code of codes) counts.set(code, (counts.get(code) ?? 0) + 1);
  return [...counts].map(([code, value]) => ({ code, value }));
}
