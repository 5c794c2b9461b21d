// PaymentCredential as the API server keeps it: what is cached of one, and the schema of its status.
import Type, { type Static } from 'typebox';
import { suspendedSince } from '../config/resource.ts';
import type { KubeObject } from '../kube/resources.ts';
import { type Kind, ResourceKey } from './resource-key.ts';

const Text = (maxLength: number, description: string) => Type.String({ maxLength, description });
const Time = (description: string) => Type.String({ format: 'date-time', maxLength: 32, description });
const snapshotId = Text(64, 'Equal in every process that loaded the same keys.');
const secretResourceVersion = Text(64, 'The version of the Secret.');

const ConditionSchema = Type.Object({
  type: Text(
    316,
    'Ready, Valid, Deferred, Expiring, TooOld, RolledOut where sidecars are asked, Staged of two sets, and CertificatesCurrent where platform certificates are downloaded; while they are True also CanaryRejected, Reconciling, Stalled, Exposed and Overridden.',
  ),
  status: Type.Union([Type.Literal('True'), Type.Literal('False'), Type.Literal('Unknown')]),
  reason: Text(1024, 'One word for programs.'),
  message: Text(4096, 'What it means and what to do.'),
  lastTransitionTime: Time('Since when the status is what it is.'),
  observedGeneration: Type.Integer({ minimum: 0, description: 'The generation of the spec that it speaks of.' }),
});

const KeySchema = Type.Object({
  role: Text(64, 'What the key is for.'),
  id: Text(256, 'What names the key on the wire.'),
  algorithm: Text(64, 'Such as RSA-2048.'),
  fingerprint: Text(128, 'SHA-256 of the certificate or public key; of a symmetric key, a check value of four bytes.'),
  notBefore: Type.Optional(Time('Since when its certificate is valid.')),
  notAfter: Type.Optional(Time('Until when its certificate is valid.')),
  replaceBy: Type.Optional(Time('When it is as old as maxAge allows.')),
});

const keyList = (description: string) =>
  Type.Array(KeySchema, { maxItems: 256, 'x-kubernetes-list-type': 'atomic', description });

const operations = (description: string) =>
  Type.Optional(Type.Array(Text(32, 'An operation.'), { maxItems: 8, description }));

const Count = (description: string) => Type.Integer({ minimum: 0, description });

const FleetSchema = Type.Object(
  {
    current: Count('Pods that have what is stored.'),
    old: Count('Pods that have another snapshot.'),
    deferred: Count('Pods that have what is stored, and wait for its time.'),
    rejected: Count('Pods that reject what is stored, and keep what they had.'),
    unknown: Count('Pods that do not answer, or say nothing of this credential.'),
    snapshotId: Type.Optional(Text(64, 'What is stored; absent where it has no keys that can be read.')),
    oldestKeyId: Type.Optional(Text(256, 'The key that has signed for longest in a Pod without what is stored.')),
    oldestSince: Type.Optional(Time('Since when it signs there.')),
    auditsCut: Type.Optional(Count('Pods whose audit is continued below the end that was known: lines were cut off.')),
    since: Time('Since when RolledOut is what it is for this snapshot.'),
  },
  { description: 'How many Pods that run have what is stored, as their sidecars say. Absent where nobody asks them.' },
);

const StagedSchema = Type.Object(
  {
    set: Type.Union([Type.Literal('Next'), Type.Literal('Current')], {
      description:
        'Which of the two: the next one, which waits or is tried, or the current one, which it has replaced.',
    }),
    secret: Text(253, 'The Secret that holds it.'),
    secretResourceVersion: Type.Optional(secretResourceVersion),
    snapshotId: Type.Optional(snapshotId),
    keyId: Type.Optional(Text(256, 'The key that it would sign with.')),
    notAfter: Type.Optional(Time('Until when the certificate of that key is valid.')),
    at: Type.Optional(Time('When the next set signs, as the resource says.')),
    percent: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 100,
        description: 'The share of Pods, or of their requests, in which the next set signs.',
      }),
    ),
  },
  {
    description:
      'Of two staged sets, the one that does not sign everywhere: all else in the status is about the other one. The condition Staged says whether it is valid.',
  },
);

const CanarySchema = Type.Object(
  {
    snapshotId: Text(64, 'Of the next set.'),
    secret: Text(253, 'The Secret that holds it.'),
    activation: Text(1024, 'The activation that it is about, as JSON. Another one is another trial.'),
    time: Time('When a Pod said so first.'),
  },
  {
    description:
      'The next set that the platform refused in a Pod: it signs nowhere until its Secret or the activation changes.',
  },
);

