// What may be remembered of a signed text without keeping it: names, lengths and a digest; and what these tell beside the platform's text.
import { createHash } from 'node:crypto';
import type { Cause } from '../causes.ts';
import { type Built, type Part, pathWords, plainTime, type Refusals, type Sent } from '../refusal.ts';
import type { Comparison } from './comparison.ts';
import { splitUrl } from './http.ts';
import { maskName, maskText } from './mask.ts';

/** Nothing of the text itself: it may hold tokens, personal data, and for some platforms what stands beside a key. */
export interface Recollection {
  readonly method: string;
  /** Its words; ids by their shape. */
  readonly path: string;
  readonly parts: readonly { readonly name: string; readonly byteLength: number }[];
  readonly byteLength: number;
  /** SHA-256 of the whole text, hex. */
  readonly digest: string;
}

/** More parameters than a call has; the digest and the length are of all of them. */
const maxParts = 64;
const maxName = 64;
const maxPath = 256;

/** A copy: a part of a text that V8 shares with it would keep the whole text in memory. */
const copy = (text: string, most: number): string => Buffer.from(text.slice(0, most)).toString();

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/**
 * By what a text is found again: the nonce in it, or where the platform has none, the time. Undefined: it has neither.
 */
export function markOf(parts: readonly Part[]): string | undefined {
  const nonce = parts.find(({ name, value }) => /nonce/i.test(name) && value !== '');
  const mark = (nonce ?? parts.find(({ value }) => plainTime.test(value)))?.value;
  return mark === undefined ? undefined : copy(mark, 128);
}

/** What is remembered of a request that was signed, and by what it is found. Undefined: it carries no such signature. */
export function recollect(
  sent: Sent,
  { rebuild, split }: Refusals,
): { readonly mark: string; readonly recollection: Recollection } | undefined {
  const text = rebuild(sent);
  if (text === undefined) return undefined;
  const parts = split(text);
  const mark = markOf(parts);
  if (mark === undefined) return undefined;
  const named = parts.slice(0, maxParts).map(({ name, value }) => ({
    name: copy(maskName(name.slice(0, maxName)), maxName),
    byteLength: Buffer.byteLength(value),
  }));
  const path = copy(maskText(splitUrl(sent.url).path.slice(0, maxPath), pathWords), maxPath);
  const method = copy(sent.method, 16);
  return {
    mark,
    recollection: { method, path, parts: named, byteLength: Buffer.byteLength(text), digest: digestOf(text) },
  };
}

/** Compares what the platform built with what is remembered: where the lengths and names differ, and whether all is equal. */
export function compareRecollection(
  built: readonly Built[],
  ours: Recollection,
  { split, whenEqual }: Pick<Refusals, 'split' | 'whenEqual'>,
): Comparison {
  if (built.some(({ text }) => digestOf(text) === ours.digest)) return { causes: whenEqual };
  const [theirs] = built;
  if (theirs === undefined) return { causes: [] };
  const parts = split(theirs.text);
  const isCut = theirs.byteLength !== undefined && theirs.byteLength > Buffer.byteLength(theirs.text);
  const complete = isCut ? parts.slice(0, -1) : parts;
  for (const [index, part] of complete.entries()) {
    const own = ours.parts[index];
    const name = maskName(part.name);
    if (own?.name !== name) return { difference: { part: name }, causes: [missing(part)] };
    const platform = Buffer.byteLength(part.value);
    if (platform !== own.byteLength)
      return { difference: { part: name, byteLengths: { platform, signed: own.byteLength } }, causes: [part.cause] };
  }
  const extra = isCut ? undefined : ours.parts[complete.length];
  if (extra !== undefined) return { difference: { part: extra.name }, causes: ['parameter'] };
  return compareWhole(theirs, ours, { last: parts.at(-1), whenEqual });
}

const missing = ({ cause }: Part): Cause => (cause === 'line-end' || cause === 'header' ? cause : 'parameter');

/** Names and lengths agree as far as they are shown. */
function compareWhole(
  { text, byteLength }: Built,
  ours: Recollection,
  { last, whenEqual }: { readonly last: Part | undefined; readonly whenEqual: readonly Cause[] },
): Comparison {
  const platform = byteLength ?? Buffer.byteLength(text);
  if (platform !== ours.byteLength)
    return {
      difference: { part: maskName(last?.name ?? ''), byteLengths: { platform, signed: ours.byteLength } },
      causes: ['body', 'encoding'],
    };
  return byteLength === undefined
    ? { difference: { part: '' }, causes: ['another-attempt', 'body'] }
    : { causes: whenEqual };
}
