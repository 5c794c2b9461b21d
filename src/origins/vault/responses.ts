// What Vault's and OpenBao's statuses mean, as errors that say what was asked and who must act.
import { type ErrorCode, PaycertError } from '../../errors.ts';
import { within } from '../content.ts';
import type { Reply } from '../server.ts';

const troubles: Readonly<Record<number, readonly [ErrorCode, string]>> = {
  429: ['origin-failing', 'Vault limits how many requests it takes'],
  472: ['origin-failing', 'this node is a stand-by for disaster recovery'],
  473: ['origin-failing', 'this node is a stand-by'],
  501: ['origin-sealed', 'Vault has not been initialised'],
};

/** What another node may not say. The server's own text is looked at, and left out: it may quote what it refuses. */
export function troubleOf({ status, content }: Reply, what: string): PaycertError | undefined {
  const isSealed = status === 503 && errorsOf(content).some((text) => text.includes('sealed'));
  const [code, meaning] = isSealed
    ? (['origin-sealed', 'Vault is sealed'] as const)
    : (troubles[status] ?? (['origin-failing', 'Vault cannot answer now'] as const));
  const isTrouble = status >= 500 || troubles[status] !== undefined;
  return isTrouble ? new PaycertError(code, `${what}: ${meaning} (${status})`) : undefined;
}

/**
 * The same of questions about keys, where 500 is said of a key that cannot do what is asked: it says nothing of the others, so it is an
 * answer and no trouble of the node.
 */
export const keyTroubleOf = (reply: Reply, what: string): PaycertError | undefined => {
  if (reply.status === 500) return undefined;
  const trouble = troubleOf(reply, what);
  // A signature that is refused for that is sent again, slower.
  return reply.status === 429 && trouble ? new PaycertError('origin-throttled', trouble.message) : trouble;
};

function errorsOf(content: unknown): readonly string[] {
  const { errors } = within(content);
  return Array.isArray(errors) ? errors.filter((text) => typeof text === 'string') : [];
}

/** Why there is nothing to read. */
export function toError({ status, content }: Reply, what: string): PaycertError {
  if (status === 403) return new PaycertError('origin-forbidden', `${what}: no policy of our token allows it (403)`);
  if (status === 404) {
    const why = errorsOf(content).length > 0 ? 'no secrets engine is mounted there' : 'there is nothing';
    return new PaycertError('origin-missing', `${what}: ${why} (404)`);
  }
  return new PaycertError('origin-refused', `${what}: Vault refuses it (${status})`);
}

/** Why a certificate is not signed, in words of ours. */
const signingCauses: readonly (readonly [RegExp, string])[] = [
  [/unknown role/i, 'there is no such role'],
  [/not allowed by this role|common name|subject alternate/i, 'the role does not allow these names'],
  [/requires keys of type|key type|bits/i, 'the role wants a key of another kind'],
  [/ttl|notafter|expir/i, 'so long a life is not allowed'],
];

export function refusalOf({ status, content }: Reply, what: string): PaycertError {
  const texts = errorsOf(content);
  const [, cause = 'Vault refuses it'] = signingCauses.find(([pattern]) => texts.some((text) => pattern.test(text))) ?? []; // prettier-ignore
  return new PaycertError('origin-refused', `${what}: ${cause} (${status})`);
}

/** What a refused log-in says, in words of ours: the server's text may quote what was sent. */
const causes: readonly (readonly [RegExp, string])[] = [
  [/audience/i, 'its audience is another'],
  [/service account name not authorized/i, 'the role is for other service accounts'],
  [/namespace not authorized/i, 'the role is for other namespaces'],
  [/expired/i, 'it has expired'],
  [/role .*(could not be found|not found)|invalid role name/i, 'there is no such role'],
  [/role or secret ID|invalid secret id/i, 'the role id or the secret id is not valid, or has been used up'],
  [/no handler|unsupported path/i, 'no such method is mounted there'],
];

/** `who`: what was shown, by its file. `otherwise`: what it may be where the server says nothing of use. */
export function loginRefused({ status, content }: Reply, what: string, who: string, otherwise?: string): PaycertError {
  // Of a namespace that is not there, or of somebody who is no Vault.
  if (status === 404)
    return new PaycertError('origin-unauthenticated', `${what}: there is no such place (404); compare \`address\`, \`namespace\` and \`auth\``); // prettier-ignore
  const texts = errorsOf(content);
  const [, cause = otherwise] = causes.find(([pattern]) => texts.some((text) => pattern.test(text))) ?? [];
  const why = cause === undefined ? '' : `: ${cause}`;
  return new PaycertError('origin-unauthenticated', `${what}: Vault does not accept ${who}${why} (${status})`);
}
