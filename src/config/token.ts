// Secrets of one line, each from its file: a listener's token, what the application knows, the password of Redis, the audit's key, the user of the way out.
import { PaycertError } from '../errors.ts';
import type { TokenFile } from '../events.ts';
import { inUtf16, isUtf16, saidOfPasted } from '../pasted.ts';
import { readBounded, whyUnreadable } from '../system/read-bounded.ts';

/** The member of the configuration, what the file holds, and how short that may be. */
const names: Readonly<Record<TokenFile, readonly [field: string, word: string, atLeast?: number]>> = {
  token: ['tokenFile', 'token'],
  'proxy-token': ['tokenFile', 'token'],
  'notification-secret': ['secretFile', 'secret'],
  // Somebody else has chosen it.
  'redis-password': ['passwordFile', 'password', 1],
  'audit-key': ['keyFile', 'key'],
};

const agreedLength = 16;

/** @throws PaycertError `token-unusable` */
export function parseToken(text: string, file: TokenFile = 'token'): string {
  const token = text.trim();
  const [field, word, atLeast = agreedLength] = names[file];
  const refuse = (what: string) => new PaycertError('token-unusable', `the ${word} file ${what}`, { field });
  const pasted = saidOfPasted(token, 'agreed');
  if (pasted !== undefined) throw refuse(pasted);
  if (/^[!-~]{1,1024}$/.test(token) && token.length >= atLeast) return token;
  throw refuse(isUtf16(text) ? inUtf16 : `holds no usable ${word}`);
}

/** @throws PaycertError `token-unusable` */
export async function readToken(path: string, file: TokenFile = 'token'): Promise<string> {
  const { bytes } = await readBounded(path).catch((error: unknown) => {
    throw new PaycertError('token-unusable', `${path} ${whyUnreadable(error)}`, { field: names[file][0] });
  });
  return parseToken(bytes.toString(), file);
}

/** `name:password`, for the proxy on the way out. @throws PaycertError `config-invalid` */
export async function readProxyUser(path: string): Promise<string> {
  const field = 'wayOut.userFile';
  const { bytes } = await readBounded(path).catch((error: unknown) => {
    throw new PaycertError('config-invalid', `${path} ${whyUnreadable(error)}`, { field });
  });
  const user = bytes.toString().trim();
  if (/^[^:\p{Cc}]{1,256}:\P{Cc}{1,1024}$/u.test(user)) return user;
  throw new PaycertError('config-invalid', `${path} holds no name:password on one line`, { field });
}
