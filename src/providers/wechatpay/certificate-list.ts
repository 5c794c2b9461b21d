// GET /v3/certificates: the platform certificates of one merchant, each encrypted with the APIv3 key.
import type { X509Certificate } from 'node:crypto';
import { readCertificates } from '../../crypto/containers.ts';
import { certificateFingerprint, normalizeSerial, wireSerial } from '../../crypto/x509.ts';
import { PaycertError } from '../../errors.ts';
import type { CertificateList, Listed } from '../certificate-list.ts';
import type { Operations } from '../provider.ts';
import { timeOf } from '../shared/material.ts';
import { downloadedName, serialIn, untilName } from './downloaded.ts';
import { aeadAlgorithm, type Json, parseObject, readResource, type Resource } from './envelope.ts';

/** WeChat Pay has two or three at a time; each costs a decryption and is compared with the others. */
const maxEntries = 32;
/** A certificate in PEM has 2 kB. */
const maxSealedLength = 16 * 1024;

const overseas = 'https://apihk.mch.weixin.qq.com';

/** Of lists before, beside the newest: WeChat Pay has two or three at a time. */
const maxKept = 16;

export const certificateList: CertificateList = {
  request: (origin) => ({ method: 'GET', url: origin === overseas ? '/v3/global/certificates' : '/v3/certificates' }),

  async open(body, decrypt, now) {
    const found = new Map<string, Entry>();
    for (const entry of await openEach(readList(body), decrypt)) {
      const known = found.get(entry.serial);
      if (known !== undefined && known.fingerprint !== entry.fingerprint)
        throw invalid(`has two certificates with the serial number ${entry.serial}`);
      found.set(entry.serial, known !== undefined && known.until < entry.until ? known : entry);
    }
    const alive = [...found.values()].filter(({ until }) => now < until);
    if (alive.length > 0) return partsOf(alive);
    throw new PaycertError('certificate-list-empty', `the list of platform certificates ${found.size === 0 ? 'is empty' : 'holds only expired ones'}`); // prettier-ignore
  },

  // A page of a proxy has these statuses too, and no code of the platform.
  isAbsent: ({ status, body }) =>
    (status === 404 || status === 403) && typeof parseObject(Buffer.from(body).toString())?.['code'] === 'string',

  mayList: (keyId) => /^[0-9A-F]{2,40}$/i.test(keyId),

  isListed: (name) => serialIn(name) !== undefined,

  keep(before, listed, { now, until }) {
    const gone = [...before].flatMap(([name, bytes]) => (listed.has(name) ? [] : readKept(name, bytes, before, until)));
    const alive = gone.filter((entry) => now < entry.until).toSorted((a, b) => Number(b.until) - Number(a.until));
    return new Map([...listed, ...partsOf(alive.slice(0, maxKept))]);
  },
};

interface Sealed {
  readonly serial: string;
  readonly expiresAt: Date;
  readonly resource: Resource;
}

interface Entry {
  readonly serial: string;
  readonly fingerprint: string;
  readonly certificate: X509Certificate;
  /** The platform may announce an earlier end than its certificate has. */
  readonly until: Date;
}

/** As it was stored before; nothing where the part is not what was listed under its name. */
function readKept(name: string, bytes: Uint8Array, before: Listed, until: Date): readonly Entry[] {
  const serial = serialIn(name);
  const [certificate, ...others] = name.endsWith('.pem') ? certificatesIn(bytes) : [];
  if (serial === undefined || certificate === undefined || others.length > 0) return [];
  if (wireSerial(certificate.serialNumber) !== serial) return [];
  const said = timeOf(Buffer.from(before.get(untilName(serial)) ?? []).toString()) ?? until;
  const end = Math.min(Number(said), Number(until), certificate.validToDate.getTime());
  return [{ serial, fingerprint: certificateFingerprint(certificate), certificate, until: new Date(end) }];
}

const invalid = (what: string) =>
  new PaycertError('certificate-list-invalid', `the list of platform certificates ${what}`);

function readList(body: Uint8Array): readonly Sealed[] {
  const data = parseObject(Buffer.from(body).toString())?.['data'];
  if (!Array.isArray(data)) throw invalid('is not one: it has no member data');
  if (data.length > maxEntries) throw invalid(`has more than ${String(maxEntries)} entries`);
  return data.map((entry: unknown) => readEntry((typeof entry === 'object' && entry !== null ? entry : {}) as Json));
}

function readEntry({ serial_no: serial, expire_time: expires, encrypt_certificate: sealed }: Json): Sealed {
  const resource = readResource(sealed);
  const expiresAt = typeof expires === 'string' ? timeOf(expires) : undefined;
  if (typeof serial !== 'string' || !certificateList.mayList(serial)) throw invalid('has an entry without a serial number'); // prettier-ignore
  if (resource?.algorithm !== aeadAlgorithm || resource.ciphertext.length > maxSealedLength)
    throw invalid(`has an entry that is not encrypted with ${aeadAlgorithm}`);
  if (expiresAt === undefined) throw invalid('has an entry without expire_time');
  return { serial, expiresAt, resource };
}

/** One that does not open is no reason to take the others: who wrote it did not have the key. */
async function openEach(list: readonly Sealed[], decrypt: Operations['decrypt']): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  for (const { serial, expiresAt, resource } of list) {
    const { plaintext } = await decrypt(resource).catch((error: unknown) => {
      throw error instanceof PaycertError && error.kind === 'request' ? invalid('has an entry that is not base64') : error; // prettier-ignore
    });
    const [certificate, ...others] = certificatesIn(plaintext);
    if (certificate === undefined || others.length > 0) throw invalid('has an entry that is not one certificate');
    if (normalizeSerial(certificate.serialNumber) !== normalizeSerial(serial))
      throw invalid('has an entry with the certificate of another serial number');
    const until = new Date(Math.min(expiresAt.getTime(), certificate.validToDate.getTime()));
    const fingerprint = certificateFingerprint(certificate);
    entries.push({ serial: wireSerial(certificate.serialNumber), fingerprint, certificate, until });
  }
  return entries;
}

function certificatesIn(plaintext: Uint8Array): readonly X509Certificate[] {
  try {
    return readCertificates(plaintext, 'encrypt_certificate');
  } catch (error) {
    if (error instanceof PaycertError) return [];
    throw error;
  }
}

const partsOf = (entries: readonly Entry[]): Listed =>
  new Map(
    entries
      .toSorted((a, b) => (a.serial < b.serial ? -1 : 1))
      .flatMap(({ serial, certificate, until }): [string, Buffer][] => [
        [downloadedName(serial), Buffer.from(certificate.toString())],
        ...(until < certificate.validToDate ? [[untilName(serial), Buffer.from(until.toISOString())] as [string, Buffer]] : []), // prettier-ignore
      ]),
  );
