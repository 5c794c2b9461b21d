// What people paste for `paycert explain`: the refusal in a response, wherever it is: JSON, XML, a page, a log line, what curl printed.
import type { Platform } from '../providers/platform.ts';
import { platforms } from '../providers/registry.ts';
import type { Refusal, Refusals } from '../providers/refusal.ts';
import { unescape, unwrap } from './explain-wrapping.ts';

export interface Recognized {
  readonly platform: Refusals;
  readonly refusal: Refusal;
}

const explaining: readonly Refusals[] = Object.values<Platform>(platforms).flatMap(({ refusals }) => refusals ?? []);

/** Longer input is cut: a response has kilobytes. */
const maxCharacters = 256 * 1024;
/** Each of them costs one attempt to parse. */
const maxDocuments = 50;
const maxRoots = 10;
/** Of XML and pages: patterns go over them. */
const maxPage = 32 * 1024;
/** What is unwrapped, in all: wrappings may hold each other. */
const maxUnwrapped = 64;
/** JSON inside a string of JSON, as loggers write it. */
const maxDepth = 6;

/** The refusal that tells most; undefined where there is none of any platform that is known. */
export function recognize(pasted: string): Recognized | undefined {
  const text = pasted.slice(0, maxCharacters);
  const found = documentsIn(text).flatMap((document) => readAll((platform) => platform.read(document)));
  const [best] = found.toSorted((a, b) => worth(b.refusal) - worth(a.refusal));
  if (best !== undefined && best.refusal.about !== 'unknown') return best;
  const [told] = [textOfPage(text), text, ...unwrap(text)].flatMap((one) =>
    readAll((platform) => platform.readText(one)),
  );
  return told ?? best;
}

const readAll = (read: (platform: Refusals) => Refusal | undefined): readonly Recognized[] =>
  explaining.flatMap((platform) => {
    const refusal = read(platform);
    return refusal === undefined ? [] : [{ platform, refusal }];
  });

/** A logger's own `code` and `message` look like a platform's; what a table knows is worth more. */
const worth = ({ about, built }: Refusal): number => worths[about] + (built.length > 0 ? 1 : 0);

const worths = { signature: 2, other: 1, unknown: 0 } as const;

/** Every object that the text holds, in JSON or XML, also inside strings of others. */
function documentsIn(text: string): readonly object[] {
  const found: object[] = [];
  let unwrapped = 0;
  const look = (part: string, depth: number): void => {
    for (const xml of xmlIn(part)) found.push(readElements(xml));
    for (const value of jsonIn(part)) walk(value, depth);
    if (depth > maxDepth) return;
    for (const inside of unwrap(part)) if (unwrapped++ < maxUnwrapped) look(inside, depth + 1);
  };
  const walk = (value: unknown, depth: number): void => {
    if (depth > maxDepth || found.length >= maxDocuments) return;
    if (typeof value === 'string' && (/[{<]/.test(value) || unwrap(value).length > 0)) look(value, depth + 1);
    if (typeof value !== 'object' || value === null) return;
    if (!Array.isArray(value)) found.push(value);
    for (const member of Object.values(value)) walk(member, depth + 1);
  };
  look(text, 0);
  // A log line may hold JSON as it stands inside quotes.
  if (found.length === 0 && text.includes('\\"')) look(text.replaceAll('\\"', '"').replaceAll('\\\\', '\\'), 1);
  return found;
}

/** What is inside the roots that platforms use. */
function* xmlIn(text: string): Generator<string> {
  let count = 0;
  for (const { 0: tag, 1: name = '', index } of text.matchAll(/<(xml|Error|\w{1,60}Response)(?:\s[^<>]{0,200})?>/g)) {
    if (count++ === maxRoots) return;
    // Of one that was cut off, the elements that are whole say enough.
    const end = text.indexOf(`</${name}>`, index);
    yield text.slice(index + tag.length, Math.min(end === -1 ? text.length : end, index + maxPage));
  }
}

/** Objects of JSON in a text, one after the other. What does not parse is passed over by one brace. */
function* jsonIn(text: string): Generator {
  let attempts = 0;
  for (let at = text.indexOf('{'); at !== -1 && attempts < maxDocuments; attempts += 1) {
    const end = endOfObject(text, at);
    const value = end === undefined ? undefined : parse(text.slice(at, end));
    if (value !== undefined) yield value;
    at = text.indexOf('{', value === undefined || end === undefined ? at + 1 : end);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Where the object that begins there ends: braces are counted outside of strings. */
function endOfObject(text: string, start: number): number | undefined {
  let depth = 0;
  for (const match of text.slice(start).matchAll(/"(?:[^"\\]|\\[^])*"|[{}]/g)) {
    if (match[0] === '{') depth += 1;
    if (match[0] === '}') depth -= 1;
    if (depth === 0) return start + match.index + 1;
  }
  return undefined;
}

/** Flat XML, to read and not to trust: signatures are never checked over what this returns. */
function readElements(xml: string): object {
  const elements = [...xml.matchAll(/<([A-Za-z_]\w{0,63})>([^<]*)(?:<!\[CDATA\[([^]*?)\]\]>[^<]*)?<\/\1>/g)];
  return Object.fromEntries(
    elements.map(([, name = '', text = '', cdata]): [string, string] => [name, cdata ?? unescape(text).trim()]),
  );
}

/** A page as a browser shows it: without tags, each block on a line of its own. */
function textOfPage(html: string): string {
  return unescape(
    html
      .slice(0, maxPage)
      .replace(/<(script|style)\b[^]*?<\/\1>/gi, '')
      .replace(/<\/?(?:br|p|div|li|ul|td|tr|h\d|dd|dt|title)\b[^>]*>/gi, '\n')
      .replace(/<[^<>]*>/g, '')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
      .join('\n'),
  );
}
