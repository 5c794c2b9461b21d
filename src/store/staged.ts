// The set beside the one that signs: checked before its time, verifies and decrypts already or still, and signs a share of the calls at most.
import { PaycertError } from '../errors.ts';
import type { StagedState } from '../events.ts';
import type { SigningContext } from '../providers/provider.ts';
import { beginsAt, isOfRequests } from '../sources/activation.ts';
import type { Staged } from '../sources/source.ts';
import { findRefusal, findViolations } from './checks.ts';

/** As it is known; without a context it is of no use, and `error` says why. */
export interface StagedSet {
  readonly context?: SigningContext;
  /** It signs a share of the calls. */
  readonly isPartial?: boolean;
  readonly error?: PaycertError;
}

interface Evaluated {
  readonly load: (data: ReadonlyMap<string, Uint8Array>) => Promise<SigningContext>;
  /** The set that signs, and those before it. */
  readonly signing: SigningContext;
  readonly former: readonly SigningContext['set'][];
  readonly older: 'accept' | 'reject';
}

const passed: ReadonlySet<string> = new Set(['certificate-expired', 'security-token-expired']);

/** What has expired still verifies what was signed for it; anything else that is wrong with a former set keeps it out. */
export const keepsOut = ({ code }: PaycertError): boolean => !passed.has(code);

/** The next set is evaluated as of the time at which it is to sign. */
export async function evaluateStaged(
  { other, activation, isActive }: Staged,
  { load, signing, former, older }: Evaluated,
  now: Date,
): Promise<StagedSet> {
  if (other instanceof PaycertError) return { error: other };
  const context = await load(other);
  const sets = [signing.set, ...former];
  if (isActive) {
    const violations = await findViolations({ context, current: undefined, former: sets, older: 'accept' }, now);
    const error = violations.find(keepsOut);
    return error ? { error } : { context };
  }
  const begins = beginsAt(activation);
  const then = begins && now < begins ? begins : now;
  const refusal = await findRefusal({ context, current: signing.set, former: sets, older }, then);
  return refusal ? { error: refusal.error } : { context };
}

/** `id`: equal in every process that loaded the same keys. */
export function describeStaged(
  { activation, share, isActive, isRejected }: Staged,
  { context, isPartial = false, error }: StagedSet,
  id: (set: SigningContext['set']) => string,
): StagedState {
  return {
    isActive,
    ...(isRejected && { isRejected }),
    ...(isPartial && { isPartial }),
    ...('at' in activation ? { until: activation.at } : { percent: share }),
    ...(isOfRequests(activation) && { of: 'requests' as const }),
    ...(context && { keyId: context.set.signer?.facts.keyId, snapshotId: id(context.set) }),
    ...(error && { error }),
  };
}

/** How much the next set signs here. */
export const partOf = ({ isActive, isPartial = false }: StagedState): 'none' | 'some' | 'all' =>
  isActive ? 'all' : isPartial ? 'some' : 'none';

/** Whether it does so by a share, which a platform's word ends. */
export const isTried = (staged: StagedState): boolean =>
  partOf(staged) !== 'none' && staged.percent !== undefined && staged.percent < 100;
