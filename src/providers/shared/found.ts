// Files as they lie in a directory, known by what they hold and not by what they are called: what `draft` of a platform chooses from.
import type { KeyObject, X509Certificate } from 'node:crypto';
import { readCertificates, readPrivateKey, readPublicKey } from '../../crypto/containers.ts';
import { readText } from '../../crypto/text.ts';
import { publicKeyFingerprint } from '../../crypto/x509.ts';
import { PaycertError } from '../../errors.ts';

export interface Found {
  readonly name: string;
  readonly privateKey?: KeyObject;
  readonly publicKey?: KeyObject;
  readonly certificates: readonly X509Certificate[];
  /** At most a line's worth; empty where it holds a key or certificate. */
  readonly text: string;
}

/** What throws is not there: what is wrong with a part that was chosen, the provider says when it loads. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof PaycertError) return undefined;
    throw error;
  }
}

const longestText = 256;

export function findFiles(files: ReadonlyMap<string, Uint8Array>): readonly Found[] {
  return [...files].map(([name, bytes]) => {
    const privateKey = attempt(() => readPrivateKey(bytes, name));
    const publicKey = privateKey ? undefined : attempt(() => readPublicKey(bytes, name));
    const certificates = attempt(() => readCertificates(bytes, name)) ?? [];
    const isText = !privateKey && !publicKey && certificates.length === 0 && bytes.byteLength <= longestText;
    return {
      name,
      ...(privateKey && { privateKey }),
      ...(publicKey && { publicKey }),
      certificates,
      text: isText ? readText(bytes) : '',
    };
  });
}

/** Whether they are about one key pair. */
export const isPair = (one: KeyObject | undefined, other: KeyObject | undefined): boolean =>
  one !== undefined && other !== undefined && publicKeyFingerprint(one) === publicKeyFingerprint(other);

/** The certificate that lives longest. */
export const longest = <T extends { readonly certificates: readonly X509Certificate[] }>(
  found: readonly T[],
): T | undefined =>
  found.toSorted((a, b) => Number(b.certificates[0]?.validToDate) - Number(a.certificates[0]?.validToDate))[0];

const extension = /\.(?:txt|key|pem|conf|dat)$/i;

/** The file of that name, or of one that people make of it: `APIv3 Key.txt` for `apiv3_key`. */
export function namedAlike(files: ReadonlyMap<string, Uint8Array>, part: string): string | undefined {
  const plain = (name: string) => name.toLowerCase().replace(/[-_. ]/g, '');
  if (files.has(part)) return part;
  return [...files.keys()].find(
    (name) => plain(name.replace(extension, '')) === plain(part) || plain(name) === plain(part),
  );
}

/** Names that a Secret's key may have. */
export const isSecretKey = (name: string): boolean => /^[-._a-zA-Z0-9]{1,253}$/.test(name);
