// The generic checks, in order. The list is the specification: the first violation names the rejection.
import { publicKeyFingerprint } from '../crypto/x509.ts';
import { PaycertError, violation } from '../errors.ts';
import type { KeyFacts, KeySet, SigningContext } from '../providers/provider.ts';
import { type RoleRow, roles } from '../providers/roles.ts';

/** What a candidate would replace, as far as the checks look at it: no key is needed for that. */
export interface Current extends Pick<KeySet, 'capabilities' | 'trust'> {
  readonly signer?: { readonly facts: Pick<KeyFacts, 'notBefore'> };
}

export interface Candidate {
  readonly context: SigningContext;
  readonly current: Current | undefined;
  /** Sets of the same credential before it, as far as they are kept. */
  readonly former?: readonly KeySet[];
  /** Whether material older than the current one may replace it. */
  readonly older: 'accept' | 'reject';
}

/** A function of a candidate and the time: its violations. */
export type Check = (candidate: Candidate, now: Date) => readonly PaycertError[] | Promise<readonly PaycertError[]>;

/** It parses, nothing is missing, and its parts agree: the provider's own rules. */
const isSound: Check = ({ context }) => context.set.problems;

const rowOf = ({ role }: KeyFacts): RoleRow => roles[role];

/** The key that signs, and every certificate that is presented in TLS: one of them out of date fails somebody. */
export const inUse = ({ signer, keys }: KeySet): readonly KeyFacts[] => [
  ...(signer ? [signer.facts] : []),
  ...keys.filter((facts) => rowOf(facts).isPresented && facts.fingerprint !== signer?.facts.fingerprint),
];

const nameOf = (facts: KeyFacts): string => {
  const { isPresented, expiry } = rowOf(facts);
  if (isPresented) return `the TLS certificate ${facts.keyId}`;
  return `the ${expiry?.name ?? 'certificate'} of the key that signs`;
};

/** not before ≤ now. What is too early and nothing else is deferred until then. */
const isValidYet: Check = ({ context }, now) =>
  inUse(context.set).flatMap((facts) => {
    const { notBefore } = facts;
    if (notBefore === undefined || notBefore <= now) return [];
    const message = `${nameOf(facts)} is not valid before ${notBefore.toISOString()}`;
    return [new PaycertError('certificate-not-yet-valid', message, { retryAt: notBefore })];
  });

/** now < not after. An expired *current* one keeps operating; an expired candidate replaces nothing. */
const isNotExpired: Check = ({ context }, now) =>
  inUse(context.set).flatMap((facts) => {
    const { notAfter } = facts;
    if (notAfter === undefined || now < notAfter) return [];
    const code = rowOf(facts).expiry?.code ?? 'certificate-expired';
    return [new PaycertError(code, `${nameOf(facts)} is not valid after ${notAfter.toISOString()}`)];
  });

/**
 * An empty set never replaces one that verifies: a list that came back empty once is an incident everybody has had.
 * What is not sound is loaded without keys, so it says nothing about the set: its own problems are the news.
 */
const keepsVerifying: Check = ({ context, current }, now) =>
  context.set.problems.length === 0 &&
  current?.capabilities(now).has('verify') === true &&
  !context.set.capabilities(now).has('verify')
    ? [
        new PaycertError(
          'platform-set-emptied',
          'there is no valid platform key any more, and the current snapshot has one',
        ),
      ]
    : [];

/** An empty part in place of one that held authorities would trust everybody whom Node trusts. */
const keepsTrust: Check = ({ context, current }) =>
  (context.set.trust?.empty ?? [])
    .filter((name) => current?.trust?.filled.includes(name))
    .flatMap((name) => violation('trust-emptied', name, 'is empty, and the current one holds authorities'));

const isNotOlder: Check = (candidate) =>
  candidate.older === 'reject' && isRollback(candidate)
    ? [new PaycertError('material-older', 'the certificate of the key that signs is older than the current one')]
    : [];

