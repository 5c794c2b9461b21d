// The ends of audits in a ConfigMap, so that the next leader knows them: one line of text for each Pod, by its uid.
import type { Clock } from '../../clock.ts';
import { PaycertError } from '../../errors.ts';
import type { Observe } from '../../events.ts';
import type { KubeClient } from '../../kube/client.ts';
import { configMaps } from '../../kube/resources.ts';
import type { Leadership } from '../leadership.ts';
import type { AuditCut, AuditEnd, Remembered } from './audit-ends.ts';

export interface AuditMemoryOptions {
  readonly client: () => Promise<Pick<KubeClient, 'get' | 'merge'>>;
  /** It must be there: nothing creates it. */
  readonly place: { readonly namespace: string; readonly name: string };
  readonly leadership: Leadership;
  readonly clock: Clock;
  readonly observe: Observe;
}

/** How often what has changed is written: as often as a Pod at rest is asked. */
const saveMilliseconds = 300_000;
/** While it cannot be read. */
const retryMilliseconds = 10_000;

export class AuditMemory {
  readonly #options: AuditMemoryOptions;
  #failure: string | undefined;
  #wake = new AbortController();

  constructor(options: AuditMemoryOptions) {
    this.#options = options;
  }

  /** Something is to be written at once. */
  hurry(): void {
    this.#wake.abort();
  }

  /** Reads what there is, then writes what has changed, until aborted. */
  async run(
    {
      restore,
      unstored,
      stored,
    }: {
      readonly restore: (remembered: ReadonlyMap<string, Remembered>) => void;
      readonly unstored: () => ReadonlyMap<string, Remembered | undefined>;
      readonly stored: (written: ReadonlyMap<string, Remembered | undefined>) => void;
    },
    signal: AbortSignal,
  ): Promise<void> {
    const { clock } = this.#options;
    const isOver = () => signal.aborted;
    let remembered: ReadonlyMap<string, Remembered> | undefined;
    while (!isOver() && remembered === undefined) {
      remembered = await this.#attempt(async () => this.#read(signal), signal);
      if (remembered === undefined) await clock.sleep(retryMilliseconds, signal);
    }
    if (remembered === undefined) return;
    restore(remembered);
    while (!isOver()) {
      await clock.sleep(saveMilliseconds, AbortSignal.any([signal, this.#wake.signal]));
      if (isOver()) return;
      this.#wake = new AbortController();
      const changes = unstored();
      if (changes.size > 0 && (await this.#attempt(async () => this.#write(changes, signal), signal)) === true)
        stored(changes);
    }
  }

  async #read(signal: AbortSignal): Promise<ReadonlyMap<string, Remembered>> {
    const { client, place } = this.#options;
    const { data } = await (await client()).get({ resource: configMaps, ...place }, signal);
    const found = new Map<string, Remembered>();
    for (const [uid, text] of Object.entries((data ?? {}) as Readonly<Record<string, unknown>>)) {
      const remembered = typeof text === 'string' ? parse(text) : undefined;
      if (remembered) found.set(uid, remembered);
    }
    return found;
  }

  /** Undefined where this replica leads no more. */
  async #write(changes: ReadonlyMap<string, Remembered | undefined>, signal: AbortSignal): Promise<true | undefined> {
    const { client, place, leadership } = this.#options;
    const texts = [...changes].map(([uid, remembered]) => [uid, remembered ? format(remembered) : null]);
    const data: unknown = Object.fromEntries(texts);
    const written = await leadership.write(async (leading) =>
      (await client()).merge({ resource: configMaps, ...place }, { data }, AbortSignal.any([leading, signal])),
    );
    return written && true;
  }

  /** Undefined where it failed, which is reported once. */
  async #attempt<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
    const { observe, place } = this.#options;
    try {
      const result = await work();
      this.#failure = undefined;
      return result;
    } catch (error) {
      if (signal.aborted) return undefined;
      if (!(error instanceof PaycertError)) throw error;
      const isNew = this.#failure !== error.code;
      this.#failure = error.code;
      observe({ type: 'audit-ends-unstored', object: `${place.namespace}/${place.name}`, error, isNew });
      return undefined;
    }
  }
}

const cutWords = ({ kind, at, known, found }: AuditCut) => [kind, at, known.seq, known.number, found.seq, found.number];

/** `SEQ NUMBER FROM-SEQ FROM-NUMBER FROM-TIME`, and what is missing behind it. */
export const format = ({ end: { seq, number, from }, cut }: Remembered): string =>
  [seq, number, from.seq, from.number, from.at, ...(cut ? cutWords(cut) : [])].join(' ');

const line = String.raw`(\d{1,16}) (\d{1,16})`;
const time = String.raw`(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)`;
const form = new RegExp(`^${line} ${line} ${time}(?: (cut|rewritten) ${time} ${line} ${line})?$`);

/** Undefined for what nobody of us has written. */
export function parse(text: string): Remembered | undefined {
  const found = form.exec(text);
  if (found === null) return undefined;
  const [, seq, number, fromSeq, fromNumber, fromAt = '', kind, at = '', ...lines] = found;
  const toLine = (one: string | undefined, other: string | undefined) => ({ seq: Number(one), number: Number(other) });
  const end: AuditEnd = { ...toLine(seq, number), from: { ...toLine(fromSeq, fromNumber), at: fromAt } };
  if (kind === undefined) return { end };
  const [knownSeq, knownNumber, foundSeq, foundNumber] = lines;
  const lost = { known: toLine(knownSeq, knownNumber), found: toLine(foundSeq, foundNumber) };
  return { end, cut: { kind: kind === 'cut' ? 'cut' : 'rewritten', at, ...lost } };
}
