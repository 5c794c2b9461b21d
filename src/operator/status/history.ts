// The last snapshots that were accepted, the newest first: when, and which program wrote the Secret. Kept in the status.
import type { KubeObject } from '../../kube/resources.ts';
import type { Status } from '../resource.ts';
import type { SecretEvaluation } from './evaluate.ts';

type History = NonNullable<Status['history']>;

/** A rotation every month, for most of a year. */
const mostRemembered = 10;

/** The field manager that wrote the keys last, as the API server keeps it: a program, and not a person. */
export function writerOf({
  metadata: { name, managedFields = [] },
}: KubeObject): NonNullable<SecretEvaluation['writer']> {
  const ofData = managedFields.filter(({ fieldsV1 }) => Object.hasOwn(fieldsV1 ?? {}, 'f:data'));
  const last = ofData.toSorted((a, b) => (a.time ?? '').localeCompare(b.time ?? '')).at(-1);
  return { secret: name, manager: last?.manager };
}

/** One that comes back, as of a rollback, is listed again: it is current again since then. */
export function historyOf(
  accepted: Status['accepted'],
  secret: SecretEvaluation | undefined,
  previous: Status | undefined,
  now: Date,
): Status['history'] {
  const { history = [] } = previous ?? {};
  if (accepted === undefined || secret?.snapshotId !== accepted.snapshotId) return previous?.history;
  if (history[0]?.snapshotId === accepted.snapshotId) return history;
  const { writer, signer } = secret;
  const entry: History[number] = {
    snapshotId: accepted.snapshotId,
    time: now.toISOString(),
    secretResourceVersion: accepted.secretResourceVersion,
    ...(writer && { secret: writer.secret }),
    ...(writer?.manager !== undefined && { manager: writer.manager }),
    ...(signer && { keyId: signer.keyId }),
  };
  return [entry, ...history].slice(0, mostRemembered);
}
