// Whose keys a status lists: of the Secret as it is stored, or, while that has none to show, of what was accepted last.
import type { PaycertError } from '../../errors.ts';
import type { Key, Status } from '../resource.ts';
import type { SecretEvaluation } from './evaluate.ts';

export interface ListedKeys {
  readonly keys: readonly Key[];
  /** When they were made, as the Secret says. */
  readonly createdAt?: string | undefined;
  /** Undefined where nothing is listed. */
  readonly owner: 'Stored' | 'Accepted' | undefined;
  /** Of what was accepted last, where another set is listed: a later status may have to list it again. */
  readonly acceptedKeys?: readonly Key[] | undefined;
}

/** Never those of an earlier Secret that was rejected: it is neither stored now nor in use. */
export function listedKeys(
  secret: SecretEvaluation | undefined,
  error: PaycertError | undefined,
  previous: Status | undefined,
): ListedKeys {
  const acceptedKeys = acceptedBefore(previous);
  if (secret && secret.keys.length > 0) {
    const { keys, createdAt } = secret;
    const isAccepted = secret.violations.length === 0 || secret.snapshotId === previous?.accepted?.snapshotId;
    const made = createdAt instanceof Date ? createdAt.toISOString() : undefined;
    return { keys, createdAt: made, owner: 'Stored', acceptedKeys: isAccepted ? undefined : acceptedKeys };
  }
  // What is stored cannot be read now, or by nobody's rules: what is known of it stays.
  if (error && error.kind !== 'material' && error.code !== 'object-missing') {
    const { keys = [], keysOf: owner, createdAt, acceptedKeys: apart } = previous ?? {};
    return { keys, createdAt, owner, acceptedKeys: apart };
  }
  if (acceptedKeys === undefined) return { keys: [], owner: undefined };
  return { keys: acceptedKeys, createdAt: previous?.accepted?.createdAt, owner: 'Accepted' };
}

function acceptedBefore({ accepted, acceptedKeys, rejected, keys }: Partial<Status> = {}): readonly Key[] | undefined {
  if (accepted === undefined || acceptedKeys) return acceptedKeys;
  const isListed = rejected?.snapshotId === undefined || rejected.snapshotId === accepted.snapshotId;
  return isListed ? keys : undefined;
}
