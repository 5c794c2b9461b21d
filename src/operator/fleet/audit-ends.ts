// How far the audit of each Pod went, as its sidecar said: one that is continued below that, or by another line, was cut off or rewritten.
import { isDeepStrictEqual } from 'node:util';
import type { Sighting } from '../../store/sighting.ts';

type Audit = NonNullable<Sighting['audit']>;

/** A line: its number, and the first 52 bits of its digest. */
export type Line = Pick<Audit, 'seq' | 'number'>;

/** Of an audit in files: one process continues another's. */
export type AuditEnd = Required<Audit>;

/** `cut`: lines that were known are not there. `rewritten`: another one has the number of the last that was known. */
export interface AuditCut {
  readonly kind: 'cut' | 'rewritten';
  /** When it was noticed, as ISO 8601. */
  readonly at: string;
  readonly known: Line;
  readonly found: Line;
}

/** Of one Pod. A cut is remembered as long as the Pod is there. */
export interface Remembered {
  readonly end: AuditEnd;
  readonly cut?: AuditCut;
}

/** A ConfigMap of 1 MiB holds them. Of more Pods, those that come first count. */
export const mostRemembered = 5000;

const lineOf = ({ seq, number }: Line): Line => ({ seq, number });

/** A process that runs only adds lines; what another one before it has written shows in where it has continued. */
function findCut(known: AuditEnd, said: AuditEnd): Pick<AuditCut, 'kind' | 'known' | 'found'> | undefined {
  const found = isDeepStrictEqual(known.from, said.from) ? said : said.from;
  const about = { known: lineOf(known), found: lineOf(found) };
  if (found.seq < known.seq) return { kind: 'cut', ...about };
  return found.seq === known.seq && found.number !== known.number ? { kind: 'rewritten', ...about } : undefined;
}

export class AuditEnds {
  /** By the uid of the Pod. */
  readonly #ends = new Map<string, Remembered>();
  /** What was remembered of these is another than what was stored last. */
  readonly #unstored = new Set<string>();

  /** What it says now. The result: what is missing of what was known, if that is news. */
  take(uid: string, audit: Sighting['audit'], now: Date): AuditCut | undefined {
    if (audit?.from === undefined) return undefined;
    const said: AuditEnd = { ...audit, from: audit.from };
    const before = this.#ends.get(uid);
    if (before === undefined && this.#ends.size >= mostRemembered) return undefined;
    if (isDeepStrictEqual(before?.end, said)) return undefined;
    const found = before && findCut(before.end, said);
    const cut = found ? { ...found, at: now.toISOString() } : before?.cut;
    this.#ends.set(uid, { end: said, ...(cut && { cut }) });
    this.#unstored.add(uid);
    return found && cut;
  }

  cutOf(uid: string): AuditCut | undefined {
    return this.#ends.get(uid)?.cut;
  }

  clear(): void {
    this.#ends.clear();
    this.#unstored.clear();
  }

  /** What another leader has remembered comes before what was said to this one. The result: what shows only then, by Pod. */
  restore(stored: ReadonlyMap<string, Remembered>, now: Date): ReadonlyMap<string, AuditCut> {
    const said = [...this.#ends];
    for (const [uid, remembered] of stored) this.#ends.set(uid, remembered);
    return new Map(
      said.flatMap(([uid, { end }]) => {
        const cut = stored.has(uid) ? this.take(uid, end, now) : undefined;
        return cut ? [[uid, cut] as const] : [];
      }),
    );
  }

  /** Those that are not stored as they are; undefined for a Pod that is gone. `isThere`: whether a Pod still is. */
  unstored(isThere: (uid: string) => boolean): ReadonlyMap<string, Remembered | undefined> {
    for (const uid of this.#ends.keys())
      if (!isThere(uid)) {
        this.#ends.delete(uid);
        this.#unstored.add(uid);
      }
    return new Map([...this.#unstored].map((uid) => [uid, this.#ends.get(uid)]));
  }

  /** What was the result of `unstored` is stored. What came meanwhile is not. */
  stored(written: ReadonlyMap<string, Remembered | undefined>): void {
    for (const [uid, remembered] of written) if (this.#ends.get(uid) === remembered) this.#unstored.delete(uid);
  }
}
