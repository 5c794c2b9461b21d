// The bearer token of the TCP listener, from its file.
import { PaycertError } from '../errors.ts';
import { readBounded, whyUnreadable } from '../system/read-bounded.ts';

/** @throws PaycertError `token-unusable` */
export function parseToken(text: string): string {
  const token = text.trim();
  if (/^[!-~]{16,1024}$/.test(token)) return token;
  throw new PaycertError('token-unusable', 'the token file holds no usable token', { field: 'tokenFile' });
}

/** @throws PaycertError `token-unusable` */
export async function readToken(path: string): Promise<string> {
  const { bytes } = await readBounded(path).catch((error: unknown) => {
    throw new PaycertError('token-unusable', `${path} ${whyUnreadable(error)}`, { field: 'tokenFile' });
  });
  return parseToken(bytes.toString());
}
