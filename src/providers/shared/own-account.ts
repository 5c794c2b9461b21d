// Whose account a request is about: the members of a JSON body and the parameters of a query that name it, all of them.
import { isUtf8 } from 'node:buffer';
import { bufferOf } from '../../bytes.ts';
import { requestInvalid } from '../../errors.ts';

/** More than any request has, batches included; reading it holds the event loop for some milliseconds. */
const maxJsonBytes = 1024 * 1024;
const maxValues = 20_000;
const maxDepth = 32;

/**
 * @throws PaycertError `request-invalid`: a parameter that names another account, by its name. All are looked at, since a
 *   platform may read the first of two where we read the last.
 */
export function assertOwnQuery(target: string, names: readonly string[], own: string): void {
  const at = target.indexOf('?');
  if (at < 0) return;
  const query = target.slice(at + 1);
  for (const [name, value] of new URLSearchParams(query)) if (names.includes(name)) assertOwn(name, value, own);
}

/** The members at the top of a JSON body. @throws PaycertError `request-invalid`, also for what is not one JSON object */
export function assertOwnJson(body: Uint8Array, names: readonly string[], own: string): void {
  if (body.byteLength === 0) return;
  if (body.byteLength > maxJsonBytes) throw requestInvalid('body', `is JSON of more than ${maxJsonBytes} bytes`);
  // Bytes that are not UTF-8 would be read as other text than the platform reads.
  if (!isUtf8(body)) throw requestInvalid('body', 'is not UTF-8');
  const text = bufferOf(body).toString();
  const written = topNames(text);
  const object = parse(text);
  const seen = new Set<string>();
  for (const one of written) {
    const name = JSON.parse(one) as string;
    if (!names.includes(name)) continue;
    if (seen.has(name)) throw requestInvalid(`body.${name}`, 'is there twice');
    seen.add(name);
    assertOwn(`body.${name}`, object[name], own);
  }
}

/** @throws PaycertError `request-invalid`, by the name of the field and without its value */
export function assertOwn(field: string, value: unknown, own: string): void {
  if (value === undefined) throw requestInvalid(field, 'is missing');
  const isOwn = (typeof value === 'string' || typeof value === 'number') && String(value) === own;
  if (!isOwn) throw requestInvalid(field, 'is another account than this credential’s');
}

function parse(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw requestInvalid('body', 'is not valid JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw requestInvalid('body', 'is not one JSON object');
  return value as Readonly<Record<string, unknown>>;
}

/**
 * The names of the members at the top as they are written, in order and as often as they are there, if the text is valid JSON. Before
 * it is parsed: half a million brackets inside each other take the parser longer than anybody may be kept waiting.
 */
function topNames(text: string): readonly string[] {
  const names: string[] = [];
  let [depth, values, last] = [0, 0, ''];
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') depth -= 1;
    else if (character === ',') values += 1;
    else if (character === ':' && depth === 1) names.push(last);
    else if (character === '"') {
      const end = endOfText(text, at);
      if (depth === 1) last = text.slice(at, end + 1);
      at = end;
    }
    if (depth > maxDepth) throw requestInvalid('body', `has more than ${maxDepth} levels`);
    if (values > maxValues) throw requestInvalid('body', `has more than ${maxValues} values`);
  }
  return names;
}

function endOfText(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}
