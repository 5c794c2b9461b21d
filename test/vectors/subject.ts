// The product under test: contexts made from the keys of a vector, as a load makes them, with the time as an argument.
import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { checkValue } from '../../src/crypto/check-value.ts';
import { readCertificates, readPublicKey } from '../../src/crypto/containers.ts';
import { localKey, type PrivateKey, keyReader } from '../../src/crypto/private-key.ts';
import { certificateFingerprint, normalizeSerial } from '../../src/crypto/x509.ts';
import { type ContextOptions, createContext } from '../../src/providers/wechatpay/context.ts';
import type { ValidParts } from '../../src/providers/wechatpay/own-keys.ts';
import type { NamedCertificate } from '../../src/providers/wechatpay/parts.ts';
import { type FlatContext, flatten } from '../support/flatten.ts';
import { isObject, listOf } from './read.ts';
import { Unusable } from './findings.ts';
import type { Situation } from './situation.ts';

/** A context needs a private key; vectors that are not about one get this. */
let spare: PrivateKey | undefined;
const sparePrivateKey = (): PrivateKey =>
  (spare ??= localKey(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey));

export type Subject = Required<FlatContext>;

/** Not `load`: many sources pair keys, names and sizes that its rules refuse, as they should. */
export async function subject(parts: Partial<ValidParts>, options: Partial<ContextOptions> = {}): Promise<Subject> {
  const whole = {
    privateKey: sparePrivateKey(),
    platformCertificates: [],
    announcedEnds: new Map(),
    retired: [],
    trust: [],
    ...parts,
  };
  const context = await createContext(whole, {
    merchantId: '1900000000',
    responseKey: 'platform',
    legacyFieldPadding: false,
    proven: new Set(),
    nameSecret: checkValue,
    ...options,
  });
  return flatten(context) as Subject;
}

export function privateKeyOf(situation: Situation): PrivateKey | undefined {
  const bytes = situation.material('private_key', 'merchant_private_key', 'mch_private_key', 'key_pem');
  return bytes && keyReader()(bytes, 'private_key');
}

export interface Trusted {
  readonly keyId: string;
  readonly key: KeyObject;
  readonly certificate?: X509Certificate;
}

const certificateNames = ['certificate', 'platform_certificate', 'wechatpay_certificate', 'cert', 'x509'];
const keyNames = ['public_key', 'platform_public_key', 'wechatpay_public_key'];
const trustNames = ['trusted', 'trusted_certificates', 'platform_certificates', 'certificates', 'verifiers'];

/** The keys that the vector says are the platform's, under the ids that it gives them. */
export function trustedKeys(situation: Situation): Trusted[] {
  const entries: [string | undefined, string][] = [];
  const trusted = situation.input(...trustNames);
  if (isObject(trusted))
    entries.push(...Object.entries(trusted).map(([id, file]): [string, string] => [id, String(file)]));
  else entries.push(...listOf(trusted).map((file): [undefined, string] => [undefined, String(file)]));
  // The id stands beside the key, outside the cases: a case's own serial is what its message claims.
  const given = ['public_key_id', 'wechatpay_public_key_id', 'serial', 'serial_no', 'platform_serial']
    .map((name) => situation.vector.inputs[name])
    .find((id) => typeof id === 'string');
  // Beside a certificate, a serial that must be refused is the message's claim too: the certificate has its own.
  const isClaimed =
    situation.label === '' && situation.verdict === 'refused' && situation.text(...certificateNames) !== undefined;
  const only = situation.text(...certificateNames) ?? situation.text(...keyNames);
  if (only !== undefined) entries.push([typeof given === 'string' && !isClaimed ? given : undefined, only]);
  const keys = entries.map(([id, text]) => readTrusted(id, situation.contents(text)));
  if (keys.length === 0) throw new Unusable('there is no certificate or public key to verify with');
  return keys;
}

function readTrusted(id: string | undefined, bytes: Buffer): Trusted {
  if (!isCertificate(bytes)) return { keyId: id ?? 'PUB_KEY_ID_0', key: readPublicKey(bytes, 'public_key') };
  const [certificate] = readCertificates(bytes, 'certificate');
  return { keyId: id ?? certificate.serialNumber, key: certificate.publicKey, certificate };
}

const isCertificate = (bytes: Buffer): boolean => {
  try {
    return new X509Certificate(bytes).raw.byteLength > 0;
  } catch {
    return false;
  }
};

/** Some sources trust a certificate under another serial number than its own: the product takes that as a public key with an id. */
export async function subjectsTrusting(keys: readonly Trusted[]): Promise<Subject[]> {
  const isOwn = ({ keyId, certificate }: Trusted): boolean =>
    certificate !== undefined && normalizeSerial(certificate.serialNumber) === normalizeSerial(keyId);
  const platformCertificates = keys.flatMap(({ certificate }): NamedCertificate[] =>
    certificate ? [{ name: `platform/${certificateFingerprint(certificate)}.pem`, certificate }] : [],
  );
  const aliases = keys.filter((key) => !isOwn(key));
  return Promise.all([
    subject({ platformCertificates }),
    ...aliases.map(({ key, keyId }) => subject({ publicKey: key, publicKeyId: keyId })),
  ]);
}

/** A moment at which none of the certificates has expired; sources' own have, or will. */
export function aliveAt(keys: readonly Trusted[], now: Date): Date {
  const ends = keys.flatMap(({ certificate }) => (certificate ? [certificate.validToDate.getTime() - 1000] : []));
  return new Date(Math.min(now.getTime(), ...ends));
}