const HistorySchema = Type.Object({
  snapshotId,
  time: Time('Since when it was the accepted one.'),
  keyId: Type.Optional(Text(256, 'The key that signs.')),
  secret: Type.Optional(Text(253, 'The Secret that held it.')),
  secretResourceVersion,
  manager: Type.Optional(
    Text(128, 'The field manager that had written the Secret, such as kubectl-replace: a program, not a person.'),
  ),
});

const SeenSchema = Type.Object({
  fingerprint: Text(128, 'Of the key, as under keys.'),
  time: Time('When a Secret held it first.'),
});

export const StatusSchema = Type.Object(
  {
    observedGeneration: Type.Integer({
      minimum: -1,
      description: 'The generation of the spec that it speaks of; -1 until the operator has written a status.',
    }),
    observedSecretVersion: Type.Optional(
      Text(
        64,
        'The resourceVersion of the Secret that the conditions speak of; absent when it is not there or cannot be read.',
      ),
    ),
    provider: Type.Optional(Text(64, 'The kind of provider.')),
    keyId: Type.Optional(Text(256, 'The key that signs, of what was accepted last.')),
    notAfter: Type.Optional(
      Time('Until when the certificate of the key that signs is valid, of what was accepted last.'),
    ),
    conditions: Type.Array(ConditionSchema, {
      maxItems: 16,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
    }),
    accepted: Type.Optional(
      Type.Object(
        {
          snapshotId,
          secretResourceVersion,
          time: Time('When it was first accepted.'),
          notBefore: Type.Optional(Time('Of the certificate of the key that signs.')),
          capabilities: Type.Array(Text(32, 'A capability.'), { maxItems: 8, description: 'What it is able to do.' }),
          trust: Type.Optional(
            Type.Array(Text(253, 'The name of a part.'), {
              maxItems: 64,
              description: 'Parts that hold authorities: an empty part does not replace one of them.',
            }),
          ),
          createdAt: Type.Optional(Time('When its keys were made, as the Secret said.')),
          until: Type.Optional(Time('When it ends to do what is required of it.')),
          can: operations('What its keys do now; encrypt is for the platform.'),
          cannot: operations('What its platform has and its keys do not do now: a part is missing, or has expired.'),
          ignored: Type.Optional(
            Type.Array(Text(253, 'The name of a part.'), {
              maxItems: 64,
              description: 'Parts of the Secret that nothing reads: misspelled, or of something else.',
            }),
          ),
        },
        { description: 'What passed every check last: sidecars that run have it.' },
      ),
    ),
    rejected: Type.Optional(
      Type.Object(
        {
          snapshotId: Type.Optional(snapshotId),
          secretResourceVersion,
          time: Time('When it was first rejected.'),
          reason: Text(1024, 'Why, in one word.'),
          message: Text(4096, 'Why, and what to do.'),
        },
        { description: 'The Secret as it is stored, if it does not pass.' },
      ),
    ),
    deferred: Type.Optional(
      Type.Object(
        {
          snapshotId,
          secretResourceVersion,
          time: Time('When it was first deferred.'),
          until: Time('When it becomes current by itself.'),
          reason: Text(1024, 'Why, in one word.'),
          isBridged: Type.Boolean({
            description: 'Whether what was accepted lasts until then. If not, somebody must act.',
          }),
        },
        { description: 'The Secret as it is stored, if it is good and not valid yet.' },
      ),
    ),
    history: Type.Optional(
      Type.Array(HistorySchema, {
        maxItems: 10,
        'x-kubernetes-list-type': 'atomic',
        description: 'The snapshots that were accepted last, the newest first.',
      }),
    ),
    staged: Type.Optional(StagedSchema),
    canaryRejected: Type.Optional(CanarySchema),
    fleet: Type.Optional(FleetSchema),
    keys: Type.Optional(
      keyList(
        'Every key of the Secret as it is stored; while that is not there or cannot be parsed, of what was accepted last. The conditions Expiring and TooOld are about these.',
      ),
    ),
    keysOf: Type.Optional(
      Type.Union([Type.Literal('Stored'), Type.Literal('Accepted')], {
        description: 'Whose keys are listed: of the Secret as it is stored, or of what was accepted last.',
      }),
    ),
    acceptedKeys: Type.Optional(
      keyList('The keys of what was accepted last, while keys lists those of a Secret that was rejected.'),
    ),
    createdAt: Type.Optional(Time('When the listed keys were made, as the Secret says.')),
    firstSeen: Type.Optional(
      Type.Array(SeenSchema, {
        maxItems: 288,
        'x-kubernetes-list-type': 'atomic',
        description:
          'Since when your own keys are known; also of those that have gone, so that one that comes back is as old as it is.',
      }),
    ),
  },
  { description: 'Written by the operator.' },
);

