// alipay.open.app.alipaycert.download: Alipay's certificate by its SN (protocols 2.3), and what proves that it is Alipay's own.
import type { X509Certificate } from 'node:crypto';
import { readCertificates } from '../../crypto/containers.ts';
import { publicKeyFingerprint } from '../../crypto/x509.ts';
import { PaycertError } from '../../errors.ts';
import type { Beside, CertificateBySerial, SerialResponse } from '../certificate-by-serial.ts';
import { type Parts, readParts } from './parts.ts';
import { whyNotAlipays } from './places.ts';
import { charsetOf } from './receiving.ts';
import { readResponse } from './response.ts';
import { serialOf } from './serials.ts';
import { leadsToRoot } from './trust.ts';

const apiMethod = 'alipay.open.app.alipaycert.download';

/** A certificate in PEM has 2 kB, and comes with two authorities at most. */
const maxContentLength = 32 * 1024;
const maxCertificates = 8;

const invalid = (what: string) =>
  new PaycertError('certificate-list-invalid', `what Alipay gives as its certificate ${what}`);

export const certificateBySerial: CertificateBySerial = {
  mayAsk: (keyId) => /^[0-9a-f]{32}$/i.test(keyId),

  request: (serial) => ({ apiMethod, bizContent: JSON.stringify({ alipay_cert_sn: serial }) }),

  open(response) {
    const node = nodeOf(response);
    const { code, sub_code: subCode, alipay_cert_content: content } = node;
    // Signed right, and refused for what it asks: there is no such certificate, or not for this application. Alipay's page of this call
    // lists no codes of its own, and its example of a failure is this one: what every call answers that fails in the business behind it.
    if (code === '40004') return 'unknown';
    if (response.status !== 200 || code !== '10000') throw refused(response, [code, subCode]);
    if (typeof content !== 'string' || content.length > maxContentLength) throw invalid('is not one');
    const chain = certificatesIn(Buffer.from(content, 'base64'));
    if (chain.length === 0 || chain.length > maxCertificates) throw invalid('is not one');
    return Buffer.from(chain.join(''));
  },

  // Of this one call Alipay's own SDK takes a success that names no certificate (alipay-sdk-java, `checkResponseCertSign`), and others say
  // that it has no `sign` (smartwalle/alipay): its certificate is the proof.
  isSigned: (response) => readOf(response)?.certificateSerial !== undefined,

  faultOf(certificate, beside) {
    const what = whyNot(certificatesIn(certificate), beside);
    return typeof what === 'string' ? invalid(what) : what;
  },

  partName: (serial) => `alipayCertPublicKey_downloaded-${serial}.crt`,
};

/** In words. A chain to the root is not enough: the same root certifies every application. */
function whyNot(
  [leaf, ...chain]: readonly X509Certificate[],
  { serial, data, now }: Beside,
): PaycertError | string | undefined {
  if (leaf === undefined || serialOf(leaf) !== serial) return 'has another SN than was asked for';
  if (!isValidAt(leaf, now)) return 'has expired, or is not valid yet';
  const { parts } = readParts(data, 'certificate');
  if (isOfApplication(leaf, parts)) return 'is the application’s own';
  const other = whyNotAlipays(leaf);
  if (other !== undefined) return other;
  const known = parts.alipayCertificates.flatMap((one) => organizationOf(one.leaf) ?? []);
  if (known.length === 0) {
    const message =
      'without a certificate of Alipay in the material nothing tells whether one that is downloaded is Alipay’s';
    return new PaycertError('no-platform-key', message);
  }
  const organization = organizationOf(leaf);
  if (organization === undefined || !known.includes(organization))
    return 'is of another organisation than the one that is known';
  const given = [...parts.alipayCertificates, ...parts.appCertificates].flatMap(({ intermediates }) => intermediates);
  // Of those that came with it only authorities count: an application's certificate has a key that its owner signs with.
  const came = chain.filter((one) => one.ca && isValidAt(one, now));
  return leadsToRoot(leaf, [...given, ...came], parts.roots?.certificates ?? []) === true
    ? undefined
    : 'does not lead to a root of the material';
}

const isValidAt = ({ validFromDate, validToDate }: X509Certificate, now: Date): boolean =>
  validFromDate <= now && now < validToDate;

const isOfApplication = ({ publicKey }: X509Certificate, { privateKeys, appCertificates }: Parts): boolean =>
  [...privateKeys.map(([, key]) => key.publicKey), ...appCertificates.map(({ leaf }) => leaf.publicKey)].some(
    (own) => publicKeyFingerprint(own) === publicKeyFingerprint(publicKey),
  );

/** Of a name with several of them nobody knows which one counts. */
function organizationOf({ subject }: X509Certificate): string | undefined {
  const [own, ...others] = subject.split('\n').filter((line) => line.startsWith('O='));
  return others.length > 0 ? undefined : own;
}

type Json = Readonly<Record<string, unknown>>;

/** The signed part of the response; nothing where it is no response to this call. */
function nodeOf(response: SerialResponse): Json {
  try {
    const { content } = readOf(response) ?? {};
    const node: unknown = content === undefined ? undefined : JSON.parse(Buffer.from(content).toString());
    return typeof node === 'object' && node !== null ? { ...node } : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

/** Undefined where it is no response to this call. */
function readOf({ body, headers }: SerialResponse): ReturnType<typeof readResponse> | undefined {
  try {
    return readResponse(body, apiMethod, charsetOf(headers));
  } catch (error) {
    if (error instanceof PaycertError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Its codes are public; its words are not ours. */
function refused({ host, status }: SerialResponse, codes: readonly unknown[]): PaycertError {
  const known = codes.filter((code): code is string => typeof code === 'string' && /^[\w.-]{1,64}$/.test(code));
  const said = [String(status), ...known].join(' ');
  return new PaycertError('certificate-list-refused', `${host} responded with ${said}`);
}

function certificatesIn(bytes: Uint8Array): readonly X509Certificate[] {
  try {
    return readCertificates(bytes, 'alipay_cert_content');
  } catch (error) {
    if (error instanceof PaycertError) return [];
    throw error;
  }
}
