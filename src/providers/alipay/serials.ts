// Alipay's serial numbers (SN): what names the application's certificate, Alipay's own and the roots on the wire (protocols 2.2).
import { hash, type X509Certificate } from 'node:crypto';
import { formatName } from '../../crypto/distinguished-name.ts';
import { certificateParts } from '../../crypto/signed.ts';

/** MD5, in hex, of the issuer as RFC 2253 writes it, followed by the decimal serial number. */
export function serialOf(certificate: X509Certificate): string {
  const parts = certificateParts(certificate);
  const { issuer, serialNumber } = certificate;
  // What OpenSSL reads and is no DER: as Node prints the issuer, one `K=V` a line in the order of the certificate.
  const name = parts ? formatName(parts.issuer) : issuer.split('\n').toReversed().join(',');
  return hash('md5', `${name}${decimal(serialNumber)}`);
}

/** Exact: a float would lose digits beyond 2^53. Some issue negative numbers, which Node prints with a sign. */
const decimal = (serial: string): string =>
  serial.startsWith('-') ? `-${decimal(serial.slice(1))}` : BigInt(`0x${serial}`).toString();

/** The OID of everything that PKCS#1 signs, 1.2.840.113549.1.1, as DER writes its beginning. */
const pkcs1 = '2a864886f70d0101';

/**
 * Whether RSA signed the certificate. Its second element names the algorithm: SEQUENCE { tbs, SEQUENCE { OID, … }, … }
 * (RFC 5280 §4.1). Node tells this since 24.9 only.
 */
export function isRsaSigned({ raw }: X509Certificate): boolean {
  const tbs = contentOf(raw, 0).start;
  const algorithm = contentOf(raw, contentOf(raw, tbs).end).start;
  const oid = contentOf(raw, algorithm);
  return raw.subarray(oid.start, oid.end).toString('hex').startsWith(pkcs1);
}

/** Where the content of the DER element at that offset begins and ends. */
function contentOf(der: Buffer, offset: number): { start: number; end: number } {
  const first = der[offset + 1] ?? 0;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  const start = offset + 2 + lengthBytes;
  return { start, end: start + (lengthBytes === 0 ? first : der.readUIntBE(offset + 2, lengthBytes)) };
}

/** `alipay_root_cert_sn`: the roots that RSA signed, in the order of the file. The file holds SM2 and EC roots beside them. */
export function rootSerialOf(roots: readonly X509Certificate[]): string {
  return roots.filter(isRsaSigned).map(serialOf).join('_');
}
