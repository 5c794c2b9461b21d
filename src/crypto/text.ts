// The text of a file of key material, as people paste it: byte order mark, escaped line ends, blanks around it.

const utf8 = new TextDecoder('utf-8', { ignoreBOM: false });

/** Text as people paste it: without byte order mark, with literal `\n` as line ends, trimmed. */
export function readText(bytes: Uint8Array): string {
  return utf8.decode(bytes).replaceAll('\\r', '').replaceAll('\\n', '\n').trim();
}
