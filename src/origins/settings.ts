// Files that say who we are to a server: read whenever they are needed, since their writers replace them.
import { PaycertError } from '../errors.ts';
import { saidOfPasted } from '../pasted.ts';
import { readFilled, whyUnreadable } from '../system/read-bounded.ts';

/**
 * The text of a file that the configuration names under `field`, without blanks around it; `called`: what its message calls it.
 * @throws PaycertError `source-unreadable`, also where it is empty: a server must not be sent nothing
 */
export async function readSetting(field: string, path: string, called: string): Promise<string> {
  const bytes = await readFilled(path, called).catch((error: unknown) => {
    throw new PaycertError('source-unreadable', `${path} ${whyUnreadable(error)}`, { field });
  });
  return bytes.toString().trim();
}

/** A secret of one word that a server gave us, such as a password. @throws PaycertError `source-unreadable`, `origin-unauthenticated` */
export async function readWord(field: string, path: string, called: string): Promise<string> {
  const word = await readSetting(field, path, called);
  const what = saidOfPasted(word, 'agreed');
  if (what === undefined) return word;
  throw new PaycertError('origin-unauthenticated', `the content of ${path} ${what}`, { field });
}

/** A token, which is sent in a header. @throws PaycertError `source-unreadable`, `origin-unauthenticated` */
export async function readToken(field: string, path: string, called = 'token'): Promise<string> {
  const token = await readWord(field, path, called);
  if (/^[!-~]{1,4096}$/.test(token)) return token;
  throw new PaycertError('origin-unauthenticated', `${path} holds no ${called}: one line of printable characters`, {
    field,
  });
}