/**
 * What the API server gives a resource that no operator has seen: Helm and Flux take a resource without a status for one that
 * is as it should be.
 */
export const unwrittenStatus = { observedGeneration: -1, conditions: [] };

export type Status = Static<typeof StatusSchema>;
export type Condition = Static<typeof ConditionSchema>;
export type Key = Static<typeof KeySchema>;

/** For negative conditions True is bad, and Unknown is not. */
const badWhenTrue: ReadonlySet<string> = new Set([
  'Expiring',
  'TooOld',
  'Reconciling',
  'Stalled',
  'Exposed',
  'Overridden',
  'CanaryRejected',
]);

/** Of a status, whether a condition of it asks for somebody. What is deferred asks for nobody while what was accepted lasts. */
export function isBad(
  { type, status, reason }: Pick<Condition, 'type' | 'status' | 'reason'>,
  { deferred }: Pick<Status, 'deferred'>,
): boolean {
  // A rotation takes its time; how long is too long, an alert knows.
  if (type === 'RolledOut') return false;
  if (type === 'Deferred' || reason === deferredReason) return deferred?.isBridged === false;
  return badWhenTrue.has(type) ? status === 'True' : status !== 'True';
}

/** Of Ready and Valid, while what is stored waits for its time. */
export const deferredReason = 'Deferred';

/** What is cached of a PaymentCredential, or of a Secret with equivalent labels. */
export interface PaymentCredential {
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  /** As somebody wrote it; the API server has checked most of it. */
  readonly spec: unknown;
  /** Undefined while it is not. */
  readonly suspendedSince?: Date | undefined;
  /** As we wrote it. */
  readonly status: Status | undefined;
}

export function readResource(object: KubeObject): PaymentCredential {
  const { metadata, spec, status } = object;
  const { namespace = '', name, uid = '', resourceVersion = '', generation = 0 } = metadata;
  const { conditions, observedGeneration = 0 } = (status ?? {}) as Partial<Status>;
  const isWritten = conditions !== undefined && observedGeneration >= 0;
  return {
    kind: 'PaymentCredential',
    namespace,
    name,
    uid,
    resourceVersion,
    generation,
    spec,
    suspendedSince: suspendedSince(object),
    status: isWritten ? (status as Status) : undefined,
  };
}

/** What Pods are to have: the snapshot of the Secret as it is stored. Undefined while that is not there; empty, as no Pod’s is, where it has no keys. */
export function storedSnapshotId({ observedSecretVersion, rejected, deferred, accepted }: Partial<Status> = {}) {
  const stored = rejected ?? deferred ?? accepted;
  return observedSecretVersion === undefined || stored === undefined ? undefined : (stored.snapshotId ?? '');
}

interface NamedSecret {
  readonly name: string;
  readonly keys?: object | undefined;
}

/** The Secrets that a spec names, of whatever shape it is; of two staged sets the current one first. */
export function namedSecrets(spec: unknown): readonly NamedSecret[] {
  const { source } = (spec ?? {}) as { source?: { secret?: unknown; staged?: Readonly<Record<string, unknown>> } };
  const secretIn = (set: unknown) => ((set ?? {}) as { secret?: unknown }).secret;
  const { current, next } = source?.staged ?? {};
  return [source?.secret, secretIn(current), secretIn(next)].filter(
    (secret): secret is NamedSecret => typeof (secret as Partial<NamedSecret> | null | undefined)?.name === 'string',
  );
}

/** The Secret that platform certificates are downloaded into, whatever shape the spec has. */
export function downloadedInto({ namespace, spec }: Pick<PaymentCredential, 'namespace' | 'spec'>): ResourceKey[] {
  const { platformCertificates } = (spec ?? {}) as { platformCertificates?: { secret?: unknown } | null };
  const name = platformCertificates?.secret;
  return typeof name === 'string' ? [new ResourceKey('Secret', namespace, name)] : [];
}

/** Each of them once. */
export const secretKeysOf = ({ namespace, spec }: Pick<PaymentCredential, 'namespace' | 'spec'>): ResourceKey[] =>
  [...new Set(namedSecrets(spec).map(({ name }) => name))].map((name) => new ResourceKey('Secret', namespace, name));
