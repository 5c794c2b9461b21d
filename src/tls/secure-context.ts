// What a snapshot shows and trusts, as Node's TLS wants it.
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { PaycertError } from '../errors.ts';
import type { TlsIdentities, TlsIdentity } from '../providers/shared/tls-identity.ts';
import type { SigningContext } from '../providers/provider.ts';

/**
 * Credentials that are kept current, as the connections of TLS need them: what `startPaycert` returns is one.
 * @example
 * import { createHttpsAgent, type Subscription } from 'paycert';
 *
 * // The credential in whose name a server acts, whatever it is asked for:
 * const bank: Subscription = {
 *   current: () => paycert.current('bank'),
 *   follow: (_, told) => paycert.follow('bank', told),
 * };
 * createHttpsAgent(bank, 'partner').destroy();
 */
export interface Subscription {
  /** What the credential presents and trusts now. @throws PaycertError `credential-unknown`, `credential-not-loaded` */
  current(name: string): { readonly context: Pick<SigningContext, 'tls'> };
  /** Calls `told` after each swap, until the function that it returns is called. */
  follow(name: string, told: () => void): () => void;
}

/** @throws PaycertError `credential-unknown`, `credential-not-loaded`, `no-client-certificate` */
export function currentIdentities(followed: Subscription, credential: string): TlsIdentities {
  const { tls } = followed.current(credential).context;
  if (tls !== undefined) return tls;
  throw new PaycertError('no-client-certificate', 'this credential has no certificate to show in TLS');
}

/** Holds the key as text: use it at once, and keep the SecureContext only. */
export const secureOptions = ({
  certificates,
  authorities,
  minVersion,
  exportKey,
}: TlsIdentity): SecureContextOptions => ({
  key: exportKey(),
  cert: certificates.map(String).join(''),
  // Who trusts an intermediate authority and not its root means it: OpenSSL, left alone, would refuse every peer.
  ...(authorities.length > 0 && { ca: authorities.map(String), allowPartialTrustChain: true }),
  minVersion,
});

export const buildSecureContext = (identity: TlsIdentity): SecureContext =>
  createSecureContext(secureOptions(identity));
