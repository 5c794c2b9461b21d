// Makes what TLS shows and trusts out of keys and certificates, for every provider whose platform asks for a certificate.
import { createHash, type KeyObject, type X509Certificate } from 'node:crypto';
import type { OcspResponse } from '../../crypto/ocsp-response.ts';
import type { RevocationList } from '../../crypto/revocation.ts';
import { certificateFingerprint } from '../../crypto/x509.ts';

/** The least version of TLS that is spoken. */
export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

/** What authorities have revoked, as far as the material says, and what to do about the rest. */
export interface RevocationRules {
  readonly lists: readonly RevocationList[];
  /** About our own certificates. */
  readonly answers: readonly OcspResponse[];
  /** Whether the responder that the peer's certificate names is asked. */
  readonly isAsked: boolean;
  /** Whether not knowing is a reason to refuse. */
  readonly isHard: boolean;
  /** Equal for equal lists and options. */
  readonly id: string;
}

/** A key with its certificate, for one side of a TLS connection, and whom that side trusts. */
export interface TlsIdentity {
  /** Its name in the material. */
  readonly name: string;
  /** Equal for equal certificates, trust, revocation lists and options: connections made with one id need not end when another load has it too. */
  readonly id: string;
  /** The leaf first, then what the peer may lack. */
  readonly certificates: readonly [X509Certificate, ...X509Certificate[]];
  /** Whom it trusts; empty: whom Node trusts. */
  readonly authorities: readonly X509Certificate[];
  readonly minVersion: TlsVersion;
  readonly revocation: RevocationRules;
  /** PEM, made at each call, so that nothing keeps the text of the key: TLS in Node takes no KeyObject. */
  readonly exportKey: () => string;
}

/** What a credential presents and trusts in TLS, by the name of the server. */
export interface TlsIdentities {
  readonly all: readonly TlsIdentity[];
  /**
   * The one for connections to (or, in a server, for) that host name; without a name, the one that stands for every other.
   * @throws PaycertError `server-name-unknown`
   */
  readonly choose: (serverName?: string) => TlsIdentity;
}

export type IdentityParts = Omit<TlsIdentity, 'id' | 'exportKey'> & { readonly privateKey: KeyObject };

export const withoutRevocation: RevocationRules = { lists: [], answers: [], isAsked: false, isHard: false, id: '' };

export async function makeRules(rules: Omit<RevocationRules, 'id'>): Promise<RevocationRules> {
  const { lists, isAsked, isHard } = rules;
  const fingerprints: string[] = [];
  // One after the other: together they would be one long turn.
  for (const list of lists) fingerprints.push(await list.fingerprint());
  return { ...rules, id: JSON.stringify([isAsked, isHard, ...fingerprints.sort()]) };
}

export function makeIdentity({ privateKey, ...parts }: IdentityParts): TlsIdentity {
  const { name, certificates, authorities, minVersion, revocation } = parts;
  const shown = certificates.map(certificateFingerprint);
  const trusted = authorities.map(certificateFingerprint).sort();
  const id = createHash('sha256').update(JSON.stringify([name, shown, trusted, minVersion, revocation.id]));
  return {
    ...parts,
    id: id.digest('hex').slice(0, 16),
    exportKey: () => privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** One for every server name. */
export const oneIdentity = (identity: TlsIdentity): TlsIdentities => ({ all: [identity], choose: () => identity });
