// What a platform says when it refuses a signature: the text that it built itself, and the causes that people can do something about.

/** Why a platform refuses a signature, and what to do. Shown as they stand: no text here ever holds a value. */
export const causes = {
  clock: {
    why: 'the time that was signed is too far from the platform’s',
    remedy: 'Compare this machine’s clock with a time server; authorize each attempt anew, right before it is sent.',
  },
  'time-format': {
    why: 'the time is written in another unit, format or zone than the platform reads',
    remedy:
      'WeChat Pay: seconds. Alipay v2: Beijing time, v3: milliseconds. Aliyun: UTC to the second. `authorize` writes it right.',
  },
  'another-attempt': {
    why: 'what was signed belongs to another attempt, or one authorization was sent twice',
    remedy: 'Compare the two texts of one attempt; call `authorize` for each attempt, and send what it answers once.',
  },
  method: {
    why: 'another HTTP method was sent than signed',
    remedy: 'Send the method that `authorize` answered; a redirect or a proxy may turn POST into GET.',
  },
  url: {
    why: 'another path or query was sent than signed',
    remedy:
      'Send the url that `authorize` answered, byte for byte; look for a proxy that rewrites paths, drops or sorts queries.',
  },
  encoding: {
    why: 'the same characters were written in another encoding',
    remedy:
      'Send url and body as `authorize` answered them: neither percent-encode nor escape again, and keep everything UTF-8.',
  },
  order: {
    why: 'the same parts were signed in another order',
    remedy: 'Sort parameters by the bytes of their names, upper case before lower, as `authorize` does.',
  },
  'line-end': {
    why: 'a line end is one too many, one too few, or of another kind',
    remedy:
      'Sign and send the same bytes (`curl --data-binary`, `printf %s`); check that the file given here did not gain a line end.',
  },
  body: {
    why: 'another body was sent than signed: usually the JSON was written anew',
    remedy:
      'Write the JSON once, pass that text to `authorize`, and send the same bytes; for an upload sign `meta` only.',
  },
  'body-missing': {
    why: 'one side had an empty body',
    remedy: 'Pass to `authorize` the body that is sent, and check that the HTTP client sends it.',
  },
  parameter: {
    why: 'a parameter was signed and not sent, was sent and not signed, or changed in between',
    remedy: 'Give every parameter to `authorize`, send all that it answers, and add none afterwards.',
  },
  header: {
    why: 'a header is missing, is malformed, or changed on its way',
    remedy: 'Send all headers that `authorize` answered; look for a proxy that drops or rewrites them.',
  },
  key: {
    why: 'the key that signed is not the one that the platform has on record: replaced, revoked, or of another pair',
    remedy:
      'Compare the key id of `paycert status` with the console, and the files with `paycert inspect`; give the platform the public half.',
  },
  application: {
    why: 'the AppID, merchant id or access key id belongs to another account than the key',
    remedy:
      'Check which credential was named, and the ids in its configuration; a space or another case is another id.',
  },
  environment: {
    why: 'keys of the sandbox were used in production, or the reverse',
    remedy: 'Take gateway address, application id, keys and root certificates from one environment.',
  },
  token: {
    why: 'the token that came with the key has expired or belongs to another key',
    remedy: 'Fetch token and key together, and check that whatever renews them still runs.',
  },
} as const satisfies Record<string, { readonly why: string; readonly remedy: string }>;

export type Cause = keyof typeof causes;

/** A text that the platform built from what it received. */
export interface Built {
  readonly text: string;
  /** Of the whole text in bytes, where the platform shows its beginning only. */
  readonly byteLength?: number;
}

export interface Refusal {
  /** The platform's own code, in its letters; empty where it is none. */
  readonly code: string;
  /** What the answer itself says. */
  readonly certain: readonly Cause[];
  /** What it usually is, for when there is nothing to compare. */
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
  /** Nothing: this is no error of that platform. */
  readonly read: (body: object) => Refusal | undefined;
  readonly split: (text: string) => readonly Part[];
  /** The text that was signed for this request, without any key; nothing where it carries no such signature. */
  readonly rebuild: (sent: Sent) => string | undefined;
}

/** Times as platforms write them: Unix seconds or milliseconds, ISO 8601, Beijing time. */
export const plainTime = /^(?:\d{10}|\d{13}|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?Z?)$/;

export const plainMethod = /^[A-Z]{1,7}$/;

/** Words of a path and names of a query. Ids have digits or capitals and stay hidden. */
export const pathWords = /(?<=\/)(?:v\d|[a-z]{1,24}(?:[-_][a-z]{1,24}){0,4})(?=[/?]|$)|(?<=[?&])[a-z_]{1,24}(?==)/g;

/** A member of something that somebody else wrote, where it is text. */
export function textOf(value: unknown, name: string): string | undefined {
  const member = (typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {})[name];
  return typeof member === 'string' ? member : undefined;
}
