// Where the members of a JSON object lie in its raw bytes, in one pass: Alipay signs the bytes of one member's value (protocols 2.3).
import { PaycertError } from '../../errors.ts';
import type { Text } from './charsets.ts';

/** The bytes of one value, quotes and braces included. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

const malformed = (message: string) => new PaycertError('message-malformed', message, { field: 'body' });

/** Far more than any response has. */
const maxDepth = 64;
const maxMembers = 1000;

/**
 * The members of a JSON object by name. A name that is there twice is refused: a reader of the JSON would take the last one,
 * and a verifier the first.
 * @throws PaycertError `message-malformed`
 */
export function scanMembers(text: Text): ReadonlyMap<string, Span> {
  const members = new Scanner(text).members();
  if (members === undefined) throw malformed('the body is no JSON object');
  return members;
}

/** By the grammar of RFC 8259, without recursion and without building values. */
class Scanner {
  readonly #bytes: Uint8Array;
  readonly #text: string;
  #at = 0;

  constructor({ bytes, structure }: Text) {
    this.#bytes = bytes;
    this.#text = structure;
  }

  members(): Map<string, Span> | undefined {
    const members = new Map<string, Span>();
    this.#skipSpace();
    if (!this.#take('{')) return undefined;
    this.#skipSpace();
    if (!this.#take('}')) {
      do {
        this.#skipSpace();
        const nameAt = this.#at;
        if (!this.#string()) return undefined;
        const name = this.#nameFrom(nameAt);
        this.#skipSpace();
        if (!this.#take(':')) return undefined;
        this.#skipSpace();
        const start = this.#at;
        if (!this.#value()) return undefined;
        if (members.has(name)) throw malformed('the body names one of its members twice');
        if (members.size >= maxMembers) throw malformed(`the body has more than ${maxMembers} members`);
        members.set(name, { start, end: this.#at });
        this.#skipSpace();
      } while (this.#take(','));
      if (!this.#take('}')) return undefined;
    }
    this.#skipSpace();
    return this.#at === this.#text.length ? members : undefined;
  }

  /** One with wide characters of another charset than UTF-8 counts as its bytes: it only has to differ from others. */
  #nameFrom(start: number): string {
    const bytes = Buffer.from(this.#bytes.subarray(start, this.#at));
    const isWide = this.#text.slice(start, this.#at).includes('\xff');
    return isWide ? bytes.toString('latin1') : (JSON.parse(bytes.toString()) as string);
  }

  /** Whether a value stands here; it is passed over. */
  #value(): boolean {
    // What must close, from the outside in.
    const open: ('}' | ']')[] = [];
    for (;;) {
      this.#skipSpace();
      if (this.#take('{')) {
        this.#skipSpace();
        if (!this.#take('}')) {
          if (!this.#name()) return false;
          open.push('}');
          if (open.length > maxDepth) throw malformed(`the body is nested more than ${maxDepth} deep`);
          continue;
        }
      } else if (this.#take('[')) {
        this.#skipSpace();
        if (!this.#take(']')) {
          open.push(']');
          if (open.length > maxDepth) throw malformed(`the body is nested more than ${maxDepth} deep`);
          continue;
        }
      } else if (!this.#scalar()) return false;
      // A value has ended: what is around it ends too, or has another one.
      for (;;) {
        const close = open.at(-1);
        if (close === undefined) return true;
        this.#skipSpace();
        if (this.#take(',')) {
          if (close === '}' && !this.#name()) return false;
          break;
        }
        if (!this.#take(close)) return false;
        open.pop();
      }
    }
  }

  #name(): boolean {
    this.#skipSpace();
    if (!this.#string()) return false;
    this.#skipSpace();
    return this.#take(':');
  }

  #scalar(): boolean {
    return this.#text[this.#at] === '"' ? this.#string() : this.#match(literal);
  }

  #string(): boolean {
    return this.#match(string);
  }

  #match(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    if (!pattern.test(this.#text)) return false;
    this.#at = pattern.lastIndex;
    return true;
  }

  #take(character: string): boolean {
    const isNext = this.#text[this.#at] === character;
    if (isNext) this.#at += 1;
    return isNext;
  }

  /** Character by character: a pattern for each of a million places costs several times as much. */
  #skipSpace(): void {
    while (isBlank(this.#text.charCodeAt(this.#at))) this.#at += 1;
  }
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
const literal = /true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
// Runs without an escape, and between them escapes: nothing can be matched in two ways.
const string = /"[^"\\\0-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})[^"\\\0-\x1f]*)*"/y;
