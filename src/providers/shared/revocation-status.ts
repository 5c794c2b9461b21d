// Revocation checks: our certificates at each load, the peer's at each handshake.
import type { X509Certificate } from 'node:crypto';
import { type RevocationList, revocationOf, type RevocationStatus } from '../../crypto/revocation.ts';
import { isIssuedWithin, SignatureBudget } from '../../crypto/x509.ts';
import { PaycertError } from '../../errors.ts';
import type { RevocationRules, TlsIdentity } from './tls-identity.ts';

/** From a leaf up to what signs itself, as far as the issuers are among those given. */
export function pathOf(leaf: X509Certificate, given: readonly X509Certificate[]): readonly X509Certificate[] {
  const path = [leaf];
  const budget = new SignatureBudget();
  for (let next: X509Certificate | undefined = leaf; next !== undefined && !next.checkIssued(next);) {
    const below: X509Certificate = next;
    next = given.find((one) => !isAmong(path, one) && isIssuedWithin(below, [one], budget));
    if (next !== undefined) path.push(next);
    if (path.length > maxPath) break;
  }
  return path;
}

/** Real chains have three or four; each costs signatures. */
const maxShown = 10;
const maxPath = 10;

/**
 * The path to a trusted authority. A peer may present others of the same name, even of the same key, with
 * other numbers and other responders: those lead to nobody who is trusted. OpenSSL has found a path; nothing here is one that hides it.
 */
export function trustedPathOf(
  leaf: X509Certificate,
  shown: readonly X509Certificate[],
  trusted: readonly X509Certificate[],
): readonly X509Certificate[] | undefined {
  const given = [...trusted, ...shown.slice(0, maxShown)];
  const seen = [leaf];
  const paths: (readonly [X509Certificate, ...X509Certificate[]])[] = [[leaf]];
  // It grows while it is gone through.
  for (const path of paths) {
    const [top] = path;
    if (isAmong(trusted, top)) return [...path.slice(1).reverse(), ...pathOf(top, trusted)];
    for (const one of given) {
      if (isAmong(seen, one) || !isIssuedWithin(top, [one])) continue;
      seen.push(one);
      paths.push([one, ...path]);
    }
  }
  return undefined;
}

const isAmong = (all: readonly X509Certificate[], { raw }: X509Certificate): boolean =>
  all.some((one) => one.raw.equals(raw));

/** Each certificate of a path with the one that issued it, the leaf first. */
export const linksOf = (path: readonly X509Certificate[]): readonly (readonly [X509Certificate, X509Certificate])[] =>
  path.slice(1).map((issuer, index) => [path[index] ?? issuer, issuer]);

type Evidence = Pick<RevocationRules, 'lists' | 'answers'>;

async function statusOf(certificate: X509Certificate, issuer: X509Certificate, { lists, answers }: Evidence) {
  const listed = await revocationOf(certificate, issuer, lists);
  return (now: Date): RevocationStatus => {
    const said = answers.map((answer) => answer.about(certificate, issuer, now)?.status);
    const all = [listed(now), ...said];
    if (all.includes('revoked')) return 'revoked';
    return all.includes('good') ? 'good' : 'unknown';
  };
}

/** Of one path, at any time: the work with lists is done once. */
export type PathProblem = (now: Date) => PaycertError | undefined;

/** `certificate-revoked` where any certificate of the path is; `revocation-unknown` where nothing is known of its leaf. */
export async function evaluatePath(
  path: readonly X509Certificate[],
  evidence: Evidence,
  field: string,
): Promise<PathProblem> {
  const links = await Promise.all(linksOf(path).map((link) => statusOf(...link, evidence)));
  return (now) => {
    const statuses = links.map((status) => status(now));
    if (statuses.includes('revoked'))
      return new PaycertError('certificate-revoked', `${field} has been revoked by its issuer`, { field });
    const [ofLeaf = 'unknown'] = statuses;
    const message = `nothing current is known of whether ${field} has been revoked`;
    return ofLeaf === 'unknown' ? new PaycertError('revocation-unknown', message, { field }) : undefined;
  };
}

/** What is wrong with our own certificates, at any time. */
export async function evaluateOwn(all: readonly TlsIdentity[]): Promise<(now: Date) => readonly PaycertError[]> {
  const problems = await Promise.all(
    all.map(({ name, certificates: [leaf, ...chain], authorities, revocation }) =>
      evaluatePath(pathOf(leaf, [...chain, ...authorities]), revocation, `${name}.crt`),
    ),
  );
  return (now) => problems.flatMap((problem) => problem(now) ?? []);
}

/** Lists whose entries an authority of the material has signed, and that cannot be used all the same. */
export async function listProblems(
  lists: readonly RevocationList[],
  authorities: readonly X509Certificate[],
): Promise<readonly PaycertError[]> {
  const problems: PaycertError[] = [];
  for (const list of lists)
    for (const authority of authorities)
      try {
        await list.about(authority, authority);
      } catch (error) {
        if (!(error instanceof PaycertError)) throw error;
        problems.push(error);
      }
  return problems;
}
