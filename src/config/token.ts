// The bearer token of the TCP listener, from its file.
import { PaycertError } from '../errors.ts';
import { inUtf16, isUtf16, saidOfPasted } from '../pasted.ts';
import { readBounded, whyUnreadable } from '../system/read-bounded.ts';

/** @throws PaycertError `token-unusable` */
export function parseToken(text: string): string {
  const token = text.trim();
  const refuse = (what: string) => new PaycertError('token-unusable', `the token file ${what}`, { field: 'tokenFile' });
  const pasted = saidOfPasted(token, 'agreed');
  if (pasted !== undefined) throw refuse(pasted);
  if (/^[!-~]{16,1024}$/.test(token)) return token;
  throw refuse(isUtf16(text) ? inUtf16 : 'holds no usable token');
}

/** @throws PaycertError `token-unusable` */
export async function readToken(path: string): Promise<string> {
  const { bytes } = await readBounded(path).catch((error: unknown) => {
    throw new PaycertError('token-unusable', `${path} ${whyUnreadable(error)}`, { field: 'tokenFile' });
  });
  return parseToken(bytes.toString());
}
