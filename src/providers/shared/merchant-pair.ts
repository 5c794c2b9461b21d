// The merchant's own key and certificate at WeChat Pay: apiclient_*.pem or the .p12. APIv3 signs with them, v2 presents them in TLS.
import type { X509Certificate } from 'node:crypto';
import { readCertificates } from '../../crypto/containers.ts';
import { readText } from '../../crypto/text.ts';
import { readPkcs12 } from '../../crypto/pkcs12.ts';
import { isCertifiedBy, keyReader, localKey, type PrivateKey, type RemoteKeys } from '../../crypto/private-key.ts';
import { nameAttribute } from '../../crypto/x509.ts';
import { PaycertError, violation } from '../../errors.ts';
import { saidOfPasted } from '../../pasted.ts';
import { isSelfIssued } from './holder.ts';
import type { MaterialReader } from './material.ts';

export interface MerchantPair {
  readonly privateKey?: PrivateKey | undefined;
  readonly certificate?: X509Certificate | undefined;
  /** The file that it came from. */
  readonly certificateName?: string | undefined;
}

type Data = ReadonlyMap<string, Uint8Array>;

export async function readMerchantPair(
  data: Data,
  merchantId: string,
  { part, problems }: Pick<MaterialReader, 'part' | 'problems'>,
  remote?: RemoteKeys,
): Promise<MerchantPair> {
  const pem = {
    privateKey: part('apiclient_key.pem', keyReader(remote)),
    certificate: part('apiclient_cert.pem', readCertificates)?.[0],
  };
  const p12 = await fillFromPkcs12(data, merchantId, problems);
  return {
    privateKey: pem.privateKey ?? (p12 && localKey(p12.privateKey)),
    certificate: pem.certificate ?? p12?.certificates[0],
    certificateName: pem.certificate ? 'apiclient_cert.pem' : p12 && 'apiclient_cert.p12',
  };
}

/** The container is opened only when the PEM files leave something out: it is slow, and often a stale leftover beside them. */
async function fillFromPkcs12(data: Data, merchantId: string, problems: PaycertError[]) {
  const field = 'apiclient_cert.p12';
  const isCertificateKnown = data.has('apiclient_cert.pem') || data.has('merchant_serial');
  if (data.has('apiclient_key.pem') && isCertificateKnown) return undefined;
  const bytes = data.get(field);
  if (bytes === undefined) return undefined;
  const password = data.get(`${field}.password`);
  try {
    return await readPkcs12(bytes, password === undefined ? merchantId : readText(password), field);
  } catch (error) {
    if (!(error instanceof PaycertError)) throw error;
    // What was pasted with the password is the likelier reason than another password.
    const what = password && error.code === 'pkcs12-password' ? saidOfPasted(readText(password), 'agreed') : undefined;
    problems.push(...(what === undefined ? [error] : violation(error.code, `${field}.password`, what)));
    return undefined;
  }
}

export const nameOf = ({ certificateName = 'apiclient_cert.pem' }: MerchantPair): string => certificateName;

type Rule = (pair: MerchantPair, merchantId: string) => readonly PaycertError[];

export const keyMatchesCertificate: Rule = (pair) =>
  pair.privateKey && pair.certificate && !isCertifiedBy(pair.privateKey, pair.certificate)
    ? violation('key-mismatch', 'apiclient_key.pem', `does not belong to ${nameOf(pair)}`)
    : [];

/** A certificate is public; a name that is no merchant id is not shown all the same. */
const mismatch = (name: string | undefined, merchantId: string): string =>
  name !== undefined && /^\d{6,16}$/.test(name)
    ? `is the certificate of merchant ${name}, and \`merchantId\` is ${merchantId}`
    : 'names another merchant than `merchantId`';

/** A merchant certificate carries the merchant id as its common name (protocols: certificate of the merchant API). */
export const certificateNamesMerchant: Rule = (pair, merchantId) =>
  pair.certificate && nameAttribute(pair.certificate.subject, 'CN') !== merchantId
    ? violation('merchant-mismatch', nameOf(pair), mismatch(nameAttribute(pair.certificate.subject, 'CN'), merchantId))
    : [];

/** The key stays in a key service: what cannot be done with it, and no reason to refuse the rest. */
export const elsewhere = (field: string, what: string): readonly PaycertError[] =>
  violation('key-elsewhere', field, `stays in a key service: ${what}`);

/** WeChat Pay knows the certificates that it issued, and no other. */
export const pairWarnings = (pair: MerchantPair): readonly PaycertError[] =>
  pair.certificate && isSelfIssued(pair.certificate)
    ? violation(
        'material-unusual',
        nameOf(pair),
        'is self-signed: WeChat Pay knows only certificates that it has issued',
      )
    : [];
