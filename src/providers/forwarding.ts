// How an application's own requests are forwarded to its platform: which paths, and what is signed in place of its signature.
import type { KeyFacts, RequestToAuthorize } from './provider.ts';

/** A request as an application sent it, meant for its platform. */
export interface ForwardedRequest {
  readonly method: string;
  /** Path and query as they were sent. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** A call that the platform lets be made again with the same parameters, and where it says so. */
export interface Repeatable {
  /** A method, and a path that may end with `*`. */
  readonly call: string;
  readonly source: string;
}

/** What a proxy asks of a platform, for the options of one credential. Pure. */
export interface Forwarding {
  /** What is forwarded unless the configuration says otherwise: a method, and a path that may end with `*`. */
  readonly allowed: readonly string[];
  /** What has no row is never sent twice: no verb of HTTP says that a platform does not act again. */
  readonly repeatable: readonly Repeatable[];
  /**
   * What is to be signed. What the application signed with is left out; what belongs to another account is refused by name.
   * `keys`: those that the credential has now, and that still count.
   * @throws PaycertError `request-invalid`
   */
  readonly toAuthorize: (request: ForwardedRequest, keys: readonly KeyFacts[]) => RequestToAuthorize;
  /** Whether the platform signs no response to it, so that one may be passed on while it arrives. */
  readonly isUnsigned: (request: Pick<ForwardedRequest, 'method' | 'target'>) => boolean;
}

/** Whether such a call is one of that pattern: a method, and a path that may end with `*`. */
export function matchesCall(pattern: string, { method, target }: Pick<ForwardedRequest, 'method' | 'target'>): boolean {
  const [path = ''] = target.split('?', 1);
  const [ofMethod, ofPath = ''] = pattern.split(' ', 2);
  if (ofMethod !== method) return false;
  return ofPath.endsWith('*') ? path.startsWith(ofPath.slice(0, -1)) : path === ofPath;
}
