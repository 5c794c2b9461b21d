// A private key, wherever it is: it knows its public half, signs, and may open what was encrypted for it.
import { createPublicKey, type KeyObject, sign, verify, type X509Certificate } from 'node:crypto';
import { PaycertError } from '../errors.ts';
import type { KeyCipher } from './cipher.ts';
import { readPrivateKey } from './containers.ts';
import { isKeyReference, readKeyReference } from './key-reference.ts';
import { modulusLength, type Suite } from './suites.ts';
import { publicKeyFingerprint } from './x509.ts';

/**
 * Runs work when it is its turn in the thread pool, which local keys share with file reads. `here` does the same in this thread, in a
 * millisecond at most: one who gives turns may take it instead, where nobody would wait behind it.
 */
export type Turn = <T>(work: () => Promise<T>, here?: () => T) => Promise<T>;

/** For work outside calls, such as the self-test of a key that is being loaded. */
export const atOnce: Turn = (work) => work();

export interface PrivateKey {
  readonly publicKey: KeyObject;
  /** A key that holds no thread of this process, because it is elsewhere, takes no turn. */
  readonly sign: (suite: Suite, message: Uint8Array, turn?: Turn) => Promise<Uint8Array>;
  /** The plaintext, or undefined where this key does not open it. Absent: this key only signs. */
  readonly open?: (cipher: KeyCipher, ciphertext: Uint8Array, turn?: Turn) => Promise<Uint8Array | undefined>;
  /** Why it signs nothing: what keeps it lets it open, and nothing else. */
  readonly cannotSign?: PaycertError;
  /** The key itself, where it is in this process: TLS in Node takes nothing else. */
  readonly local?: KeyObject;
}

/** A private key whose bytes are in this process. */
export function localKey(key: KeyObject): Required<Omit<PrivateKey, 'cannotSign'>> {
  // Preparing a key for a cipher takes longer than finding it prepared; most keys never open anything.
  const openers = new Map<KeyCipher, ReturnType<KeyCipher['opener']>>();
  const openerOf = (cipher: KeyCipher) => {
    const opener = openers.get(cipher) ?? cipher.opener(key);
    openers.set(cipher, opener);
    return opener;
  };
  return {
    publicKey: createPublicKey(key),
    sign: (suite, message, turn = atOnce) =>
      turn(() => suite.sign(key, message), isQuick(key, message) ? () => suite.signHere(key, message) : undefined),
    open: (cipher, ciphertext, turn = atOnce) => turn(() => openerOf(cipher)(ciphertext)),
    local: key,
  };
}

/** RSA takes the square of a key's length and more; a digest takes a millisecond for some hundred KiB. */
const [quickKeyBytes, quickMessageBytes] = [2048 / 8, 64 * 1024];

const isQuick = (key: KeyObject, message: Uint8Array): boolean =>
  message.byteLength <= quickMessageBytes && modulusLength(key) <= quickKeyBytes;

/** Keys that the material refers to, by the name of the part that does; an error where one cannot be used. */
export type RemoteKeys = ReadonlyMap<string, PrivateKey | PaycertError>;

/**
 * Reads the private key of a part: one that is there, as `readPrivateKey` does, or one that it refers to.
 * Without `remote` no key service has been asked. One that only opens is taken where nothing is signed.
 */
export const keyReader =
  (remote?: RemoteKeys, use: 'sign' | 'open' = 'sign') =>
  (bytes: Uint8Array, field: string): PrivateKey => {
    if (!isKeyReference(bytes)) return localKey(readPrivateKey(bytes, field));
    const found = remote?.get(field);
    if (found instanceof PaycertError) throw found;
    if (use === 'sign' && found?.cannotSign !== undefined)
      throw new PaycertError(found.cannotSign.code, `${field}: ${found.cannotSign.message}`, { field });
    if (found !== undefined) return found;
    readKeyReference(bytes, field);
    throw new PaycertError('not-checked-here', `${field} stays in a key service, which is not asked here`, { field });
  };

/** Whether that certificate is about this key. */
export const isCertifiedBy = ({ publicKey }: PrivateKey, certificate: X509Certificate): boolean =>
  publicKeyFingerprint(publicKey) === publicKeyFingerprint(certificate.publicKey);

/** Whether what a private key of any kind signs verifies with that public key. In the thread pool. */
export function provesPair(privateKey: KeyObject, publicKey: KeyObject): Promise<boolean> {
  const message = Buffer.from('paycert self-test');
  // Edwards curves hash by themselves.
  const digest = privateKey.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  return new Promise((resolve) => {
    sign(digest, message, privateKey, (error, signature) =>
      // Whatever it is: a key with damaged primes makes OpenSSL throw.
      resolve(error === null && verify(digest, message, publicKey, signature)),
    );
  });
}
