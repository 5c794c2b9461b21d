// Tries keys on what was received, each distinct key once: those of the set itself first, then those of retired sets.
import { Message } from '../../crypto/message.ts';
import type { Turn } from '../../crypto/private-key.ts';
import { PaycertError } from '../../errors.ts';
import { oddDecoding, traceOf } from '../../transit.ts';
import type { Ciphertext, Claim, Decrypted, Earlier, KeyFacts, Opener, Verifier } from '../provider.ts';
import { type Form, takeForm } from '../takes.ts';
import { isAlive } from './facts.ts';

const distinct = <T extends Verifier | Opener>(all: readonly T[]): readonly T[] =>
  all.length < 2 ? all : [...new Map(all.toReversed().map((one) => [one.id, one])).values()].toReversed();

/** By the list of one set, which never changes: how it is tried where there is no earlier one. */
const orders = new WeakMap<readonly Opener[], readonly Opener[]>();

/** Each distinct opener once, those that can tell whether a key is the right one first. */
function inOrder(openers: readonly Opener[], earlier: readonly Opener[] = []): readonly Opener[] {
  const known = earlier.length > 0 ? undefined : orders.get(openers);
  if (known !== undefined) return known;
  const order = distinct([...openers, ...earlier]).toSorted(
    (a, b) => Number(a.isGuess ?? false) - Number(b.isGuess ?? false),
  );
  if (earlier.length === 0) orders.set(openers, order);
  return order;
}

export interface Transit {
  readonly body: Uint8Array;
  readonly messageOf: (body: Uint8Array) => Uint8Array;
}

export interface Trial {
  readonly now: Date;
  readonly earlier: Earlier | undefined;
  /** Whose keys they are, for messages. */
  readonly owner: string;
  /** Where the claim names a key: whether it is this one. */
  readonly isNamed?: (facts: KeyFacts) => boolean;
  /** That name, where it has the published form of one, which no secret has. */
  readonly named?: string | undefined;
  /** What the claim names, where that is a key of this side, with which the owner never signs. */
  readonly misnamed?: () => string | undefined;
  /** The body, and the message over another one: what became of it is tried with one key, to explain a refusal. */
  readonly transit?: Transit;
}

/**
 * The key that confirms the claim, and which of its messages. Keys that have expired count no more.
 * @throws PaycertError `no-platform-key`, `key-id-own`, `key-id-unknown`, `signature-invalid`
 */
export function confirm(
  verifiers: readonly Verifier[],
  claim: Claim,
  trial: Trial,
): { readonly keyId: string; readonly at: number } {
  const { now, earlier, owner, isNamed = () => true, named: keyId, transit } = trial;
  const alive = (all: readonly Verifier[]) => all.filter(({ facts }) => isAlive(facts, now));
  const own = alive(verifiers);
  const others = earlier === undefined || earlier.verifiers.length === 0 ? [] : alive(earlier.verifiers);
  const named = (others.length === 0 ? own : [...own, ...others]).filter(({ facts }) => isNamed(facts));
  const misnamed = named.length === 0 ? trial.misnamed?.() : undefined;
  if (misnamed !== undefined)
    throw new PaycertError('key-id-own', `the signature names ${misnamed}, and ${owner} never signs with that key`);
  if (named.length === 0 && own.length === 0)
    throw new PaycertError('no-platform-key', `there is no key of ${owner} that is valid`, { keyId });
  if (named.length === 0)
    throw new PaycertError(
      'key-id-unknown',
      `no key of ${owner} has the id that the signature names${keyId === undefined ? '' : `: ${keyId}`}`,
      { keyId },
    );
  for (const { facts, confirm: find } of distinct(named)) {
    const at = find(claim);
    if (at !== undefined) return { keyId: facts.keyId, at };
  }
  const oddity = oddDecoding(claim.signature);
  if (oddity !== undefined) throw new PaycertError('signature-invalid', `the signature ${oddity}`);
  const trace = transit && traceOf(transit.body);
  const messages = transit && trace?.before ? [new Message(transit.messageOf(trace.before))] : undefined;
  const isTold = trace && (messages === undefined || named[0]?.confirm({ ...claim, messages }) !== undefined);
  throw new PaycertError('signature-invalid', isTold === true ? trace.says : 'the signature does not match');
}

export interface OpenOptions {
  /** What it must be like, before a key is tried: the forms of `take`. */
  readonly forms?: Readonly<Record<string, Form>>;
  readonly earlier?: Earlier | undefined;
  readonly turn: Turn;
  readonly absent: () => PaycertError;
  /** What holds the keys that open it, where that is one part. */
  readonly key?: string;
}

/**
 * Opens with the first key that can.
 * @throws what `absent` makes, where no key opens that kind of ciphertext; PaycertError `decryption-failed`, `request-invalid`
 */
export async function open(
  openers: readonly Opener[],
  input: Ciphertext,
  { forms, earlier, turn, absent, key = 'key' }: OpenOptions,
): Promise<Decrypted> {
  if (forms !== undefined) takeForm(input, forms);
  let isTried = false;
  for (const opener of inOrder(openers, earlier?.openers)) {
    if (!opener.takes(input)) continue;
    isTried = true;
    const opening = opener.open(input, turn);
    const plaintext = opening instanceof Promise ? await opening : opening;
    if (plaintext !== undefined) return { plaintext, keyId: opener.facts.keyId, role: opener.facts.role };
  }
  if (!isTried) throw absent();
  // One code and one message for every cause: which byte was wrong is nobody's business.
  throw new PaycertError('decryption-failed', `the ciphertext cannot be opened with any ${key} that is loaded`);
}
