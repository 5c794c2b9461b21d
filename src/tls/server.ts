// Servers that present the current certificate, and refuse clients whose certificate is revoked.
import { constants } from 'node:crypto';
import type { SecureContext, Server, TLSSocket } from 'node:tls';
import { type Clock, systemClock } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import { type Admit, createAdmission, trustOf } from '../revocation/peer.ts';
import type { AskResponder } from '../revocation/ask-responder.ts';
import { Responders } from '../revocation/responders.ts';
import { buildSecureContext, currentIdentities, type Subscription, secureOptions } from './secure-context.ts';

/** How certificates of clients are checked beyond TLS; nothing of it is needed. */
export interface ServerOptions {
  /** Default: the time of this machine. */
  readonly clock?: Clock;
  /** How the OCSP responders of clients are asked, such as through a proxy. Default: over HTTP, from here. */
  readonly askResponder?: AskResponder;
}

/**
 * Makes a TLS or HTTPS server present the current certificate for each server name, now and after each swap, until the function
 * that it returns is called. Established connections stay open. Trust changes with the certificates, and so do the checks of
 * clients: one whose certificate is revoked is refused with a `tlsClientError`.
 * @throws PaycertError as `current`; `operation-unsupported` where the credential presents no certificate, `server-name-unknown`
 * @example
 * import { once } from 'node:events';
 * import { createServer } from 'node:https';
 * import { followServer } from 'paycert';
 *
 * const server = createServer({ requestCert: true, rejectUnauthorized: true }, (_, response) => response.end('ok'));
 * const unfollow = followServer(server, paycert, 'bank');
 * await once(server.listen(0, 'localhost'), 'listening');
 * unfollow();
 * server.close();
 */
export function followServer(
  server: Server,
  followed: Subscription,
  credential: string,
  { clock = systemClock, askResponder }: ServerOptions = {},
): () => void {
  const responders = new Responders(clock, askResponder);
  let admit: Admit | undefined;
  const apply = () => {
    const { all, choose } = currentIdentities(followed, credential);
    const shown = choose();
    // Which name a client asks for decides whom it must come from, and OpenSSL has seen to that.
    admit = createAdmission(trustOf(all, shown), responders, clock, 'the client’s certificate');
    // A session that is resumed has only the leaf in it, so that nobody can tell any more who issued it.
    server.setSecureContext({ ...secureOptions(shown), ...(admit && { secureOptions: constants.SSL_OP_NO_TICKET }) });
    if (shown.authorities.length > 0) trustPartially(server);
  };
  apply();
  const release = hold(server, (socket) => admit?.(socket));
  const unfollow = followed.follow(credential, apply);
  return () => {
    unfollow();
    release();
  };
}

/**
 * Node's servers make their context of a list of options that lacks `allowPartialTrustChain`, so it is said to the context that
 * they have made. A Node in which that is not there refuses such clients; it never accepts others.
 */
function trustPartially(server: Server): void {
  const { _sharedCreds: made } = server as { readonly _sharedCreds?: { readonly context?: PartialTrust } };
  made?.context?.setAllowPartialTrustChain?.();
}

interface PartialTrust {
  setAllowPartialTrustChain?(): void;
}

/** A listener for connections hears of one when it is admitted: Node has no step between the handshake and this event. */
function hold(server: Server, admit: (socket: TLSSocket) => Promise<void> | undefined): () => void {
  const emit = server.emit.bind(server) as (event: string | symbol, ...about: unknown[]) => boolean;
  const holding = (event: string | symbol, ...about: unknown[]): boolean => {
    const [socket] = about as [TLSSocket];
    const admitted = event === 'secureConnection' ? admit(socket) : undefined;
    if (admitted === undefined) return emit(event, ...about);
    admitted.then(
      () => emit(event, socket),
      (error: unknown) => emit('tlsClientError', error, socket),
    );
    return true;
  };
  const own = Object.getOwnPropertyDescriptor(server, 'emit');
  Object.defineProperty(server, 'emit', { value: holding, configurable: true, writable: true });
  return () => {
    if (own === undefined) Reflect.deleteProperty(server, 'emit');
    else Object.defineProperty(server, 'emit', own);
  };
}

/**
 * The `SNICallback` of a server that shows a certificate per name. It asks at each handshake, where `addContext` of a server
 * keeps every context that it was ever given (nodejs/node#34451). A name that no certificate is for ends the handshake,
 * `server-name-unknown`.
 * @example
 * import { createServer } from 'node:https';
 * import { createSniCallback } from 'paycert';
 *
 * const server = createServer({ SNICallback: createSniCallback(paycert, 'bank') });
 * server.close();
 */
export function createSniCallback(followed: Subscription, credential: string) {
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