/** The candidate signs, and its own public key verifies. */
const worksItself: Check = async ({ context }) => {
  const { publicKey, suite } = context.set.signer ?? {};
  const { sign } = context.operations;
  if (publicKey === undefined || suite === undefined || sign === undefined) return [];
  const message = Buffer.from('paycert self-test');
  try {
    const { signature } = await sign(message);
    if (suite.verify(publicKey, message, signature)) return [];
  } catch (cause) {
    // A key service says itself who must act.
    if (cause instanceof PaycertError) return [cause];
    // Whatever it is: a key with damaged primes makes OpenSSL throw.
    return [new PaycertError('self-test-failed', 'the key cannot sign', { cause })];
  }
  return [new PaycertError('self-test-failed', 'what the key signs does not verify with its own public key')];
};

/** What the provider's own rules find at that time, such as a revoked certificate. */
const isFitNow: Check = ({ context }, now) => context.set.violations?.(now) ?? [];

/** A key that signed for its owner verifies nothing, also when a swap has retired it: its owner could forge what the platform says. */
const trustsNoOwnKey: Check = ({ context, former = [] }) => {
  const own = new Set(
    [context.set, ...former].flatMap(({ signer }) =>
      signer?.publicKey ? [publicKeyFingerprint(signer.publicKey)] : [],
    ),
  );
  return (context.operations.verifiers ?? []).some(({ id }) => own.has(id))
    ? [new PaycertError('platform-key-is-merchant', 'a key of the platform is one that has signed for you')]
    : [];
};

const checks: readonly Check[] = [
  isSound,
  isValidYet,
  isNotExpired,
  isFitNow,
  trustsNoOwnKey,
  keepsVerifying,
  keepsTrust,
  isNotOlder,
  worksItself,
];

/** The violation that names the rejection; undefined for a valid candidate. */
export async function findViolation(candidate: Candidate, now: Date): Promise<PaycertError | undefined> {
  for (const check of checks) {
    const [first] = await check(candidate, now);
    if (first !== undefined) return first;
  }
  return undefined;
}

/** Every violation, in order: for people who repair material. */
export async function findViolations(candidate: Candidate, now: Date): Promise<readonly PaycertError[]> {
  return (await Promise.all(checks.map(async (check) => check(candidate, now)))).flat();
}

/** What is against making a candidate current: `deferred` is good, and only too early. `asksAgain`: something else may let it in before. */
export type Refusal =
  | { readonly outcome: 'rejected'; readonly error: PaycertError }
  | { readonly outcome: 'deferred'; readonly error: PaycertError; readonly until: Date; readonly asksAgain?: true };

/** Undefined for a candidate that may become current now. */
export async function findRefusal(candidate: Candidate, now: Date): Promise<Refusal | undefined> {
  const first = await findViolation(candidate, now);
  if (first?.retryAt === undefined) return first && { outcome: 'rejected', error: first };
  return refusalOf(candidate, await findViolations(candidate, now));
}

/** From every violation of a candidate. What else is wrong with it, now or when the last part becomes valid, names a rejection. */
export async function refusalOf(
  candidate: Candidate,
  violations: readonly PaycertError[],
): Promise<Refusal | undefined> {
  const [first] = violations;
  if (first === undefined) return undefined;
  const until = new Date(Math.max(...violations.map(({ retryAt }) => retryAt?.getTime() ?? 0)));
  const other = violations.find(({ retryAt }) => retryAt === undefined) ?? (await endsBefore(candidate, until));
  return other ? { outcome: 'rejected', error: other } : { outcome: 'deferred', error: first, until };
}

/** What dates alone say of a later time. Revocation is a question for then. */
async function endsBefore(candidate: Candidate, until: Date): Promise<PaycertError | undefined> {
  const [ended, emptied] = [await isNotExpired(candidate, until), await keepsVerifying(candidate, until)];
  return ended[0] ?? emptied[0];
}

/** Whether the candidate's signing certificate was issued before the current one's. */
export function isRollback({ context, current }: Candidate): boolean {
  const [then, now] = [context.set.signer?.facts.notBefore, current?.signer?.facts.notBefore];
  return then !== undefined && now !== undefined && then < now;
}
