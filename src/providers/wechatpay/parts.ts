// WeChat Pay material by name → its parts. Collects every problem instead of stopping at the first.
import type { KeyObject, X509Certificate } from 'node:crypto';
import { aesKey } from '../../crypto/cipher.ts';
import { readCertificates, readPublicKey } from '../../crypto/containers.ts';
import { readText } from '../../crypto/text.ts';
import { saidOfUtf16 } from '../../crypto/foreign-forms.ts';
import { isCertifiedBy, keyReader, type PrivateKey, type RemoteKeys } from '../../crypto/private-key.ts';
import { normalizeSerial, wireSerial } from '../../crypto/x509.ts';
import { PaycertError, violation } from '../../errors.ts';
import { materialReader, readSecret, readTrimmed, timeOf } from '../shared/material.ts';
import { readMerchantPair } from '../shared/merchant-pair.ts';
import { publicName } from '../shared/public-name.ts';
import { serialIn } from './downloaded.ts';

export interface NamedCertificate {
  readonly name: string;
  readonly certificate: X509Certificate;
}

export interface RetiredKey {
  readonly name: string;
  readonly privateKey: PrivateKey;
  readonly certificate?: X509Certificate;
}

/** What one read of WeChat Pay material holds. rules.ts says what an absent part means. */
export interface Parts {
  readonly privateKey?: PrivateKey;
  readonly certificate?: X509Certificate;
  /** The file that it came from. */
  readonly certificateName?: string;
  /** From `merchant_serial`, in wire form. */
  readonly merchantSerial?: string;
  /** The same, where it may be shown. */
  readonly publicSerial?: string;
  readonly apiV3Key?: KeyObject;
  readonly previousApiV3Key?: KeyObject;
  readonly platformCertificates: readonly NamedCertificate[];
  /** Until when certificates that were downloaded count, where the platform says so, by their normalized serial numbers. */
  readonly announcedEnds: ReadonlyMap<string, Date>;
  readonly publicKey?: KeyObject;
  readonly publicKeyId?: string;
  readonly retired: readonly RetiredKey[];
  readonly trust: readonly X509Certificate[];
  /** A saved response of GET /v3/certificates: what the APIv3 key must be able to open. */
  readonly certificatesResponse?: string;
}

type Data = ReadonlyMap<string, Uint8Array>;

const isPlatformName = (name: string): boolean => /^(?:wechatpay_[^/]*|platform\/[^/]+)\.pem$/.test(name);
const isRetiredName = (name: string): boolean => /^retired\/[^/]+\.pem$/.test(name);

/** WeChat Pay has two or three at a time. Each is compared with every certificate of trust.pem. */
const maxPlatformCertificates = 64;

/** Reads what is there under the names the platform gives its files; other names are ignored. */
export async function readParts(
  data: Data,
  merchantId: string,
  remote?: RemoteKeys,
): Promise<{ parts: Parts; problems: PaycertError[] }> {
  const reader = materialReader(data);
  const { part, problems } = reader;
  const names = [...data.keys()].sort();
  const merchantSerial = part('merchant_serial', readSerial);
  const parts = {
    ...(await readMerchantPair(data, merchantId, reader, remote)),
    merchantSerial,
    publicSerial: publicName(data, 'merchant_serial', serialForm) && merchantSerial,
    apiV3Key: part('apiv3_key', readApiV3Key),
    previousApiV3Key: part('apiv3_key.previous', readApiV3Key),
    publicKey: part('pub_key.pem', readPublicKey),
    publicKeyId: part('pub_key_id', readPublicKeyId),
    platformCertificates: names
      .filter(isPlatformName)
      .flatMap((name) => (part(name, readPlatformCertificates) ?? []).map((certificate) => ({ name, certificate }))),
    announcedEnds: new Map(
      names.flatMap((name) => {
        const serial = name.endsWith('.until') ? serialIn(name) : undefined;
        const end = serial === undefined ? undefined : part(name, readEnd);
        return serial === undefined || end === undefined ? [] : [[normalizeSerial(serial), end]];
      }),
    ),
    retired: names.filter(isRetiredName).flatMap((name) => {
      const retired = part(name, readRetiredKey(keyReader(remote, 'open')));
      return retired === undefined ? [] : [{ name, ...retired }];
    }),
    trust: part('trust.pem', readCertificates) ?? [],
    certificatesResponse: part('certificates.json', readText),
  };
  problems.push(...publicKeyIdIsNoSecret(data, parts.publicKeyId));
  if (parts.platformCertificates.length > maxPlatformCertificates)
    problems.push(
      new PaycertError(
        'certificates-too-many',
        `there are more than ${maxPlatformCertificates} platform certificates`,
        { field: 'platform/' },
      ),
    );
  return { parts: withoutAbsent(parts), problems };
}

