// The webhooks' own authority and leaf: what is to be kept at a time, as a function of what is kept and what the API server trusts.
import { createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { issueCertificate } from '../../crypto/issue.ts';

const hour = 3_600_000;
const day = 24 * hour;

/** An authority signs for a year and is replaced with a third of that left; a leaf is for a day, and replaced when half of it is over. */
export const lifetimes = { authority: 365 * day, authorityLeft: 122 * day, leaf: day, leafLeft: 12 * hour } as const;

/** Clocks of the API server and ours differ. */
const skew = hour;

/** After so long, no replica shows a leaf of the authority before: the last one has expired. */
const overlap = 2 * day;

/** What the Secret holds, as PEM. */
export interface ServingKeys {
  /** Of all that are to be trusted: the one that signs comes first. */
  readonly 'ca.crt': string;
  readonly 'ca.key': string;
  readonly 'tls.crt': string;
  readonly 'tls.key': string;
}

export interface Circumstances {
  readonly hostNames: readonly string[];
  /** The bundle that the API server has, so that nothing is shown that it does not trust yet. */
  readonly trusted: string;
  readonly now: Date;
  readonly random: (bytes: number) => Uint8Array;
}

export const splitBundle = (pem: string): string[] =>
  pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g) ?? [];

/** The same value where nothing is due. */
export function renewServingKeys(kept: Partial<ServingKeys>, circumstances: Circumstances): ServingKeys {
  const authorities = withAuthority(readAuthorities(kept), circumstances);
  const [newest] = authorities.certificates;
  const bundle = authorities.certificates.map(({ pem }) => pem).join('');
  const first = newest?.pem ?? '';
  const keys = { 'ca.crt': bundle, 'ca.key': authorities.key };
  const { 'tls.crt': leaf = '', 'tls.key': leafKey = '' } = kept;
  const isTrusted = splitBundle(circumstances.trusted).some((pem) => pem.trim() === first.trim());
  const isUsable = isLeaf(leaf, leafKey, authorities.certificates, circumstances);
  // A new authority is published first. Without a leaf that works, there is nothing to wait for.
  const isDue = isUsable && (!isFresh(leaf, circumstances) || !isFrom(leaf, newest)) && isTrusted;
  if (isUsable && !isDue) return sameOr(kept, { ...keys, 'tls.crt': leaf, 'tls.key': leafKey });
  return { ...keys, ...makeLeaf(authorities.key, circumstances) };
}

const sameOr = (kept: Partial<ServingKeys>, next: ServingKeys): ServingKeys =>
  Object.entries(next).every(([name, text]) => kept[name as keyof ServingKeys] === text) ? (kept as ServingKeys) : next;

interface Known {
  readonly pem: string;
  readonly certificate: X509Certificate;
}

interface Authorities {
  /** Of the first. */
  readonly key: string;
  readonly certificates: readonly Known[];
}

const authorityName = 'paycert admission';

function readAuthorities({ 'ca.crt': bundle = '', 'ca.key': key = '' }: Partial<ServingKeys>): Authorities | undefined {
  try {
    const certificates = splitBundle(bundle).map((pem) => ({ pem, certificate: new X509Certificate(pem) }));
    const [first] = certificates;
    return first?.certificate.checkPrivateKey(createPrivateKey(key)) === true ? { key, certificates } : undefined;
  } catch {
    // Not what we wrote: it is written again.
    return undefined;
  }
}

function withAuthority(known: Authorities | undefined, { now, random }: Circumstances): Authorities {
  const [first] = known?.certificates ?? [];
  const left = first === undefined ? 0 : first.certificate.validToDate.getTime() - now.getTime();
  if (known !== undefined && first !== undefined && left > lifetimes.authorityLeft) {
    const isOverlapping = now.getTime() - first.certificate.validFromDate.getTime() < overlap + skew;
    return isOverlapping ? known : { ...known, certificates: [first] };
  }
  const { privateKey, pem: key } = makeKey();
  const [notBefore, notAfter] = [new Date(now.getTime() - skew), new Date(now.getTime() + lifetimes.authority)];
  const issuer = { name: authorityName, key: privateKey };
  const pem = issueCertificate({ name: authorityName, key: privateKey, issuer, serialNumber: random(16), notBefore, notAfter }); // prettier-ignore
  const before = known?.certificates.slice(0, 1) ?? [];
  return { key, certificates: [{ pem, certificate: new X509Certificate(pem) }, ...before] };
}

function makeKey(): { readonly privateKey: KeyObject; readonly pem: string } {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { privateKey, pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

function makeLeaf(
  authorityKey: string,
  { hostNames, now, random }: Circumstances,
): Pick<ServingKeys, 'tls.crt' | 'tls.key'> {
  const { privateKey, pem } = makeKey();
  const certificate = issueCertificate({
    name: hostNames[0] ?? '',
    hostNames,
    key: privateKey,
    issuer: { name: authorityName, key: createPrivateKey(authorityKey) },
    serialNumber: random(16),
    notBefore: new Date(now.getTime() - skew),
    notAfter: new Date(now.getTime() + lifetimes.leaf),
  });
  return { 'tls.crt': certificate, 'tls.key': pem };
}

function isLeaf(pem: string, key: string, authorities: readonly Known[], { hostNames, now }: Circumstances): boolean {
  try {
    const leaf = new X509Certificate(pem);
    const isPair = leaf.checkPrivateKey(createPrivateKey(key));
    const isNamed = hostNames.every((name) => leaf.checkHost(name) !== undefined);
    return isPair && isNamed && now < leaf.validToDate && authorities.some((authority) => isFrom(pem, authority));
  } catch {
    return false;
  }
}

const isFrom = (pem: string, authority: Known | undefined): boolean =>
  authority !== undefined && new X509Certificate(pem).verify(authority.certificate.publicKey);

const isFresh = (pem: string, { now }: Circumstances): boolean =>
  new X509Certificate(pem).validToDate.getTime() - now.getTime() > lifetimes.leafLeft;
