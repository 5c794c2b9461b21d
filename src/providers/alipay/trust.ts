// Which environment Alipay's certificates belong to, and whether one leads to a root. Links and signatures, no policy.
import type { X509Certificate } from 'node:crypto';
import { nameAttribute } from '../../crypto/x509.ts';

export type Environment = 'production' | 'sandbox';

/** The sandbox's authorities are called `Ant Financial test`. Nothing where somebody else issued it. */
export function environmentOf({ issuer }: X509Certificate): Environment | undefined {
  const organization = nameAttribute(issuer, 'O');
  if (organization === 'Ant Financial test') return 'sandbox';
  return organization === 'Ant Financial' ? 'production' : undefined;
}

/**
 * Not OpenSSL's own judgement: the sandbox's intermediate may not sign certificates by its own extensions, and does
 * (protocols 2.3). The names must match, and the signature.
 */
function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  if (certificate.issuer !== issuer.subject) return false;
  try {
    return certificate.verify(issuer.publicKey);
  } catch {
    // An SM2 or damaged issuer: OpenSSL throws instead of saying no.
    return false;
  }
}

/** More links than any chain of Alipay's has. */
const maxLinks = 5;

/**
 * Whether the certificate leads to one of the roots over the intermediates given. Nothing where a link is missing that the
 * file could have left out: a leaf alone, issued by an intermediate.
 */
export function leadsToRoot(
  leaf: X509Certificate,
  intermediates: readonly X509Certificate[],
  roots: readonly X509Certificate[],
): boolean | undefined {
  let at = leaf;
  for (let links = 0; links < maxLinks; links += 1) {
    const here = at;
    if (roots.some((root) => root.fingerprint256 === here.fingerprint256 || isIssuedBy(here, root))) return true;
    if (here.issuer === here.subject) return false;
    const next = intermediates.find((one) => one !== here && isIssuedBy(here, one));
    // Its issuer is there by name, and did not sign it.
    if (next === undefined)
      return [...intermediates, ...roots].some(({ subject }) => subject === here.issuer) || at !== leaf
        ? false
        : undefined;
    at = next;
  }
  return false;
}
