// The bearer token of the TCP listener, from its file.
import { readFile } from 'node:fs/promises';
import { PaycertError } from '../errors.ts';

/** @throws PaycertError `token-unusable` */
export function parseToken(text: string): string {
  const token = text.trim();
  if (/^[!-~]{16,1024}$/.test(token)) return token;
  throw new PaycertError('token-unusable', 'the token file holds no usable token', { field: 'tokenFile' });
}

/** @throws PaycertError `token-unusable` */
export async function readToken(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) throw new PaycertError('token-unusable', `${path} cannot be read`, { field: 'tokenFile' });
  return parseToken(text);
}
