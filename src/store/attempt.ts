// attempt: material → load → check → swap, defer or reject. Whatever happens, the last good snapshot is kept.
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../clock.ts';
import { keyReferenceText } from '../crypto/key-reference.ts';
import type { RemoteKeys } from '../crypto/private-key.ts';
import type { Limiter } from './limiter.ts';
import { PaycertError } from '../errors.ts';
import type { Observe } from '../events.ts';
import type { Provider } from '../providers/provider.ts';
import type { LastGood } from '../sources/last-good.ts';
import type { Material, Source } from '../sources/source.ts';
import type { BesideCheck } from './beside-check.ts';
import { findRefusal, isRollback, type Refusal } from './checks.ts';
import { keepLastGood } from './last-good.ts';
import type { LiveCheck } from './live-check.ts';
import { Snapshot, snapshotId } from './snapshot.ts';
import { describeStaged, evaluateStaged } from './staged.ts';
import { type Entry, isBridged, type Store } from './store.ts';
import { recordUnchanged } from './unchanged.ts';
import type { UsedParts } from './used-parts.ts';

export interface Credential {
  readonly name: string;
  readonly provider: Provider;
  readonly source: Source;
  /** Asks key services for the keys that material refers to, before it is loaded; absent where there are none. */
  readonly resolve?: ((data: Material['data'], signal: AbortSignal) => Promise<RemoteKeys>) | undefined;
  readonly older: 'accept' | 'reject';
  /** How long keys that a swap replaced still verify and decrypt. */
  readonly graceMilliseconds: number;
  /** Where what was accepted is kept through a restart; absent where it is not. */
  readonly lastGood?: LastGood | undefined;
  /** Asks its platform about a new key before that is current; absent where it is not asked. */
  readonly liveCheck?: LiveCheck | undefined;
  /** Asks it about a set that waits beside the one that signs. */
  readonly besideCheck?: BesideCheck | undefined;
}

export interface Dependencies {
  readonly store: Store;
  readonly clock: Clock;
  readonly limiter: Limiter;
  readonly observe: Observe;
}

export interface AttemptOptions {
  /** Whether the same material was refused for the same reason before. */
  readonly isRepeated?: (error: PaycertError) => boolean;
  /** When it was accepted, of material that was kept before a restart: what is known of the newest stays. */
  readonly keptAt?: Date;
  /** What was used of what is current. Absent: whatever is accepted counts as new. */
  readonly used?: UsedParts;
  /** Whether something newer than what is current was refused, or nothing could be read. */
  readonly isRecovery?: boolean;
  /** Once aborted, the attempt changes nothing. */
  readonly signal?: AbortSignal;
}

const endless = new AbortController().signal;

