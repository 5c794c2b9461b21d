// Reads certificates and keys without any of the product's code: what it finds must agree with what became current.
import { createHash, createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import forge from 'node-forge';
import type { Files } from '../../../src/testing/index.ts';
import { merchantId } from '../corpus.ts';

/** A public key that signatures may be made under, and what is known of it. */
export interface Known {
  readonly publicKey: KeyObject;
  readonly certificate?: X509Certificate;
}

const tryTo = <T>(read: () => T): T[] => {
  try {
    return [read()];
  } catch {
    return [];
  }
};

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Everything in those bytes that may be DER: themselves, what stands in armour, what is base64. */
function* dersIn(bytes: Buffer): Generator<Buffer> {
  yield bytes;
  const text = bytes.toString().replaceAll('\\r', '').replaceAll('\\n', '\n');
  for (const [, , body = ''] of text.matchAll(/-----BEGIN (.*?)-----([^]*?)-----END \1-----/g))
    yield Buffer.from(body, 'base64');
  yield Buffer.from(text.replace(/^\ufeff/, ''), 'base64');
}

function* dersInPkcs12(bytes: Buffer, password: string): Generator<Buffer> {
  const [file] = tryTo(() =>
    forge.pkcs12.pkcs12FromAsn1(forge.asn1.fromDer(bytes.toString('latin1')), false, password),
  );
  const encode = (node: forge.asn1.Asn1) => Buffer.from(forge.asn1.toDer(node).getBytes(), 'latin1');
  for (const { key, cert, asn1 } of file?.safeContents.flatMap(({ safeBags }) => safeBags) ?? []) {
    if (key) yield encode(forge.pki.privateKeyToAsn1(key));
    else yield cert ? encode(forge.pki.certificateToAsn1(cert)) : encode(asn1);
  }
}

/** By the fingerprint of each certificate, and of the public half of each private key. */
export function findKnown(files: Files): ReadonlyMap<string, Known> {
  const known = new Map<string, Known>();
  const p12 = files.get('apiclient_cert.p12');
  const password = Buffer.from(files.get('apiclient_cert.p12.password') ?? Buffer.from(merchantId))
    .toString()
    .trim();
  const ders = [
    ...[...files.values()].flatMap((bytes) => [...dersIn(Buffer.from(bytes))]),
    ...(p12 ? dersInPkcs12(Buffer.from(p12), password) : []),
  ];
  for (const der of ders) {
    for (const certificate of tryTo(() => new X509Certificate(der))) {
      for (const publicKey of tryTo(() => certificate.publicKey))
        known.set(sha256(certificate.raw), { publicKey, certificate });
    }
    for (const type of ['pkcs8', 'pkcs1'] as const) {
      for (const key of tryTo(() => createPrivateKey({ key: der, format: 'der', type }))) {
        const publicKey = createPublicKey(key);
        known.set(sha256(publicKey.export({ type: 'spki', format: 'der' })), { publicKey });
      }
    }
  }
  return known;
}

/** The common name, the last where there are several. */
export function commonName(certificate: X509Certificate): string | undefined {
  const { CN } = certificate.toLegacyObject().subject as { readonly CN?: string | readonly string[] };
  return typeof CN === 'string' ? CN : CN?.at(-1);
}

/** Serial numbers are numbers: neither case nor leading zeros tell two apart. */
export const serialOf = (text: string): bigint | undefined => {
  const digits = text
    .replaceAll('\\n', '')
    .trim()
    .replace(/^\ufeff|^serial=|^0x|[:\s-]/gi, '');
  return tryTo(() => BigInt(`0x${digits.replace(/^0x/i, '')}`))[0];
};