function readApiV3Key(bytes: Uint8Array, field: string): KeyObject {
  const refuse = (what: string) => new PaycertError('apiv3-key-length', `${field} ${what}`, { field });
  const key = readSecret(bytes, 'issued', refuse);
  if (key.byteLength !== 32) {
    throw refuse('is not 32 bytes long, as an APIv3 key is, which is neither in base64 nor in hexadecimal');
  }
  return aesKey(key);
}

/** Twenty bytes, as WeChat Pay issues them: other digits may be a key in the wrong place. */
const serialForm = /^(?:serial=)?(?:0x)?(?:[0-9A-F]{2}:?){19}[0-9A-F]{2}$/i;

function readSerial(bytes: Uint8Array, field: string): string {
  const utf16 = saidOfUtf16(bytes);
  if (utf16 !== undefined) throw new PaycertError('merchant-serial-malformed', `${field} ${utf16}`, { field });
  // `openssl x509 -noout -serial`, which the hint names, prints `serial=`.
  const serial = wireSerial(readText(bytes).replace(/^serial=/i, ''));
  // 20 bytes at most (RFC 5280 §4.1.2.2): a longer run of digits is the decimal form that some tools print.
  if (/^\d{41,}$/.test(serial)) {
    throw new PaycertError('merchant-serial-malformed', `${field} is written in decimal`, { field });
  }
  if (!/^[0-9A-F]{2,40}$/.test(serial)) {
    throw new PaycertError('merchant-serial-malformed', `${field} is not a serial number in hexadecimal`, { field });
  }
  return serial;
}

/** Several certificates in one file all count, but the authorities that issued the first sign no messages. */
function readPlatformCertificates(bytes: Uint8Array, field: string): X509Certificate[] {
  return readCertificates(bytes, field).filter((certificate, index) => index === 0 || !certificate.ca);
}

/** Written here, from what the platform said. Anything else announces nothing. */
const readEnd = (bytes: Uint8Array): Date | undefined => timeOf(readTrimmed(bytes));

function readPublicKeyId(bytes: Uint8Array, field: string): string {
  const utf16 = saidOfUtf16(bytes);
  if (utf16 !== undefined) throw new PaycertError('public-key-id-malformed', `${field} ${utf16}`, { field });
  const id = readText(bytes);
  if (!/^PUB_KEY_ID_[0-9A-Za-z_]{1,100}$/.test(id)) {
    throw new PaycertError('public-key-id-malformed', `${field} does not start with PUB_KEY_ID_`, { field });
  }
  return id;
}

/** The id goes with messages and into statuses: what is a secret under another name is not to be shown as one. */
function publicKeyIdIsNoSecret(data: Data, id: string | undefined): readonly PaycertError[] {
  const isSame = (name: string) => readTrimmed(data.get(name) ?? Buffer.of()) === id;
  const name = ['apiv3_key', 'apiv3_key.previous', 'apiclient_cert.p12.password'].find(isSame);
  return name === undefined ? [] : violation('public-key-id-malformed', 'pub_key_id', `holds the same as ${name}`);
}

const readRetiredKey =
  (readKey: ReturnType<typeof keyReader>) =>
  (bytes: Uint8Array, field: string): Omit<RetiredKey, 'name'> => {
    const privateKey = readKey(bytes, field);
    if (!readText(bytes).includes('BEGIN CERTIFICATE-----')) return { privateKey };
    const certificate = readCertificates(bytes, field).find((candidate) => isCertifiedBy(privateKey, candidate));
    if (certificate === undefined) {
      throw new PaycertError('key-mismatch', `${field} holds a key and the certificate of another`, { field });
    }
    return { privateKey, certificate };
  };

/** Drops members that are undefined: an absent part is absent, not present and undefined. */
function withoutAbsent<T extends object>(parts: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)) as never;
}
