// The gate of a pipeline: whether a version of a Secret, or a later one, was evaluated and is ready, or everywhere. An older status passes nothing.
import { PaycertError } from '../../errors.ts';
import { isNewer } from '../../kube/versions.ts';
import { deferredReason, type PaymentCredential } from '../resource.ts';

export type Wanted = 'ready' | 'rolled-out';

export interface Gate {
  readonly isOpen: boolean;
  readonly says: string;
}

/** @throws PaycertError `credential-rejected` when it was evaluated and is not ready */
export function gateOf(resource: PaymentCredential, version: string, wanted: Wanted = 'ready'): Gate {
  const ready = readinessOf(resource, version);
  if (wanted === 'ready' || !ready.isOpen) return ready;
  // It was written together with what was just looked at, so it speaks of the same version.
  const condition = resource.status?.conditions.find(({ type }) => type === 'RolledOut');
  if (condition === undefined) return { isOpen: false, says: `${ready.says}; its operator runs without --fleet` };
  const says = printable(`RolledOut ${condition.status}, ${condition.reason}: ${condition.message}`);
  return { isOpen: condition.status === 'True', says };
}

function readinessOf({ name, generation, status }: PaymentCredential, version: string): Gate {
  const { observedSecretVersion: seen, observedGeneration, conditions = [] } = status ?? {};
  const ready = conditions.find(({ type }) => type === 'Ready');
  const says = ready === undefined ? 'it has no status yet' : printable(`${ready.reason}: ${ready.message}`);
  if (seen === undefined || isNewer(version, seen)) {
    const other = seen === undefined ? '' : `, which is about version ${printable(seen)} of the Secret`;
    return { isOpen: false, says: `${says}${other}` };
  }
  // The spec has changed since: what it says of the Secret may not hold.
  if (observedGeneration !== generation) return { isOpen: false, says: `${says}, which is about an older spec` };
  if (ready?.status === 'True') return { isOpen: true, says: `version ${seen} of the Secret is evaluated and ready` };
  // Good, and current by itself at its time. Whether that is soon enough depends on what is current until then.
  if (ready?.reason === deferredReason) return { isOpen: status?.deferred?.isBridged === true, says };
  const message = `${name} is not ready with version ${printable(seen)} of the Secret: ${says}`;
  throw new PaycertError('credential-rejected', message);
}

/** A status may come from anybody who may write one; this is for a terminal. */
const printable = (text: string): string => text.replaceAll(/\p{C}/gu, ' ');
