// What a platform says when it refuses a request: its codes and words, the text that it built itself, and what they mean.
import type { Cause } from './causes.ts';

/** A text that the platform built from what it received. */
export interface Built {
  readonly text: string;
  /** Of the whole text in bytes, where the platform shows its beginning only. */
  readonly byteLength?: number;
}

/** `signature`: the signature, or the keys and names that belong to it. `other`: something else. `unknown`: no table has it. */
export type About = 'signature' | 'other' | 'unknown';

/** One row of what a platform publishes: a code, its words in Chinese or English, and what they mean. */
export interface Saying {
  /** The whole code. Absent: whatever the code. */
  readonly code?: RegExp;
  /** A part of the message. Absent: whatever the message. */
  readonly words?: RegExp;
  readonly about: Exclude<About, 'unknown'>;
  /** What the words themselves say, the likeliest first. */
  readonly means?: readonly Cause[];
  /** What it usually is, in the order to check, where the words say no more than that it was refused. */
  readonly usually?: readonly Cause[];
}

export interface Refusal {
  /** The platform's own code, as it spells it; empty where there is no code. */
  readonly code: string;
  /** What it said, where that is all it says. Somebody else's text: show it through `publicWords`. */
  readonly words?: string;
  readonly about: About;
  /** What the response itself says. */
  readonly certain: readonly Cause[];
  /** What it usually is, for when there is nothing to compare, in the order to check. */
  readonly possible: readonly Cause[];
  /** The texts to compare with; none where the platform shows none. */
  readonly built: readonly Built[];
}

/** One part of a signed text: a line, a parameter, a header. */
export interface Part {
  readonly name: string;
  readonly value: string;
  /** What a difference in it means. */
  readonly cause: Cause;
  /** A value that looks so is no secret and is shown; every other is shown by its shape. */
  readonly plain?: RegExp;
  /** Words that may be shown inside a value that is not plain; with the flag g. */
  readonly words?: RegExp;
}

/** A request as it was sent: what `authorize` answered, with the body that was given where it answered none. */
export interface Sent {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** How one platform's refusals are read. */
export interface Refusals {
  /** For people. */
  readonly platform: string;
  /** Where the platform explains its codes. */
  readonly codesAt: (code: string) => string;
  /** Of parsed JSON or XML. Undefined: not an error of that platform. */
  readonly read: (body: object) => Refusal | undefined;
  /** Of a page, or of a log line that holds no document: only what nobody else says. */
  readonly readText: (text: string) => Refusal | undefined;
  readonly split: (text: string) => readonly Part[];
  /** What it is where the texts are equal: not the text. */
  readonly whenEqual: readonly Cause[];
  /** The text that was signed for this request, without any key; nothing where it carries no such signature. */
  readonly rebuild: (sent: Sent) => string | undefined;
}

/** Times as platforms write them: Unix seconds or milliseconds, ISO 8601, Beijing time. */
export const plainTime = /^(?:\d{10}|\d{13}|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?Z?)$/;

export const plainMethod = /^[A-Z]{1,7}$/;

/** Words of a path and names of a query. Ids have digits or capitals and stay hidden. */
export const pathWords = /(?<=\/)(?:v\d|[a-z]{1,24}(?:[-_][a-z]{1,24}){0,4})(?=[/?]|$)|(?<=[?&])[a-z_]{1,24}(?==)/g;

/** What a platform said, in one line, without what may be an id or a secret, and without what a terminal obeys. */
export const publicWords = (words: string): string =>
  words
    .slice(0, 256)
    .replace(/\S+/g, (word) => (/[\d<>@]/.test(word) ? '…' : word))
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, 120);

/** A member of something that somebody else wrote, where it is text. */
export function textOf(value: unknown, name: string): string | undefined {
  const member = (typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {})[name];
  return typeof member === 'string' ? member : undefined;
}

/** The first row that fits, which is the most special one: each table is in that order. */
export function interpret(
  sayings: readonly Saying[],
  code: string,
  message: string,
): Pick<Refusal, 'about' | 'certain' | 'possible'> {
  const row = sayings.find((saying) => (saying.code?.test(code) ?? true) && (saying.words?.test(message) ?? true));
  return { about: row?.about ?? 'unknown', certain: row?.means ?? [], possible: row?.usually ?? [] };
}
