// Whether certificates have been taken back by their issuers: one's own at each load, the other side's at each handshake.
import type { X509Certificate } from 'node:crypto';
import { revocationOf } from '../../crypto/revocation.ts';
import { isIssuedWithin } from '../../crypto/x509.ts';
import { PaycertError } from '../../errors.ts';
import type { RevocationRules, TlsIdentity } from '../tls-identity.ts';

/**
 * `certificate-revoked` for a chain of which any certificate has been taken back; `revocation-unknown` where nothing is known
 * of its leaf. The chain ends with whoever issued its last certificate, if that is known.
 */
export function chainProblem(
  chain: readonly X509Certificate[],
  { lists }: RevocationRules,
  now: Date,
  field: string,
): PaycertError | undefined {
  const answers = chain.map((certificate) => {
    const issuer = chain.find((one) => one !== certificate && isIssuedWithin(certificate, [one]));
    return issuer === undefined ? 'unknown' : revocationOf(certificate, issuer, lists, now);
  });
  if (answers.includes('revoked')) {
    return new PaycertError('certificate-revoked', `${field} has been revoked by its issuer`, { field });
  }
  const message = `no current revocation list of the issuer of ${field} is known`;
  return answers[0] === 'unknown' ? new PaycertError('revocation-unknown', message, { field }) : undefined;
}

export function ownProblems(all: readonly TlsIdentity[], now: Date): readonly PaycertError[] {
  return all.flatMap(({ name, certificates, authorities, revocation }) => {
    const problem = chainProblem([...certificates, ...authorities], revocation, now, `${name}.crt`);
    return problem === undefined ? [] : [problem];
  });
}
