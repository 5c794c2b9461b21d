// Finds secrets in output, however they are written: raw, hex, base64 or base64url, whole or in part.

/** Sixteen bytes in a row are no accident. */
const width = 16;

function* windows(bytes: Buffer): Generator<string> {
  for (let at = 0; at + width <= bytes.byteLength; at++) yield bytes.toString('latin1', at, at + width);
}

/** Everything that a text may be the encoding of: itself, and each run of hex or base64 digits, however it is aligned. */
function* readings(text: string): Generator<Buffer> {
  yield Buffer.from(text);
  for (const [run] of text.matchAll(/[0-9a-fA-F]{32,}/g))
    for (const offset of [0, 1]) yield Buffer.from(run.slice(offset), 'hex');
  // A PEM body in JSON has its line ends as two characters.
  for (const [run] of text
    .replaceAll('\\n', '')
    .replaceAll('\n', '')
    .matchAll(/[A-Za-z0-9+/_-]{22,}/g))
    for (const offset of [0, 1, 2, 3]) yield Buffer.from(run.slice(offset), 'base64');
}

export class Canaries {
  readonly #windows = new Map<string, string>();

  /** A secret of at least sixteen bytes, and what to call it when it is found. */
  add(name: string, secret: Uint8Array): void {
    for (const window of windows(Buffer.from(secret))) this.#windows.set(window, name);
  }

  /** The names of the secrets that a text gives away. */
  find(text: string): string[] {
    const found = new Set<string>();
    for (const bytes of readings(text)) {
      for (const window of windows(bytes)) {
        const name = this.#windows.get(window);
        if (name !== undefined) found.add(name);
      }
    }
    return [...found];
  }
}
