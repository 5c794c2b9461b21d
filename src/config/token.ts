// Secrets of one line, each from its file: a listener's token, what the application knows, the password of Redis, the audit's key, the user of the way out.
import { PaycertError } from '../errors.ts';
import type { TokenFile } from '../events.ts';
import { inUtf16, isUtf16, saidOfPasted } from '../pasted.ts';
import { readBounded, whyUnreadable } from '../system/read-bounded.ts';

/** The member of the configuration, what the file holds, and how short that may be. */
const names: Readonly<Record<TokenFile, readonly [field: string, word: string, atLeast?: number]>> = {
  token: ['listen.tcp.tokenFile', 'token'],
  'proxy-token': ['proxy.listen.tcp.tokenFile', 'token'],
  'notification-secret': ['notifications.secretFile', 'secret'],
  // Somebody else has chosen it.
  'redis-password': ['notifications.dedupe.redis.passwordFile', 'password', 1],
  'audit-key': ['audit.keyFile', 'key'],
};

const agreedLength = 16;

/** `field`: what named the file, where that is no member of the configuration. @throws PaycertError `token-unusable` */
export function parseToken(text: string, file: TokenFile = 'token', field = names[file][0]): string {
  const token = text.trim();
  const [, word, atLeast = agreedLength] = names[file];
  const refuse = (what: string) => new PaycertError('token-unusable', `${field}: the ${word} file ${what}`, { field });
  const pasted = saidOfPasted(token, 'agreed');
  if (pasted !== undefined) throw refuse(pasted);
  if (/^[!-~]{1,1024}$/.test(token) && token.length >= atLeast) return token;
  throw refuse(isUtf16(text) ? inUtf16 : `holds no usable ${word}`);
}

/** `field`: as above. @throws PaycertError `token-unusable` */
export async function readToken(path: string, file: TokenFile = 'token', field = names[file][0]): Promise<string> {
  const { bytes } = await readBounded(path).catch((error: unknown) => {
    throw new PaycertError('token-unusable', `${path} ${whyUnreadable(error)}`, { field });
  });
  return parseToken(bytes.toString(), file, field);
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
