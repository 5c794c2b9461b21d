// What is written in place of a status that the API server refuses: conditions, ages of keys, and all else as it was before.
import type { Condition, Status } from '../resource.ts';
import { boundStatus } from './bounds.ts';

/**
 * What it accepted before it accepts again. Ages of keys are written: without them a key would look younger. `Ready` is
 * unknown to everybody who reads the status only, and says why.
 */
export function refusedStatus(previous: Status | undefined, status: Status, now: Date): Status {
  const { conditions, observedGeneration, createdAt, firstSeen } = status;
  const before = previous?.conditions.find(({ type }) => type === 'Ready');
  const lastTransitionTime = before?.status === 'Unknown' ? before.lastTransitionTime : now.toISOString();
  const told = conditions.map((condition): Condition => {
    if (condition.type !== 'Ready') return condition;
    const found = `What the operator found: ${condition.status}, ${condition.reason}. ${condition.message}`;
    return {
      ...condition,
      status: 'Unknown',
      reason: 'StatusRefused',
      message: `${refusal} ${found}`,
      lastTransitionTime,
    };
  });
  const ages = { ...(createdAt !== undefined && { createdAt }), ...(firstSeen && { firstSeen }) };
  return boundStatus({ ...previous, ...ages, observedGeneration, conditions: told });
}

const refusal =
  'The API server refuses the whole status: conditions are new, keys and snapshots are as they were before. Install the CustomResourceDefinition of the operator’s version.';
