// What a snapshot shows and trusts, as Node's TLS wants it; and servers that show what is current.
import { createSecureContext, type SecureContext, type SecureContextOptions, type Server } from 'node:tls';
import { PaycertError } from '../errors.ts';
import type { TlsIdentities, TlsIdentity } from '../providers/tls-identity.ts';
import type { Snapshot } from '../store/snapshot.ts';

/** Credentials that somebody keeps current: what `startPaycert` returns. */
export interface Followed {
  current(name: string): Snapshot;
  /** Calls `told` after each swap, until the function that it returns is called. */
  follow(name: string, told: () => void): () => void;
}

/** @throws PaycertError `credential-unknown`, `credential-not-loaded`, `operation-unsupported` */
export function currentIdentities(followed: Followed, credential: string): TlsIdentities {
  const { tls } = followed.current(credential).context;
  if (tls !== undefined) return tls;
  throw new PaycertError('operation-unsupported', 'this credential has no certificate to show in TLS');
}

/** Holds the key as text: use it at once, and keep the SecureContext only. */
const secureOptions = ({ certificates, authorities, minVersion, exportKey }: TlsIdentity): SecureContextOptions => ({
  key: exportKey(),
  cert: certificates.map(String).join(''),
  ...(authorities.length > 0 && { ca: authorities.map(String) }),
  minVersion,
});

export const buildSecureContext = (identity: TlsIdentity): SecureContext =>
  createSecureContext(secureOptions(identity));

/**
 * Makes a TLS or HTTPS server show the certificate that stands for every name, now and after each swap, until the function
 * that it returns is called. Connections that it has accepted go on. Trust changes with it.
 * @throws PaycertError as `current`; `operation-unsupported`, `server-name-unknown`
 */
export function followServer(server: Server, followed: Followed, credential: string): () => void {
  const apply = () => server.setSecureContext(secureOptions(currentIdentities(followed, credential).choose()));
  apply();
  return followed.follow(credential, apply);
}

/**
 * The `SNICallback` of a server that shows a certificate per name. It asks at each handshake, where `addContext` of a server
 * keeps every context that it was ever given (nodejs/node#34451).
 */
export function createSniCallback(followed: Followed, credential: string) {
  const built = new Map<string, SecureContext>();
  return (serverName: string, answer: (error: Error | null, context?: SecureContext) => void): void => {
    try {
      const { all, choose } = currentIdentities(followed, credential);
      const identity = choose(serverName);
      const context = built.get(identity.id) ?? buildSecureContext(identity);
      for (const id of built.keys()) if (!all.some((one) => one.id === id)) built.delete(id);
      built.set(identity.id, context);
      answer(null, context);
    } catch (error) {
      if (!(error instanceof PaycertError)) throw error;
      answer(error);
    }
  };
}
