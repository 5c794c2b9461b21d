// What a sidecar reports of its credentials for the view of a fleet: facts of entries, and the schema by which a reader takes them from a stranger.
import Type, { type Static } from 'typebox';
import { roles } from '../providers/roles.ts';
import { ownSnapshotId } from './snapshot.ts';
import { isTried } from './staged.ts';
import type { Entry } from './store.ts';

/** One line: it ends in a status and in a terminal. */
const Text = (maxLength: number) => Type.String({ maxLength, pattern: '^[^\\x00-\\x1f\\x7f-\\x9f]*$' });

const CredentialSightingSchema = Type.Object({
  name: Text(253),
  /** The PaymentCredential that it follows, and its namespace where that is not the pod's own. */
  resource: Type.Optional(Text(253)),
  namespace: Type.Optional(Text(63)),
  snapshotId: Type.Optional(Text(64)),
  /** The key that signs, where its id is public. */
  keyId: Type.Optional(Text(256)),
  /** Since when this process has that snapshot. */
  loadedAt: Type.Optional(Text(32)),
  /** Codes of why the newest material is not current, or cannot be read. */
  rejection: Type.Optional(Text(64)),
  deferredUntil: Type.Optional(Text(32)),
  unreadable: Type.Optional(Text(64)),
  frozen: Type.Optional(Type.Boolean()),
  /** Whether a next set signs here by a share. */
  canary: Type.Optional(Type.Boolean()),
  /** The snapshot of a next set that its platform refuses here. */
  canaryRejected: Type.Optional(Text(64)),
  suspended: Type.Optional(Type.Boolean()),
});

/** A line of an audit: its number, and the first 52 bits of its digest. */
const line = {
  seq: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  number: Type.Integer({ minimum: 0, maximum: 2 ** 52 - 1 }),
};

const time = '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z$';

/** Members that it does not name are of a later version, and are not read. */
export const SightingSchema = Type.Object({
  version: Text(64),
  credentials: Type.Array(CredentialSightingSchema, { maxItems: 5000 }),
  /** The last line that is kept; and which one this process has continued, and when. Without that, none continues another's. */
  audit: Type.Optional(
    Type.Object({ ...line, from: Type.Optional(Type.Object({ ...line, at: Type.String({ pattern: time }) })) }),
  ),
});

export type Sighting = Static<typeof SightingSchema>;
export type CredentialSighting = Sighting['credentials'][number];

/** Snapshot ids are in the metrics of the same port; nothing else here is derived from a secret. */
export const describeForFleet = (version: string, entries: readonly Entry[], audit?: Sighting['audit']): Sighting => ({
  version,
  credentials: entries.map(describeEntry),
  ...(audit && { audit }),
});

function describeEntry(entry: Entry): CredentialSighting {
  const { name, follows, snapshot, rejection, deferral, sourceError, frozenPaths = [], staged, suspendedSince } = entry;
  const signer = snapshot?.context.set.signer?.facts;
  return {
    name,
    ...(follows && {
      resource: follows.name,
      ...(follows.namespace !== undefined && { namespace: follows.namespace }),
    }),
    ...(snapshot && { snapshotId: ownSnapshotId(snapshot.context.set), loadedAt: snapshot.loadedAt.toISOString() }),
    ...(signer && roles[signer.role].holds !== 'secret' && { keyId: signer.keyId }),
    ...(rejection && { rejection: rejection.error.code }),
    ...(deferral && { deferredUntil: deferral.until.toISOString() }),
    ...(sourceError && { unreadable: sourceError.error.code }),
    ...(frozenPaths.length > 0 && { frozen: true }),
    ...(staged && isTried(staged) && { canary: true }),
    ...(staged?.isRejected === true && staged.snapshotId !== undefined && { canaryRejected: staged.snapshotId }),
    ...(suspendedSince && { suspended: true }),
  };
}
