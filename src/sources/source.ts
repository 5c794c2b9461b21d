// A source says when to look and reads everything; material is the named bytes of one read.
import { createHmac, createSecretKey, randomBytes } from 'node:crypto';
import { PaycertError } from '../errors.ts';
import { piecesOf } from '../turns.ts';

/** The named bytes of one read, as of one instant. */
export interface Material {
  /** Equal for equal names and bytes, in this process only. Never printed. */
  readonly revision: string;
  /** The origin's own version, such as a `resourceVersion`, for people. */
  readonly version?: string;
  readonly data: ReadonlyMap<string, Uint8Array>;
  /** When the origin made this version, where it says so; lag is measured from it. */
  readonly changedAt?: Date;
  /** From files that are written one by one: some may be of before a change, and some of after it. */
  readonly mayBeTorn?: boolean;
  /** Paths that can never change while the process runs, such as subPath mounts. */
  readonly frozenPaths?: readonly string[];
  /** Where else what was read lies, for everybody who reads annotations. */
  readonly copies?: readonly Copy[];
  /** The name of the source that it was read from, where better ones could not be read. */
  readonly fallback?: string;
  /** Of two sets of one credential, the one that does not sign. */
  readonly staged?: Staged;
  /** Names of what was fetched beside it, such as a revocation list: no part of what its owner wrote. */
  readonly fetched?: readonly string[];
}

/** A copy of what a Secret holds, in an annotation of it. */
export interface Copy {
  readonly namespace: string;
  readonly secret: string;
  readonly annotation: string;
}

/** When the next of two sets signs: from a time on, by a share, or by shares that grow. */
export type Activation =
  | { readonly at: Date }
  | ({ readonly percent: number } & OfWhat)
  | ({ readonly from: Date; readonly steps: readonly Step[] } & OfWhat);

interface OfWhat {
  /** The share is of the calls in each pod; otherwise of the pods. */
  readonly of?: 'requests';
}

export interface Step {
  readonly percent: number;
  readonly milliseconds: number;
}

export interface Staged {
  /** Whether the next set signs here, and the current one is beside it. */
  readonly isActive: boolean;
  /** It would sign here, and its platform refuses too many of its signatures. */
  readonly isRejected: boolean;
  readonly activation: Activation;
  /** In how many pods of a hundred, or how many calls of a hundred, the next set is to sign now. */
  readonly share: number;
  /** Whether the next set signs the call with that id; absent unless it signs a share of the calls here. */
  readonly signs?: (callId: string) => boolean;
  /** Takes what the platform said of a signature of the next set, while that signs by a share. */
  readonly judge?: (isRefused: boolean) => void;
  /** The named bytes of the set that does not sign; or why it cannot be read. */
  readonly other: ReadonlyMap<string, Uint8Array> | PaycertError;
}

/** Why a source asks to look again; for the metric that counts what only the poll found. */
export type Tick = 'start' | 'event' | 'poll';

export interface Source {
  /** For logs and metrics; holds no secret. */
  readonly name: string;
  /** All of it as of one instant, or throws. */
  read(signal: AbortSignal): Promise<Material>;
  /** "Look again": once at the start, then on every change and every poll; ends only on abort. */
  changes(signal: AbortSignal): AsyncIterable<Tick>;
}

// Random per process, so that a revision reveals nothing about the bytes. A key object: bytes would be looked at as one each time, by an exception.
const revisionKey = createSecretKey(randomBytes(32));

/** What is this large is digested once, however often it is read: a revocation list may have 16 MB. */
const largeBytes = 256 * 1024;
const known = new WeakMap<Uint8Array, Buffer>();

function digestOf(bytes: Uint8Array): Buffer {
  const digest = known.get(bytes) ?? createHmac('sha256', revisionKey).update(bytes).digest();
  known.set(bytes, digest);
  return digest;
}

/** Digests large bytes in turns, so that the material that they become a part of holds nobody up. */
export async function digestInTurns(bytes: Uint8Array): Promise<void> {
  const digest = createHmac('sha256', revisionKey);
  for await (const piece of piecesOf(bytes)) digest.update(piece);
  known.set(bytes, digest.digest());
}

/** Many times what any provider reads. A Secret of 1 MiB may have fifty thousand. */
const maxParts = 1024;

/**
 * Material from named bytes: its revision is a keyed digest of names, lengths and bytes.
 * @throws PaycertError `source-too-large` for more parts than anything has
 */
export function material(
  data: ReadonlyMap<string, Uint8Array>,
  about: Omit<Material, 'revision' | 'data'> = {},
): Material {
  if (data.size > maxParts)
    throw new PaycertError('source-too-large', `the source holds more than ${String(maxParts)} parts`);
  const digest = createHmac('sha256', revisionKey);
  addParts(digest, data);
  if (about.staged !== undefined) addStaged(digest, about.staged);
  return { revision: digest.digest('hex'), data, ...about };
}

type Digest = Pick<ReturnType<typeof createHmac>, 'update'>;

function addParts(digest: Digest, data: ReadonlyMap<string, Uint8Array>): void {
  for (const name of [...data.keys()].sort()) {
    const bytes = data.get(name) ?? new Uint8Array();
    digest.update(`${String(Buffer.byteLength(name))}:${name}${String(bytes.byteLength)}:`);
    digest.update(bytes.byteLength < largeBytes ? bytes : digestOf(bytes));
  }
}

/** Behind all parts, each of which begins with a number. */
function addStaged(digest: Digest, { isActive, isRejected, activation, share, other }: Staged): void {
  digest.update(`${String(isRejected)} ${String(share)}`);
  digest.update(JSON.stringify(activation));
  digest.update(isActive ? 'beside the next:' : 'beside the current:');
  if (other instanceof PaycertError) digest.update(other.code);
  else addParts(digest, other);
}

/** What its owner wrote: without what was fetched beside it. */
export const ownPart = ({ data, fetched = [], version }: Material): Material =>
  material(new Map([...data].filter(([name]) => !fetched.includes(name))), {
    ...(version !== undefined && { version }),
  });
