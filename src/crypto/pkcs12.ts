// PKCS#12 → key and chain. The only importer of node-forge: OpenSSL 3 refuses the RC2-40 and 3DES that WeChat's files use.
import type { KeyObject, X509Certificate } from 'node:crypto';
import type forge from 'node-forge';
import { PaycertError } from '../errors.ts';
import { BerBudget } from './ber-bounds.ts';
import { readCertificates, readPrivateKey } from './containers.ts';
import { DerError } from './der.ts';
import { DerivedKeys, type Derivation } from './pkcs12-keys.ts';

/** A key, and a chain longer than any; WeChat Pay's files have 3 KB. */
const maxBytes = 128 * 1024;

/** Rounds cost the owner of the file a load that takes long, and others nothing; nobody needs more. */
const maxIterations = 100_000;

/** Of all parts together: certificates, key and MAC derive their own, and a file may have any number of parts. */
const maxIterationsInAll = 2 * maxIterations;

export interface Pkcs12 {
  readonly privateKey: KeyObject;
  /** The certificate of the private key first, where it is there. */
  readonly certificates: readonly X509Certificate[];
}

type Forge = typeof forge;
type Asn1 = forge.asn1.Asn1;

/**
 * Every (salt, iterations) pair that can be seen without a password: PBE parameters, PBKDF2 parameters, MacData.
 * @throws DerError where that is more work than any real file is
 */
function* iterationsIn(node: Asn1, forge: Forge, budget: BerBudget, depth = 0): Generator<number> {
  const { asn1 } = forge;
  // The contents are wrapped in octet strings; what is not DER inside one is ciphertext. Read as leniently as below.
  const content = node.type === asn1.Type.OCTETSTRING ? joinOctets(node) : '';
  if (content.startsWith('\x30')) {
    budget.spend(Buffer.from(content, 'latin1'), depth + 1);
    const inner = tryOr(() => asn1.fromDer(content, false), undefined);
    if (inner !== undefined) yield* iterationsIn(inner, forge, budget, depth + 1);
  }
  if (!Array.isArray(node.value)) return;
  const children = node.value;
  const integerAfterSalt = children.find(
    (child, i) => child.type === asn1.Type.INTEGER && children[i - 1]?.type === asn1.Type.OCTETSTRING,
  );
  if (typeof integerAfterSalt?.value === 'string') {
    // Unsigned, as node-forge will count: a negative number would be four thousand million rounds.
    yield Number.parseInt(Buffer.from(integerAfterSalt.value, 'latin1').toString('hex'), 16);
  }
  for (const child of children) yield* iterationsIn(child, forge, budget, depth + 1);
}

/** BER cuts octet strings into pieces where it likes. */
const joinOctets = ({ value }: Asn1): string => (Array.isArray(value) ? value.map(joinOctets).join('') : value);

function tryOr<T, F>(attempt: () => T, fallback: F): T | F {
  try {
    return attempt();
  } catch {
    return fallback;
  }
}

/** Before node-forge makes objects of the file, which costs more the deeper it is nested. */
function iterationsOf(bytes: Uint8Array, forge: Forge) {
  const budget = new BerBudget();
  try {
    budget.spend(bytes);
    const structure = tryOr(() => forge.asn1.fromDer(Buffer.from(bytes).toString('latin1')), undefined);
    if (structure === undefined) return 'not-ber' as const;
    return { structure, iterations: [...iterationsIn(structure, forge, budget)] };
  } catch (error) {
    if (error instanceof DerError) return 'too-much' as const;
    throw error;
  }
}

/**
 * Opens a PKCS#12 file (RFC 7292).
 * @throws PaycertError `pkcs12-password`, `pkcs12-iterations`, `pkcs12-malformed`
 */
