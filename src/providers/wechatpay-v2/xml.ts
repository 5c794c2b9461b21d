// The flat XML of WeChat Pay v2: one root, elements without attributes, text or CDATA. Everything else is refused.
// A general parser would bring what this form never has: DTDs and entities are where those were attacked (docs/adr).
import { PaycertError, requestInvalid } from '../../errors.ts';
import { looksLikeJson, oddXml } from '../../transit.ts';

const malformed = (what: string) =>
  new PaycertError('message-malformed', `the body is not the XML of WeChat Pay v2: ${what}`, { field: 'body' });

const name = '[A-Za-z_][A-Za-z0-9_.-]{0,127}';
const declaration = /<\?xml\s([^<>?]{0,200})\?>/y;
const opening = new RegExp(`<(${name})\\s*(/?)>`, 'y');
const space = /\s*/y;
const characters = /[^<&]+/y;
const ampersand = /&([^;&<]{0,32};?)/y;
const cdata = /<!\[CDATA\[([\s\S]*?)\]\]>/y;

const predefined: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Nothing but what XML 1.0 §2.2 calls a character. */
const isText = (text: string): boolean => /^[\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]*$/u.test(text);

const isCharacter = (code: number): boolean => code <= 0x10ffff && isText(String.fromCodePoint(code));

/** The five predefined entities and character references; there is no DTD that could define another. */
function characterOf(reference: string): string {
  const [, decimal, hexadecimal, entity] = /^(?:#(\d{1,7})|#x([0-9A-Fa-f]{1,6})|([a-z]{2,4}));$/.exec(reference) ?? [];
  const code = decimal === undefined ? Number.parseInt(hexadecimal ?? '', 16) : Number(decimal);
  const character = entity === undefined ? isCharacter(code) && String.fromCodePoint(code) : predefined[entity];
  if (!character) throw malformed('an entity or character reference is not one of XML itself');
  return character;
}

/** More elements, or more pieces of text, references and CDATA sections, than any body has. */
const maxElements = 1000;
const maxPieces = 10_000;

class Reader {
  readonly #text: string;
  #at = 0;
  #pieces = 0;

  constructor(text: string) {
    this.#text = text;
  }

  take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match !== null) this.#at += match[0].length;
    return match ?? undefined;
  }

  takeText(text: string): boolean {
    const isNext = this.#text.startsWith(text, this.#at);
    if (isNext) this.#at += text.length;
    return isNext;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#text.length;
  }

  /** Text, references and CDATA sections up to the next tag. */
  value(): string {
    const pieces: string[] = [];
    for (;;) {
      const piece = this.#piece();
      if (piece === undefined) return pieces.join('');
      this.#pieces += 1;
      if (this.#pieces > maxPieces) throw malformed(`it has more than ${maxPieces} references and CDATA sections`);
      pieces.push(piece);
    }
  }

  #piece(): string | undefined {
    const section = this.take(cdata);
    if (section !== undefined) return section[1] ?? '';
    const reference = this.take(ampersand);
    if (reference !== undefined) return characterOf(reference[1] ?? '');
    const text = this.take(characters)?.[0];
    if (text?.includes(']]>') === true) throw malformed('the end of a CDATA section stands alone');
    return text;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function decode(bytes: Uint8Array): string {
  try {
    // Line ends as XML 1.0 §2.11 has them.
    return utf8.decode(bytes).replaceAll('\r\n', '\n').replaceAll('\r', '\n');
  } catch {
    throw malformed('it is not UTF-8');
  }
}

/**
 * The elements of a body by name, in its order.
 * @throws PaycertError `message-malformed`, also for a DTD, an entity of its own, a comment, an attribute, an element
 * inside another, and a name that stands twice: of two values, two readers could take each another one.
 */
export function readXml(bytes: Uint8Array): ReadonlyMap<string, string> {
  const text = decode(bytes);
  const oddity = oddXml(text);
  if (oddity !== undefined) throw malformed(oddity);
  if (!isText(text)) throw malformed('it holds a character that XML cannot');
  const reader = new Reader(text);
  const [, declared = ''] = reader.take(declaration) ?? [];
  if (/encoding\s*=\s*(?!["']utf-?8["'])/i.test(declared)) throw malformed('it declares another encoding than UTF-8');
  reader.take(space);
  const root = reader.take(opening);
  if (root === undefined)
    throw malformed(
      looksLikeJson(bytes) ? 'it is JSON, and was parsed on its way here' : 'it does not begin with an element',
    );
  const elements = new Map<string, string>();
  while (root[2] === '' && !(reader.take(space), reader.takeText(`</${String(root[1])}>`))) {
    const element = reader.take(opening);
    const tag = element?.[1];
    if (tag === undefined) throw malformed('there is something else than an element of plain text');
    if (elements.has(tag)) throw malformed('an element stands twice');
    if (elements.size >= maxElements) throw malformed(`it has more than ${maxElements} elements`);
    const value = element?.[2] === '/' ? '' : reader.value();
    if (element?.[2] === '' && !reader.takeText(`</${tag}>`)) throw malformed('an element holds more than text');
    elements.set(tag, value);
  }
  reader.take(space);
  if (!reader.isAtEnd) throw malformed('something follows its end');
  return elements;
}

/** A body to send. Values with marks are CDATA sections, as WeChat Pay's own examples have them. */
export function writeXml(parameters: readonly (readonly [string, string])[]): string {
  const elements = parameters.map(([tag, value]) => {
    if (!new RegExp(`^${name}$`).test(tag)) throw requestInvalid('parameters', 'hold a name that no XML element has');
    if (!value.isWellFormed() || !isText(value) || value.includes('\r'))
      throw requestInvalid('parameters', 'hold a character that XML cannot carry');
    const content = /[<>&]/.test(value) ? `<![CDATA[${value.replaceAll(']]>', ']]]]><![CDATA[>')}]]>` : value;
    return `<${tag}>${content}</${tag}>`;
  });
  return `<xml>${elements.join('')}</xml>`;
}
