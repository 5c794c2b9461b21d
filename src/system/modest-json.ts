// JSON that somebody else wrote, parsed only if it has no more values and levels than anything that is meant here.

/** More than the largest batch of calls or the largest set of keys has; parsing and validating that many takes some milliseconds. */
const maxValues = 10_000;
const maxDepth = 32;

/** It is not parsed. */
export class TooMuch extends Error {
  override readonly name = 'TooMuch';
  /** After "more than". */
  readonly most: string;

  constructor(most: string) {
    super(`more than ${most}`);
    this.most = most;
  }
}

/** @throws TooMuch; SyntaxError for what is not JSON */
export function parseModest(bytes: Buffer): unknown {
  assertModest(bytes);
  return JSON.parse(bytes.toString()) as unknown;
}

const [quote, backslash, comma, openArray, closeArray, openObject, closeObject] = Buffer.from('"\\,[]{}');

/**
 * A limit before the work: a megabyte may be one text, or half a million values that take a second to parse and judge. Bytes
 * that are no JSON may be counted wrongly, and are refused by the parser.
 */
function assertModest(bytes: Uint8Array): void {
  let [values, depth] = [0, 0];
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === quote) at = endOfText(bytes, at);
    else if (byte === closeArray || byte === closeObject) depth -= 1;
    else if (byte === comma || byte === openArray || byte === openObject) {
      values += 1;
      if (byte !== comma) depth += 1;
      if (values > maxValues) throw new TooMuch(`${maxValues} values`);
      if (depth > maxDepth) throw new TooMuch(`${maxDepth} levels`);
    }
  }
}

function endOfText(bytes: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < bytes.length && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1;
  return at;
}