export async function readPkcs12(bytes: Uint8Array, password: string, field: string): Promise<Pkcs12> {
  const { default: forge } = await import('node-forge');
  const malformed = (what: string, cause?: unknown) =>
    new PaycertError('pkcs12-malformed', `${field} ${what}`, { field, cause });
  if (bytes.byteLength > maxBytes) throw malformed(`is larger than ${maxBytes} bytes`);
  const rounds = iterationsOf(bytes, forge);
  if (rounds === 'not-ber') throw malformed('is not a PKCS#12 file');
  if (rounds === 'too-much') throw malformed('has more elements, or deeper ones, than a PKCS#12 file has');
  const { structure, iterations } = rounds;
  const inAll = iterations.reduce((sum, one) => sum + one, 0);
  if (Math.max(0, ...iterations) > maxIterations || inAll > maxIterationsInAll)
    throw new PaycertError('pkcs12-iterations', `${field} asks for more than ${maxIterations} key derivation rounds`, {
      field,
    });
  try {
    return openBags(forge, await openContainer(forge, structure, password), field);
  } catch (error) {
    // node-forge throws plain errors; without a MAC a wrong password shows as padding or structure that makes no sense.
    if (error instanceof Error && /MAC could not be verified|password|decrypt/i.test(error.message)) {
      throw new PaycertError('pkcs12-password', `${field} cannot be opened with this password`, { field });
    }
    throw malformed('holds no private key and certificate that can be read');
  }
}

type Digest = Derivation['digest'];
type Derive = (...given: [password: string, salt: forge.util.ByteBuffer, purpose: number, rounds: number, bytes: number, digest?: Digest]) => forge.util.ByteBuffer; // prettier-ignore
type Pbkdf2 = (...given: [password: string, salt: string, rounds: number, bytes: number, digest?: Digest]) => string;

/** Where node-forge finds what derives keys. */
interface Derivers {
  readonly pkcs5: { pbkdf2: Pbkdf2 };
  readonly pki: { readonly pbe: { generatePkcs12Key: Derive } };
  readonly pkcs12: { generateKey: Derive };
}

const defaultDigest: Digest = { algorithm: 'sha1', blockLength: 64 };

/** node-forge derives keys in the event loop, a second for 100,000 rounds. Here it gets them as they were derived elsewhere. */
function openContainer(forge: Forge, structure: Asn1, password: string): Promise<forge.pkcs12.Pkcs12Pfx> {
  const keys = new DerivedKeys();
  const { pkcs5, pki, pkcs12 } = forge as unknown as Derivers;
  const { pbkdf2 } = pkcs5;
  const { generatePkcs12Key } = pki.pbe;
  const { generateKey } = pkcs12;
  const derive: Derive = (...[secret, salt, purpose, rounds, bytes, digest = defaultDigest]) =>
    forge.util.createBuffer(
      keys.key({ purpose, password: secret, salt: salt.bytes(), rounds, bytes, digest }).toString('latin1'),
    );
  return keys.use(() => {
    pkcs5.pbkdf2 = (...[secret, salt, rounds, bytes, digest = defaultDigest]) =>
      keys.key({ password: secret, salt, rounds, bytes, digest }).toString('latin1');
    pki.pbe.generatePkcs12Key = pkcs12.generateKey = derive;
    try {
      return forge.pkcs12.pkcs12FromAsn1(structure, false, password);
    } finally {
      pkcs5.pbkdf2 = pbkdf2;
      pki.pbe.generatePkcs12Key = generatePkcs12Key;
      pkcs12.generateKey = generateKey;
    }
  });
}

function openBags(forge: Forge, p12: forge.pkcs12.Pkcs12Pfx, field: string): Pkcs12 {
  const der = (node: Asn1): Buffer => Buffer.from(forge.asn1.toDer(node).getBytes(), 'latin1');
  const bags = p12.safeContents.flatMap(({ safeBags }) => safeBags);
  const keys = bags.flatMap((bag) => {
    // RSA keys come parsed; others stay ASN.1.
    if (bag.key) return [readPrivateKey(der(forge.pki.privateKeyToAsn1(bag.key)), field)];
    const isKey = bag.type === forge.pki.oids['keyBag'] || bag.type === forge.pki.oids['pkcs8ShroudedKeyBag'];
    return isKey ? [readPrivateKey(der(bag.asn1), field)] : [];
  });
  const [privateKey] = keys;
  if (privateKey === undefined) throw new Error('no key bag');
  const certificates = bags.flatMap((bag) => {
    if (bag.cert) return readCertificates(der(forge.pki.certificateToAsn1(bag.cert)), field);
    return bag.type === forge.pki.oids['certBag'] ? readCertificates(der(bag.asn1), field) : [];
  });
  const isLeaf = (certificate: X509Certificate) => tryOr(() => certificate.checkPrivateKey(privateKey), false);
  return { privateKey, certificates: certificates.toSorted((a, b) => Number(isLeaf(b)) - Number(isLeaf(a))) };
}
