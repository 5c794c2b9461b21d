// paycert inspect: what is this file? Every certificate and key in it, and what WeChat Pay calls it.
import type { KeyObject, X509Certificate } from 'node:crypto';
import { readFile, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { readCertificates, readPrivateKey, readPublicKey } from '../crypto/containers.ts';
import { readPkcs12 } from '../crypto/pkcs12.ts';
import {
  certificateFingerprint,
  describeAlgorithm,
  nameAttribute,
  publicKeyFingerprint,
  wireSerial,
} from '../crypto/x509.ts';
import { PaycertError } from '../errors.ts';
import { date, daysLeft, formatTable, paint, print } from './table.ts';

export interface InspectOptions {
  readonly merchantId: string | undefined;
  readonly isJson: boolean;
  readonly now: Date;
}

/** One certificate or key, or why there is none. */
interface Finding {
  readonly file: string;
  readonly what: string;
  readonly keyId?: string;
  readonly algorithm?: string;
  readonly fingerprint?: string;
  readonly issuer?: string;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly problem?: string;
}

export async function inspect(paths: readonly string[], options: InspectOptions): Promise<number> {
  const files = (await Promise.all(paths.map(expand))).flat();
  const findings = (await Promise.all(files.map((file) => look(file, options.merchantId)))).flat();
  if (options.isJson) print(JSON.stringify({ findings }, undefined, 2));
  else print(render(findings, options.now));
  return findings.some(({ problem }) => problem !== undefined) ? 65 : 0;
}

/** A directory's files, without those that kubelet keeps for itself. */
async function expand(path: string): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const names = await readdir(path, { withFileTypes: true });
    const inside = names.filter(({ name }) => !name.startsWith('.')).map(({ name }) => join(path, name));
    const files = await Promise.all(inside.map(async (name) => ((await stat(name)).isFile() ? [name] : [])));
    return files.flat();
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    throw new PaycertError('source-unreadable', `${path} cannot be read (${code})`, { field: path });
  }
}

async function look(file: string, merchantId: string | undefined): Promise<Finding[]> {
  const bytes = await readFile(file);
  const name = basename(file);
  try {
    if (name.endsWith('.p12') || name.endsWith('.pfx')) return await lookIntoPkcs12(file, bytes, merchantId);
    if (name.startsWith('apiv3_key'))
      return [{ file, what: `APIv3 key, ${bytes.toString('latin1').trim().length} bytes (must be 32)` }];
    if (name === 'merchant_serial' || name === 'pub_key_id')
      return [{ file, what: name, keyId: bytes.toString().trim() }];
    return lookIntoPem(file, bytes);
  } catch (error) {
    if (!(error instanceof PaycertError)) throw error;
    return [{ file, what: 'unusable', problem: `${error.message} (${error.code}). ${error.hint}` }];
  }
}

const attempt = <T>(read: () => T): T | PaycertError => {
  try {
    return read();
  } catch (error) {
    if (error instanceof PaycertError) return error;
    throw error;
  }
};

/** Whatever it turns out to be; where it is nothing, the reason that a private key gives says most. */
function lookIntoPem(file: string, bytes: Uint8Array): Finding[] {
  const certificates = attempt(() => readCertificates(bytes, file));
  const privateKey = attempt(() => readPrivateKey(bytes, file));
  const found = [
    ...(certificates instanceof PaycertError
      ? []
      : certificates.map((certificate) => describeCertificate(file, certificate))),
    ...(privateKey instanceof PaycertError
      ? []
      : [describeKey(file, privateKey, 'private key (merchant API key: apiclient_key.pem)')]),
  ];
  if (found.length > 0) return found;
  const publicKey = attempt(() => readPublicKey(bytes, file));
  if (!(publicKey instanceof PaycertError))
    return [describeKey(file, publicKey, 'public key (WeChat Pay public key: pub_key.pem)')];
  throw privateKey as PaycertError;
}

async function lookIntoPkcs12(file: string, bytes: Uint8Array, merchantId = ''): Promise<Finding[]> {
  const { privateKey, certificates } = await readPkcs12(bytes, merchantId, file);
  return [
    describeKey(file, privateKey, 'private key'),
    ...certificates.map((certificate) => describeCertificate(file, certificate)),
  ];
}

function describeCertificate(file: string, certificate: X509Certificate): Finding {
  return {
    file,
    what: nameCertificate(certificate),
    keyId: wireSerial(certificate.serialNumber),
    algorithm: describeAlgorithm(certificate.publicKey),
    fingerprint: certificateFingerprint(certificate),
    issuer: certificate.issuer.split('\n').join(', '),
    notBefore: certificate.validFromDate,
    notAfter: certificate.validToDate,
  };
}

/** By what certificates of WeChat Pay look like: the merchant id as common name, or the platform's own. */
function nameCertificate({ subject, ca }: X509Certificate): string {
  const commonName = nameAttribute(subject, 'CN') ?? '';
  if (/^\d{6,16}$/.test(commonName)) return `merchant certificate of ${commonName} (apiclient_cert.pem)`;
  if (commonName === 'Tenpay.com sign') return 'platform certificate (wechatpay_*.pem)';
  return ca ? 'CA certificate (trust.pem)' : 'certificate';
}

const describeKey = (file: string, key: KeyObject, what: string): Finding => ({
  file,
  what,
  algorithm: describeAlgorithm(key),
  fingerprint: publicKeyFingerprint(key),
});

function render(findings: readonly Finding[], now: Date): string {
  const rows = findings
    .filter(({ problem }) => problem === undefined)
    .map(({ file, what, keyId = '-', algorithm = '-', issuer = '-', notBefore, notAfter }) => {
      const days = notBefore ? daysLeft(notAfter, now) : '-';
      return [file, what, keyId, algorithm, date(notBefore), date(notAfter), days, issuer];
    });
  const header = ['FILE', 'WHAT', 'KEY ID', 'ALGORITHM', 'NOT BEFORE', 'NOT AFTER', 'DAYS LEFT', 'ISSUER'];
  const problems = findings.flatMap(({ problem }) =>
    problem === undefined ? [] : [`${paint('red', 'error:')} ${problem}`],
  );
  return [...(rows.length > 0 ? [formatTable(header, rows)] : []), ...problems].join('\n');
}
