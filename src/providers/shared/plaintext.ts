// What somebody wrote as JSON or as text, as a value that can be written as JSON again.

/** Far deeper than any resource, and far from where JSON.stringify runs out of stack. */
const maxDepth = 256;

const isShallow = (value: unknown, depth = maxDepth): boolean =>
  typeof value !== 'object' ||
  value === null ||
  (depth > 0 && Object.values(value).every((inner) => isShallow(inner, depth - 1)));

/** Parsed where it is JSON that can be written again, otherwise its text. */
export function readPlaintext(plaintext: Uint8Array): unknown {
  const text = Buffer.from(plaintext.buffer, plaintext.byteOffset, plaintext.byteLength).toString();
  try {
    const value: unknown = JSON.parse(text);
    return isShallow(value) ? value : text;
  } catch {
    return text;
  }
}
