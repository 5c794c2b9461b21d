// Each of Alipay's certificates in the place of its kind: the application's, Alipay's own, the roots. The console offers them side by side.
import type { X509Certificate } from 'node:crypto';
import { publicKeyFingerprint } from '../../crypto/x509.ts';
import { type PaycertError, violation } from '../../errors.ts';
import { appIdOf, holderOf, isAuthority, isOfTenpay, isSelfIssued } from '../shared/holder.ts';
import type { Parts, Roots } from './parts.ts';
import { isRsaSigned } from './serials.ts';
import { environmentOf, leadsToRoot } from './trust.ts';

const misplaced = (name: string, what: string) => violation('certificate-misplaced', name, what);

/** Every certificate that is in the place of another kind. */
export function misplacedCertificates(parts: Parts): readonly PaycertError[] {
  const { appCertificates, alipayCertificates, roots } = parts;
  const own = new Set(
    [
      ...parts.privateKeys.map(([, { publicKey }]) => publicKey),
      ...appCertificates.map(({ leaf }) => leaf.publicKey),
    ].map(publicKeyFingerprint),
  );
  const isOwn = ({ publicKey }: X509Certificate) => own.has(publicKeyFingerprint(publicKey));
  return [
    ...appCertificates.flatMap(({ name, leaf }) =>
      isForeign(leaf) ? misplaced(name, `is ${String(holderOf(leaf))}, and not the application’s`) : [],
    ),
    // The application's own is refused as such.
    ...alipayCertificates.flatMap((chain) => {
      const why = isOwn(chain.leaf) ? undefined : whyNotAlipays(chain.leaf);
      return why === undefined ? [] : misplaced(chain.name, why);
    }),
    ...(roots ? misplacedRoots(roots, parts, isOwn) : []),
  ];
}

/** What an application never has: a certificate of an authority, of Alipay or of WeChat Pay. */
const isForeign = (leaf: X509Certificate): boolean =>
  appIdOf(leaf) === undefined && (isAuthority(leaf) || isOfTenpay(leaf) || environmentOf(leaf) !== undefined);

/** What it is instead, in words; undefined for what may be Alipay's own. */
export function whyNotAlipays(leaf: X509Certificate): string | undefined {
  const isOther = isAuthority(leaf) || isOfTenpay(leaf) || appIdOf(leaf) !== undefined;
  return isOther ? `is ${holderOf(leaf) ?? 'a certificate of WeChat Pay'}, and not Alipay’s own` : undefined;
}

/** Requests name the roots that RSA signed, all of them, so that one that is no root spoils the name. */
function misplacedRoots(
  { name, certificates }: Roots,
  { appCertificates }: Parts,
  isOwn: (certificate: X509Certificate) => boolean,
): readonly PaycertError[] {
  const counted = certificates.filter(isRsaSigned);
  const other = counted.find((one) => !isSelfIssued(one) || !isAuthority(one) || isOfTenpay(one) || isOwn(one));
  if (other !== undefined) {
    const holder = isOwn(other) ? 'the application’s own certificate' : holderOf(other);
    return misplaced(name, `holds ${holder ?? 'a certificate of nobody’s authority'}, and not only Alipay’s roots`);
  }
  // One of nobody known may be a root of a double; it cannot be where Alipay itself issued the application's certificate.
  const isIssued = appCertificates.some(({ leaf }) => environmentOf(leaf) !== undefined);
  const isThere = counted.some((root) => environmentOf(root) !== undefined);
  return counted.length > 0 && isIssued && !isThere ? misplaced(name, 'holds none of Alipay’s roots') : [];
}

/** Whether it was issued by somebody whom neither its names nor the roots make Alipay. */
export const isOfNobody = (
  leaf: X509Certificate,
  intermediates: readonly X509Certificate[],
  roots: readonly X509Certificate[],
): boolean => environmentOf(leaf) === undefined && leadsToRoot(leaf, intermediates, roots) !== true;
