// The first difference between the text that a platform built and the one that was signed, and what it tells.
import { maskName, maskText } from './mask.ts';
import type { Cause } from '../causes.ts';
import type { Built, Part, Refusals } from '../refusal.ts';

export interface Difference {
  /** The part of the text, such as URL or the name of a parameter. */
  readonly part: string;
  /** From 1, within the part; absent where the platform shows too little to tell. */
  readonly character?: number;
  /** Around that place, masked; absent where that side has no such part, or does not show it. */
  readonly platform?: string;
  readonly signed?: string;
  /** How many UTF-16 units of both excerpts stand before the place. */
  readonly offset?: number;
  /** Of the whole texts, where only their lengths tell them apart. */
  readonly byteLengths?: { readonly platform: number; readonly signed: number };
}

export interface Comparison {
  /** Absent: the texts are equal, as far as the platform shows its own. */
  readonly difference?: Difference;
  readonly causes: readonly Cause[];
}

type Reading = Pick<Refusals, 'split' | 'whenEqual'>;

/** Compares with the text that is most like the one signed, as the platform reads it. */
export function compare(built: readonly Built[], signed: string, reading: Reading): Comparison {
  const [theirs] = built.toSorted((a, b) => commonLength(b.text, signed) - commonLength(a.text, signed));
  if (theirs === undefined) return { causes: [] };
  const { split } = reading;
  return compareParts(split(theirs.text), split(signed), theirs) ?? compareLengths(theirs, signed, reading);
}

function compareParts(theirs: readonly Part[], ours: readonly Part[], { byteLength }: Built): Comparison | undefined {
  const isCut = (index: number) => byteLength !== undefined && index === theirs.length - 1;
  const isSame = (a: Part, b: Part | undefined, index: number) =>
    a.name === b?.name && (isCut(index) ? b.value.startsWith(shownPart(a.value)) : a.value === b.value);
  const at = theirs.findIndex((part, index) => !isSame(part, ours[index], index));
  if (at === -1 && theirs.length >= ours.length) return undefined;
  const [a, b] = at === -1 ? [undefined, ours[theirs.length]] : [theirs[at], ours[at]];
  const isElsewhere = (part: Part | undefined, parts: readonly Part[]) => parts.some(({ name }) => name === part?.name);
  if (a !== undefined && b !== undefined && a.name === b.name) return differing(a, b, isCut(at));
  if (sameSet(theirs, ours)) return { difference: describe(a ?? b), causes: ['order'] };
  // Of two names that differ, the one that the peer lacks is what happened.
  if (a !== undefined && !isElsewhere(a, ours)) return { difference: excerpts(a, undefined), causes: [missing(a)] };
  if (b !== undefined && !isElsewhere(b, theirs)) return { difference: excerpts(undefined, b), causes: [missing(b)] };
  return { difference: describe(a ?? b), causes: ['order', 'parameter'] };
}

const missing = ({ cause }: Part): Cause => (cause === 'line-end' || cause === 'header' ? cause : 'parameter');

const describe = (part: Part | undefined): Difference => ({ part: maskName(part?.name ?? '') });

const keyOf = ({ name, value }: Part): string => JSON.stringify([name, value]);

function sameSet(a: readonly Part[], b: readonly Part[]): boolean {
  return a.map(keyOf).sort().join() === b.map(keyOf).sort().join();
}

/** What is cut within a character ends in its replacement. */
const shownPart = (value: string): string => value.replace(/\uFFFD{1,3}$/, '');

function differing(a: Part, b: Part, isCut: boolean): Comparison {
  const theirs = isCut ? shownPart(a.value) : a.value;
  const ours = isCut ? b.value.slice(0, theirs.length) : b.value;
  return { difference: excerpts({ ...a, value: theirs }, b), causes: classify(theirs, ours, a.cause) };
}

function withoutLastEnds(text: string): string {
  let end = text.length;
  while (end > 0 && /[\r\n]/.test(text[end - 1] ?? '')) end -= 1;
  return text.slice(0, end);
}

function classify(theirs: string, ours: string, own: Cause): readonly Cause[] {
  const isAlike = (as: (text: string) => string) => as(theirs) === as(ours);
  if (isAlike((text) => withoutLastEnds(text.replaceAll('\r\n', '\n')))) return ['line-end'];
  if (own === 'body' && (theirs.trim() === '' || ours.trim() === '')) return ['body-missing'];
  if (isAlike(decode)) return own === 'body' ? ['encoding', 'body'] : ['encoding'];
  if (/^\d{10}$/.test(theirs) !== /^\d{10}$/.test(ours) && own === 'another-attempt') return ['time-format', own];
  return own === 'body' || own === 'url' ? [own, 'encoding'] : [own];
}

/** Undoes what is done to text on its way, as often as it is done by mistake: twice. */
function decode(text: string): string {
  const entities: Readonly<Record<string, string>> = { amp: '&', quot: '"', lt: '<', gt: '>', '#39': "'" };
  const once = (value: string) =>
    value
      .replaceAll('+', ' ')
      .replace(/&(amp|quot|lt|gt|#39);/g, (_, name: string) => entities[name] ?? '')
      .replace(/(?:%[0-9A-Fa-f]{2})+/g, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString())
      .replace(/\\u([0-9A-Fa-f]{4})/g, (_, unit: string) => String.fromCharCode(Number.parseInt(unit, 16)))
      .replaceAll('\\/', '/');
  return once(once(text)).normalize('NFC');
}

const bytesOf = (text: string): number => Buffer.byteLength(text);

/** Where the platform shows the beginning only, the length tells the rest. */
function compareLengths({ text, byteLength }: Built, signed: string, { split, whenEqual }: Reading): Comparison {
  if (byteLength === undefined || byteLength === bytesOf(signed)) return { causes: whenEqual };
  const last = split(signed).at(-1);
  const byteLengths = { platform: byteLength, signed: bytesOf(signed) };
  const difference = { part: maskName(last?.name ?? ''), byteLengths };
  const head = bytesOf(signed) - bytesOf(last?.value ?? '');
  if (Math.abs(byteLength - bytesOf(signed)) === 1) return { difference, causes: ['line-end', 'body'] };
  // One byte for each character: what is beyond ASCII was replaced.
  if (byteLength === signed.length) return { difference, causes: ['encoding', 'body'] };
  const isCutToo = byteLength < bytesOf(text);
  return { difference, causes: byteLength - head <= 1 && !isCutToo ? ['body-missing'] : ['body', 'encoding'] };
}

function commonLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return length;
}

const before = 24;
const after = 40;

/** Both sides from the same place on, so that what differs stands below each other. */
function excerpts(theirs: Part | undefined, ours: Part | undefined): Difference {
  const sides = [theirs, ours].filter((side) => side !== undefined);
  const at = theirs && ours ? commonLength(theirs.value, ours.value) : 0;
  const start = Math.max(0, at - before);
  const isPlain = sides.every(({ plain, value }) => plain?.test(value) === true);
  const show = ({ value, words }: Part) => {
    const masked = isPlain ? value : maskText(value, words);
    return `${start > 0 ? '…' : ''}${masked.slice(start, at + after)}${masked.length > at + after ? '…' : ''}`;
  };
  return {
    part: maskName(sides[0]?.name ?? ''),
    ...(theirs && ours && { character: at + 1, offset: at - start + (start > 0 ? 1 : 0) }),
    ...(theirs && { platform: show(theirs) }),
    ...(ours && { signed: show(ours) }),
  };
}
