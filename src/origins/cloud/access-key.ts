// An access key at a cloud, and where it comes from: files that are read again, or a token of our pod that is exchanged for one that ends.
import { readToken, readWord } from '../settings.ts';
import type { Lent } from './lent-keys.ts';

/** Never printed: what holds one keeps it in a private member. */
export interface AccessKey {
  readonly id: string;
  readonly secret: string;
  /** What a lent one is sent with. */
  readonly token?: string;
}

export interface AccessKeyFiles {
  readonly idFile: string;
  readonly secretFile: string;
  /** Where the key is lent, by the writer of the files. */
  readonly tokenFile?: string;
}

/** How long files are taken as read. */
const trustMilliseconds = 10_000;

/** @throws PaycertError `source-unreadable`, `origin-unauthenticated` */
export async function readAccessKey(files: AccessKeyFiles): Promise<Lent<AccessKey>> {
  const { idFile, secretFile, tokenFile } = files;
  const [id, secret, token] = await Promise.all([
    readToken('auth.accessKey.idFile', idFile, 'id of an access key'),
    readToken('auth.accessKey.secretFile', secretFile, 'secret of an access key'),
    tokenFile === undefined ? undefined : readToken('auth.accessKey.tokenFile', tokenFile),
  ]);
  return { key: { id, secret, ...(token !== undefined && { token }) }, milliseconds: trustMilliseconds };
}

/** The token that our pod has: a JWT, which may be longer than other tokens. @throws PaycertError `source-unreadable`, `origin-unauthenticated` */
export const readIdentity = (field: string, path: string): Promise<string> => readWord(field, path, 'token');

/** An hour: what every role allows. */
export const askedSeconds = 3600;

/** What is left of a lent key by our clock; no more than was asked for, since the clock may be behind. At least ten seconds. */
export function millisecondsLeft(expiration: unknown, now: Date): number {
  const end = typeof expiration === 'number' ? expiration * 1000 : Date.parse(String(expiration));
  const left = Number.isFinite(end) ? end - now.getTime() : 0;
  return Math.min(Math.max(left, 10_000), askedSeconds * 1000);
}
