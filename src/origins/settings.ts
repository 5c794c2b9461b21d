// Files that say who we are to a server: read whenever they are needed, since their writers replace them.
import { PaycertError } from '../errors.ts';
import { saidOfPasted } from '../pasted.ts';
import { readBounded, whyUnreadable } from '../system/read-bounded.ts';

/** The text of a file that the configuration names under `field`, without blanks around it. @throws PaycertError `source-unreadable` */
export async function readSetting(field: string, path: string): Promise<string> {
  const { bytes } = await readBounded(path).catch((error: unknown) => {
    throw new PaycertError('source-unreadable', `${path} ${whyUnreadable(error)}`, { field });
  });
  return bytes.toString().trim();
}

/** A secret of one word that a server gave us, such as a password. @throws PaycertError `source-unreadable`, `origin-unauthenticated` */
export async function readWord(field: string, path: string): Promise<string> {
  const word = await readSetting(field, path);
  const what = saidOfPasted(word, 'agreed');
  if (what === undefined) return word;
  throw new PaycertError('origin-unauthenticated', `the content of ${path} ${what}`, { field });
}

/** A token, which is sent in a header; `called`: what its message calls it. @throws PaycertError `source-unreadable`, `origin-unauthenticated` */
export async function readToken(field: string, path: string, called = 'token'): Promise<string> {
  const token = await readWord(field, path);
  if (/^[!-~]{1,4096}$/.test(token)) return token;
  throw new PaycertError('origin-unauthenticated', `${path} holds no ${called}: one line of printable characters`, {
    field,
  });
}
