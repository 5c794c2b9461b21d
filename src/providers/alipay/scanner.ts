// Where the members of a JSON object lie in its raw bytes: Alipay signs the bytes of one member's value (protocols 2.3).
import { PaycertError } from '../../errors.ts';

/** The bytes of one value, quotes and braces included. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

const malformed = (message: string) => new PaycertError('message-malformed', message, { field: 'body' });

/**
 * The members of a JSON object by name. A name that is there twice is refused: a reader of the JSON would take the last one,
 * and a verifier the first.
 * @throws PaycertError `message-malformed`
 */
export function scanMembers(body: Uint8Array): ReadonlyMap<string, Span> {
  assertObject(body);
  // Structure is ASCII, and no byte of a longer UTF-8 sequence is: one character per byte keeps the offsets.
  const text = Buffer.from(body).toString('latin1');
  const members = new Map<string, Span>();
  let at = skipSpace(text, text.indexOf('{') + 1);
  while (text[at] === '"') {
    const nameEnd = endOfString(text, at);
    const name = JSON.parse(Buffer.from(text.slice(at, nameEnd), 'latin1').toString()) as string;
    const start = skipSpace(text, skipSpace(text, nameEnd) + 1);
    const end = endOfValue(text, start);
    if (members.has(name)) throw malformed('the body names one of its members twice');
    members.set(name, { start, end });
    at = skipSpace(text, skipSpace(text, end) + 1);
  }
  return members;
}

/** The scan relies on it: it never has to judge whether the text is JSON. */
function assertObject(body: Uint8Array): void {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return;
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
  }
  throw malformed('the body is no JSON object in UTF-8');
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (' \t\r\n'.includes(text[at] ?? 'end')) at += 1;
  return at;
}

/** From a quote to behind the quote that ends the string. */
function endOfString(text: string, from: number): number {
  let at = from + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

function endOfValue(text: string, from: number): number {
  if (text[from] === '"') return endOfString(text, from);
  let depth = 0;
  for (let at = from; at < text.length;) {
    const character = text[at] ?? '';
    if (depth === 0 && ',} \t\r\n'.includes(character)) return at;
    if (character === '"') {
      at = endOfString(text, at);
      continue;
    }
    if ('{['.includes(character)) depth += 1;
    if ('}]'.includes(character)) depth -= 1;
    at += 1;
    if (depth === 0 && '}]'.includes(character)) return at;
  }
  return text.length;
}
