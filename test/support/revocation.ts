// Revocation lists of the authorities that test/support/mtls.ts makes.
import 'reflect-metadata'; // must come first: @peculiar/x509 looks for it while it is imported
import { Extension, X509CrlGenerator } from '@peculiar/x509';
import { day, now } from './mtls.ts';
import { keyPairs } from './key-pairs.ts';

export interface ListOptions {
  readonly thisUpdate?: Date;
  readonly nextUpdate?: Date;
  readonly issuer?: string;
  readonly hash?: 'SHA-1' | 'SHA-256';
  readonly extensions?: Extension[];
  /** So many octets in an extension that means nothing: as long as a list of many entries, and quick to make. */
  readonly padding?: number;
}

/** In DER. It takes back the certificates with these serial numbers. */
export async function makeList(
  index: 0 | 1,
  serialNumbers: readonly string[],
  options: ListOptions = {},
): Promise<Buffer> {
  const { thisUpdate = new Date(now.getTime() - day), nextUpdate = new Date(now.getTime() + day / 4) } = options;
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: options.hash ?? 'SHA-256' };
  const padding =
    options.padding === undefined ? [] : [new Extension('1.2.3.4', false, new Uint8Array(options.padding))];
  const list = await X509CrlGenerator.create({
    issuer: options.issuer ?? `CN=Authority ${index}, O=Tenpay.com`,
    thisUpdate,
    nextUpdate,
    entries: serialNumbers.map((serialNumber) => ({ serialNumber, revocationDate: thisUpdate })),
    signingAlgorithm: algorithm,
    signingKey: (await keyPairs())[index]!.privateKey.toCryptoKey(algorithm, false, ['sign']),
    extensions: [...(options.extensions ?? []), ...padding],
  });
  return Buffer.from(list.rawData);
}

export const listPem = (der: Uint8Array): string =>
  `-----BEGIN X509 CRL-----\n${Buffer.from(der).toString('base64')}\n-----END X509 CRL-----\n`;
