// Words of a command that people paste into a shell, whatever the names of their files hold.

/** As bash, zsh and ksh read it: plain where nothing in it means anything, in single quotes, or with the bytes of what is not text. */
export function quote(word: Buffer): string {
  const text = word.toString();
  const isText = Buffer.compare(Buffer.from(text), word) === 0;
  if (isText && /^[-\w./:=@%+,]+$/.test(text)) return text;
  if (isText && !/[\p{Cc}]/u.test(text)) return `'${text.replaceAll("'", "'\\''")}'`;
  const escaped = [...word].map((byte) =>
    byte >= 0x20 && byte < 0x7f && byte !== 0x27 && byte !== 0x5c
      ? String.fromCharCode(byte)
      : `\\x${byte.toString(16).padStart(2, '0')}`,
  );
  return `$'${escaped.join('')}'`;
}

/** One value of `--from-file`, which kubectl reads as a line of CSV (RFC 4180). */
export function fromFile(key: string, path: Buffer): string {
  const value = Buffer.concat([Buffer.from(`${key}=`), path]);
  const isPlain = !/[",\r\n]/.test(value.toString('latin1'));
  const field = isPlain ? value : Buffer.concat([Buffer.from('"'), doubled(value), Buffer.from('"')]);
  return `--from-file=${quote(field)}`;
}

const doubled = (value: Buffer): Buffer => Buffer.from(value.toString('latin1').replaceAll('"', '""'), 'latin1');
