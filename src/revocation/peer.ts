// Rejects a peer whose certificate is revoked, after OpenSSL has accepted its chain and before any byte is sent.
import { X509Certificate } from 'node:crypto';
// By the whole module: a Node that is too old lacks a name, and must get as far as being told so.
import tls, { type DetailedPeerCertificate, type PeerCertificate, type TLSSocket } from 'node:tls';
import type { Clock } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import { linksOf, evaluatePath, trustedPathOf } from '../providers/shared/revocation-status.ts';
import type { TlsIdentity } from '../providers/shared/tls-identity.ts';
import type { Responders } from './responders.ts';

/** Whom one side of a connection trusts, and what it asks about the other. */
export interface Trust {
  readonly trusted: () => readonly X509Certificate[];
  readonly revocation: TlsIdentity['revocation'];
}

/** Of the identities of one credential, any of which may have made the connection. What is asked is the same for all. */
export const trustOf = (all: readonly TlsIdentity[], { revocation }: TlsIdentity): Trust => ({
  trusted: () => all.flatMap(({ authorities }) => (authorities.length > 0 ? authorities : readDefaultAuthorities())),
  revocation,
});

/**
 * Resolves when the peer is accepted. Else the socket is destroyed, and the reason thrown: `certificate-revoked`,
 * `revocation-unknown`, or why the connection has ended.
 */
export type Admit = (socket: TLSSocket) => Promise<void>;

/** Nothing where nothing is asked. The socket is one that nobody has yet. `field`: whose certificate it is. */
export function createAdmission(trust: Trust, responders: Responders, clock: Clock, field: string): Admit | undefined {
  const { lists, isAsked, isHard } = trust.revocation;
  if (lists.length === 0 && !isAsked && !isHard) return undefined;
  const evaluate = async (socket: TLSSocket): Promise<void> => {
    // Of one that comes through a proxy, the handshake is over.
    if ((socket as { readonly secureConnecting?: boolean }).secureConnecting === true) await secured(socket);
    const problem = await findProblem(socket, trust, { responders, clock, field });
    if (problem !== undefined) throw problem;
  };
  return async (socket) => {
    const ended = new Promise<never>((_, reject) => {
      // They stay when the socket is handed on: at no moment there may be nobody who hears of an error.
      socket.on('error', reject);
      socket.once('close', () => reject(closed()));
    });
    try {
      await Promise.race([evaluate(socket), ended]);
    } catch (error) {
      socket.destroy();
      throw error;
    }
  };
}

/** Pending for ever where the connection ends before. */
const secured = (socket: TLSSocket) => new Promise((resolve) => socket.once('secureConnect', resolve));

/** In the words of Node. */
const closed = () => Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });

/** Runs after the handshake, so only peers with a trusted chain reach it: no address out of another certificate is queried. */
async function findProblem(
  socket: TLSSocket,
  { trusted, revocation }: Trust,
  { responders, clock, field }: { readonly responders: Responders; readonly clock: Clock; readonly field: string },
): Promise<Error | undefined> {
  // Clients need not have a certificate, and a program can switch verification off: then there is no certificate to trust, or to query.
  if (!socket.authorized) return undefined;
  const [leaf, ...shown] = chainOf(socket.getPeerCertificate(true));
  const path = leaf && trustedPathOf(leaf, shown, trusted());
  if (path === undefined) return new PaycertError('revocation-unknown', `${field} does not name its issuer`, { field });
  const asked = revocation.isAsked ? linksOf(path).map(([one, issuer]) => responders.ask(one, issuer)) : [];
  const answers = (await Promise.all(asked)).filter((answer) => answer !== undefined);
  const problemAt = await evaluatePath(path, { lists: revocation.lists, answers }, field);
  const problem = problemAt(clock.now());
  return problem?.code === 'certificate-revoked' || revocation.isHard ? problem : undefined;
}

/** Read once: there are 150 of them. Node has another array when others are set. */
const defaults = new WeakMap<readonly string[], readonly X509Certificate[]>();

/** Whom Node trusts: what a secure context without authorities has. */
function readDefaultAuthorities(): readonly X509Certificate[] {
  const pems = tls.getCACertificates();
  const known = defaults.get(pems) ?? pems.map((pem) => new X509Certificate(pem));
  defaults.set(pems, known);
  return known;
}

function chainOf(peer: PeerCertificate): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let next: Partial<DetailedPeerCertificate> | undefined = peer;
  // The last one is its own issuer.
  while (next?.raw !== undefined && !chain.some(({ raw }) => next?.raw?.equals(raw))) {
    chain.push(new X509Certificate(next.raw));
    next = next.issuerCertificate;
  }
  return chain;
}
