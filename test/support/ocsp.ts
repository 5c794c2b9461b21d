// OCSP: certificates that name a responder, and answers about them, written by hand so that they can be wrong in every way.
import 'reflect-metadata'; // must come first: @peculiar/x509 looks for it while it is imported
import { createHash, generateKeyPairSync, type KeyObject, sign, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { writeDer } from '../../src/crypto/der.ts';
import { keyPairs } from './key-pairs.ts';
import { integerOf } from '../../src/crypto/integer.ts';
import { day, now } from './mtls.ts';

export interface Certified {
  readonly certificate: X509Certificate;
  readonly privateKey: KeyObject;
}

const signingAlgorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };

export interface CertifyOptions {
  /** The address that it names. */
  readonly responder?: string;
  /** OIDs. */
  readonly usages?: readonly string[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly hash?: string;
  /** Instead of that authority: whoever has this key, under that name. */
  readonly by?: { readonly privateKey: KeyObject; readonly name: string };
  /** That it is itself an authority, with this key. */
  readonly authority?: { readonly privateKey: KeyObject; readonly publicKey: KeyObject };
}

export const ocspSigning = '1.3.6.1.5.5.7.3.9';

/** By one of the authorities of test/support/mtls.ts, for localhost. */
export async function certify(index: 0 | 1, commonName: string, options: CertifyOptions = {}): Promise<Certified> {
  const { publicKey, privateKey } = options.authority ?? generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const authority = options.by ?? (await keyPairs())[index]!;
  const algorithm = { ...signingAlgorithm, hash: options.hash ?? 'SHA-256' };
  const made = await x509.X509CertificateGenerator.create({
    subject: `CN=${commonName}`,
    issuer: options.by?.name ?? `CN=Authority ${index}, O=Tenpay.com`,
    notBefore: options.notBefore ?? new Date(now.getTime() - day),
    notAfter: options.notAfter ?? new Date(now.getTime() + day),
    publicKey: new Uint8Array(publicKey.export({ type: 'spki', format: 'der' })),
    signingKey: authority.privateKey.toCryptoKey(algorithm, false, ['sign']),
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(options.authority !== undefined),
      new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'localhost' }]),
      ...(options.responder === undefined
        ? []
        : [new x509.AuthorityInfoAccessExtension({ ocsp: [options.responder] })]),
      ...(options.usages === undefined ? [] : [new x509.ExtendedKeyUsageExtension([...options.usages])]),
    ],
  });
  return { certificate: new X509Certificate(Buffer.from(made.rawData)), privateKey };
}

export interface ResponseOptions {
  readonly about: X509Certificate;
  readonly issuer: X509Certificate;
  /** Who signs. */
  readonly signer: Certified;
  readonly status?: 'good' | 'revoked' | 'unknown';
  readonly serialNumber?: string;
  readonly thisUpdate?: Date;
  /** `null`: none. */
  readonly nextUpdate?: Date | null;
  readonly digest?: 'sha1' | 'sha256' | 'sha384';
  readonly enclosed?: readonly X509Certificate[];
  readonly namedBy?: 'name' | 'key';
  readonly signature?: 'sha256' | 'sha1';
  /** Of an extension that it has, and whether it is critical. */
  readonly extension?: { readonly critical: boolean; readonly place: 'answer' | 'statement' };
  /** Statements before the one about this certificate. */
  readonly others?: readonly Buffer[];
  readonly outcome?: number;
}

const seq = (...parts: Uint8Array[]) => writeDer(0x30, ...parts);
const hex = (text: string) => Buffer.from(text, 'hex');
const oid = (text: string) => writeDer(0x06, hex(text));
const time = (date: Date) => writeDer(0x18, Buffer.from(date.toISOString().replace(/[-:T]|\.\d+/g, '')));
const digestOids = { sha1: '2b0e03021a', sha256: '608648016503040201', sha384: '608648016503040202' };
const ecdsaOids = { sha256: '2a8648ce3d040302', sha1: '2a8648ce3d0401' };
const rsaOids = { sha256: '2a864886f70d01010b', sha1: '2a864886f70d010105' };

function nameAndKey(certificate: X509Certificate): { readonly name: Uint8Array; readonly bits: Uint8Array } {
  const read = new x509.X509Certificate(certificate.raw);
  // The bits follow a header that ends with how many of them are unused: 0.
  const spki = certificate.publicKey.export({ type: 'spki', format: 'der' });
  const type = certificate.publicKey.asymmetricKeyType;
  return { name: new Uint8Array(read.subjectName.toArrayBuffer()), bits: spki.subarray(type === 'ec' ? 26 : 24) };
}

export function makeStatement(options: ResponseOptions): Buffer {
  const { about, issuer, status = 'good', digest = 'sha1', thisUpdate = new Date(now.getTime() - 60_000) } = options;
  const { serialNumber = about.serialNumber, nextUpdate = new Date(now.getTime() + day), extension } = options;
  const { name, bits } = nameAndKey(issuer);
  const digestOf = (bytes: Uint8Array) => writeDer(0x04, createHash(digest).update(bytes).digest());
  const serial = writeDer(0x02, integerOf(serialNumber));
  const id = seq(seq(oid(digestOids[digest]), writeDer(0x05)), digestOf(name), digestOf(bits), serial);
  const statuses = { good: writeDer(0x80), revoked: writeDer(0xa1, time(thisUpdate)), unknown: writeDer(0x82) };
  const rest = nextUpdate === null ? [] : [writeDer(0xa0, time(nextUpdate))];
  return seq(id, statuses[status], time(thisUpdate), ...rest, ...extend(extension, 'statement'));
}

function extend(extension: ResponseOptions['extension'], place: 'answer' | 'statement'): Buffer[] {
  if (extension?.place !== place) return [];
  const critical = extension.critical ? [writeDer(0x01, Buffer.of(0xff))] : [];
  return [writeDer(0xa1, seq(seq(oid('2b0601050507300102'), ...critical, writeDer(0x04, writeDer(0x04, hex('00'))))))];
}

/** In DER. Unless told otherwise: the certificate is good, for a day. */
export function makeResponse(options: ResponseOptions): Buffer {
  const { signer, enclosed = [], namedBy = 'name', signature = 'sha256', others = [], outcome = 0 } = options;
  if (outcome !== 0) return seq(writeDer(0x0a, Buffer.of(outcome)));
  const { name, bits } = nameAndKey(signer.certificate);
  const key = writeDer(0x04, createHash('sha1').update(bits).digest());
  const responder = namedBy === 'name' ? writeDer(0xa1, name) : writeDer(0xa2, key);
  const statements = seq(...others, makeStatement(options));
  const body = seq(responder, time(options.thisUpdate ?? now), statements, ...extend(options.extension, 'answer'));
  const isRsa = signer.privateKey.asymmetricKeyType === 'rsa';
  const algorithm = isRsa ? seq(oid(rsaOids[signature]), writeDer(0x05)) : seq(oid(ecdsaOids[signature]));
  const signed = writeDer(0x03, Buffer.of(0), sign(signature, body, signer.privateKey));
  const certificates = enclosed.length === 0 ? [] : [writeDer(0xa0, seq(...enclosed.map(({ raw }) => raw)))];
  const basic = seq(body, algorithm, signed, ...certificates);
  return seq(writeDer(0x0a, Buffer.of(0)), writeDer(0xa0, seq(oid('2b0601050507300101'), writeDer(0x04, basic))));
}
