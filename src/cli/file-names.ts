// Names of files, which are bytes: of another code page too, as an archive from Windows leaves them.

/** For people, and to be recognized by: UTF-8, else GB18030, else with its odd bytes as `\\x..`. */
export function readableName(name: Buffer): string {
  if (isText(name)) return name.toString();
  const decoded = decodeGb18030(name);
  if (decoded !== undefined) return decoded;
  const characters = [...name].map((byte) =>
    byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`,
  );
  return characters.join('');
}

/** Whether a configuration, a Secret and a command can name it as it is. */
export const isText = (name: Buffer): boolean => Buffer.compare(Buffer.from(name.toString()), name) === 0;

/** What nobody would call a file is no text of that code page. */
function decodeGb18030(name: Buffer): string | undefined {
  try {
    const text = new TextDecoder('gb18030', { fatal: true }).decode(name);
    return /^[\x21-\x7e\p{sc=Han}\u3000-\u303f\uff00-\uffef\u2010-\u2026 ]+$/u.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}

/** Of a directory, without those at its end; the root keeps its own. */
export function withoutSlashes(path: string): string {
  let end = path.length;
  while (end > 1 && path[end - 1] === '/') end -= 1;
  return path.slice(0, end);
}