/** Tries to make material current. Keeps the last good snapshot whatever happens, and returns why it did not become current. */
export async function attempt(
  { name, provider, resolve, older, graceMilliseconds, lastGood, liveCheck, besideCheck }: Omit<Credential, 'source'>,
  material: Material,
  { store, clock, limiter, ...dependencies }: Dependencies,
  { isRepeated = () => false, keptAt, used, isRecovery = false, signal = endless }: AttemptOptions = {},
): Promise<Refusal | undefined> {
  if (!store.has(name)) return undefined;
  const { observe } = dependencies;
  const started = clock.now();
  const elapsed = () => (clock.now().getTime() - started.getTime()) / 1000;
  const previous = store.entry(name).snapshot;
  const load = async (data: Material['data']) => provider.load(data, await resolve?.(data, signal));
  const remote = await resolve?.(material.data, signal);
  const context = await provider.load(material.data, remote);
  const former = previous === undefined ? [] : [previous, ...previous.retired].map((one) => one.context.set);
  // Rolled back to what was beside it: its owner has asked for that by name.
  const isKnown = previous?.beside !== undefined && snapshotId(previous.beside.set) === snapshotId(context.set);
  const candidate = { context, current: previous?.context.set, former, older: isKnown ? 'accept' : older };
  const found = await findRefusal(candidate, started);
  const checked =
    found === undefined && keptAt === undefined
      ? await liveCheck?.check({ context, previous }, { now: () => clock.now(), signal })
      : undefined;
  const refusal = found ?? checked?.refusal;
  const beside =
    refusal === undefined && material.staged
      ? await evaluateStaged(material.staged, { load, signing: context, former, older }, started)
      : undefined;
  const at = clock.now();
  // Stopped, removed or replaced in the meantime, perhaps by another merchant's: a late result is discarded. Identity tells:
  // whatever becomes current is a new Snapshot, also one of the same keys.
  if (signal.aborted || !store.has(name) || store.entry(name).snapshot !== previous) return undefined;

  if (checked) observe({ type: 'live-checked', credential: name, verdict: checked.verdict });
  if (refusal !== undefined && keptAt !== undefined) return refusal;
  if (refusal !== undefined) {
    const { outcome, error } = refusal;
    store.update(name, ({ rejection, deferral, ...entry }) => ({
      ...entry,
      lastReload: { at, outcome },
      ...(refusal.outcome === 'deferred'
        ? { deferral: { at, until: refusal.until, error } }
        : { rejection: { at, error } }),
    }));
    const about = { credential: name, error, seconds: elapsed(), isNew: !isRepeated(error) };
    if (refusal.outcome === 'rejected')
      observe({ type: 'rejected', ...about, ...(previous === undefined && { isFirst: true }) });
    else observe({ type: 'deferred', ...about, until: refusal.until, isBridged: isBridged(store.entry(name)) });
    return refusal;
  }

  const { isActive = false, signs, judge } = material.staged ?? {};
  const waiting = isActive ? undefined : beside?.context;
  const mayBeTried = waiting !== undefined && (besideCheck?.mayBeTried(waiting, at) ?? true);
  const isPartial = signs !== undefined && mayBeTried;
  const refused = waiting && besideCheck?.refusalOf(waiting);
  const set = { ...beside, isPartial, ...(refused && { error: refused }) };
  const staged = material.staged && beside && describeStaged(material.staged, set, snapshotId);
  const loaded = { material, context, beside: beside?.context };
  if (
    previous !== undefined &&
    used?.areSame(loaded, previous, at) === true &&
    isDeepStrictEqual(staged, store.entry(name).staged)
  ) {
    store.update(name, (entry) => ({ ...entry, snapshot: previous.renewed(material, context) }));
    recordUnchanged(name, { store, clock, observe }, isRecovery);
    keepLastGood({ name, lastGood }, material, { store, clock, observe });
    return undefined;
  }
  const generation = (previous?.generation ?? 0) + 1;
  const retired = previous?.retire(at, graceMilliseconds) ?? [];
  const { version } = material;
  const about = {
    generation,
    loadedAt: at,
    version,
    retired,
    beside: beside?.context,
    signs: isPartial ? signs : undefined,
    // What is not tried is not judged.
    judge: isActive || isPartial ? judge : undefined,
    seenBefore: previous?.firstSeen,
  };
  const snapshot = new Snapshot(context, about, limiter);
  // Before the swap: a provider that throws here has not half replaced anything.
  const warnings = context.set.warnings(at);
  const current = { snapshot, references: referencesOf(material.data, remote) };
  if (keptAt !== undefined) store.update(name, (entry) => ({ ...entry, ...current, restored: { at, keptAt } }));
  else
    store.update(name, ({ rejection, deferral, restored, staged: _, ...entry }) => ({
      ...entry,
      ...current,
      lastReload: { at, outcome: 'swapped' },
      ...(staged && { staged }),
    }));
  used?.note(loaded);
  // Before anybody hears of it: who does may end this process.
  if (keptAt === undefined) keepLastGood({ name, lastGood }, material, { store, clock, observe });
  const lag = material.changedAt && previous && (at.getTime() - material.changedAt.getTime()) / 1000;
  observe({
    type: 'swapped',
    credential: name,
    generation,
    snapshotId: snapshot.snapshotId,
    keyId: context.set.signer?.facts.keyId,
    notAfter: context.set.signer?.facts.notAfter,
    seconds: elapsed(),
    changeToCurrentSeconds: lag,
    isRollback: isRollback(candidate),
    warnings,
    ...(keptAt && { keptAt }),
  });
  if (staged !== undefined) observe({ type: 'staged', credential: name, ...staged });
  return undefined;
}

/** Those that a key service knows: what else begins as a reference may be anything. */
const referencesOf = (data: Material['data'], remote: RemoteKeys = new Map()): Entry['references'] =>
  [...remote].flatMap(([part, key]) => {
    const bytes = key instanceof PaycertError ? undefined : data.get(part);
    return bytes === undefined ? [] : [{ part, reference: keyReferenceText(bytes) }];
  });
