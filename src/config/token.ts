// The bearer token of a TCP listener, the secret that the application knows, or the key of the audit, from its file.
import { PaycertError } from '../errors.ts';
import type { TokenFile } from '../events.ts';
import { inUtf16, isUtf16, saidOfPasted } from '../pasted.ts';
import { readBounded, whyUnreadable } from '../system/read-bounded.ts';

/** The member of the configuration, and what the file holds. */
const names: Readonly<Record<TokenFile, readonly [field: string, word: string]>> = {
  token: ['tokenFile', 'token'],
  'proxy-token': ['tokenFile', 'token'],
  'notification-secret': ['secretFile', 'secret'],
  'audit-key': ['keyFile', 'key'],
};

/** @throws PaycertError `token-unusable` */
export function parseToken(text: string, file: TokenFile = 'token'): string {
  const token = text.trim();
  const [field, word] = names[file];
  const refuse = (what: string) => new PaycertError('token-unusable', `the ${word} file ${what}`, { field });
  const pasted = saidOfPasted(token, 'agreed');
  if (pasted !== undefined) throw refuse(pasted);
  if (/^[!-~]{16,1024}$/.test(token)) return token;
  throw refuse(isUtf16(text) ? inUtf16 : `holds no usable ${word}`);
}

/** @throws PaycertError `token-unusable` */
export async function readToken(path: string, file: TokenFile = 'token'): Promise<string> {
  const { bytes } = await readBounded(path).catch((error: unknown) => {
    throw new PaycertError('token-unusable', `${path} ${whyUnreadable(error)}`, { field: names[file][0] });
  });
  return parseToken(bytes.toString(), file);
}
