// A throw-away identity of a platform: an SDK is given its public half, and verifies with it what the proxy has verified and signed again.
import { createHmac, createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import { readPrivateKey } from '../../crypto/containers.ts';
import { rsaPkcs1 } from '../../crypto/suites.ts';
import { publicKeyFingerprint } from '../../crypto/x509.ts';
import { PaycertError } from '../../errors.ts';
import { readBounded, whyUnreadable } from '../../system/read-bounded.ts';

/** Before the key: what does not begin so may be a real one, and is not taken. */
const mark = 'A throw-away identity, made by `paycert proxy identity`. No platform trusts it.\n';

export interface LocalIdentity {
  readonly privateKey: KeyObject;
  /** As WeChat Pay names its public keys; theirs continue with 01. */
  readonly keyId: string;
  /** In place of an APIv2 key, with which both sides sign. */
  readonly secret: KeyObject;
}

/** All of it comes from the one key. */
export function identityOf(privateKey: KeyObject): LocalIdentity {
  const number = BigInt(`0x${publicKeyFingerprint(createPublicKey(privateKey)).slice(0, 24)}`);
  const code = createHmac('sha256', privateKey.export({ type: 'pkcs8', format: 'der' })).update('APIv2 key');
  return {
    privateKey,
    keyId: `PUB_KEY_ID_00${number.toString().padStart(30, '0')}`,
    secret: createSecretKey(Buffer.from(code.digest('hex').slice(0, 32))),
  };
}

const field = 'proxy.identityFile';
const refused = (path: string, what: string) => new PaycertError('config-invalid', `${path} ${what}`, { field });

/** @throws PaycertError `config-invalid` */
export async function readIdentity(path: string): Promise<LocalIdentity> {
  const { bytes } = await readBounded(path).catch((error: unknown) => {
    throw refused(path, whyUnreadable(error));
  });
  return parseIdentity(bytes, path);
}

/** @throws PaycertError `config-invalid` */
export function parseIdentity(bytes: Buffer, path: string): LocalIdentity {
  if (!bytes.toString('latin1').startsWith(mark)) throw refused(path, 'is not what `paycert proxy identity` made');
  const key = privateKeyIn(bytes.subarray(mark.length));
  if (key === undefined || rsaPkcs1.check(key, field).length > 0)
    throw refused(path, 'holds no RSA key of 2048 bits or more');
  return identityOf(key);
}

function privateKeyIn(bytes: Buffer): KeyObject | undefined {
  try {
    return readPrivateKey(bytes, field);
  } catch (error) {
    if (error instanceof PaycertError) return undefined;
    throw error;
  }
}

/** The proxy's own part. */
export const identityText = ({ privateKey }: LocalIdentity): string =>
  mark + privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

/** What SDKs are given, by the names that platforms' consoles have for them. */
export function publicFilesOf({ privateKey, keyId, secret }: LocalIdentity): ReadonlyMap<string, string> {
  const publicKey = createPublicKey(privateKey);
  return new Map([
    ['pub_key.pem', publicKey.export({ type: 'spki', format: 'pem' }).toString()],
    ['pub_key_id', keyId],
    ['alipay_public_key', publicKey.export({ type: 'spki', format: 'der' }).toString('base64')],
    ['apiv2_key', secret.export().toString()],
  ]);
}
