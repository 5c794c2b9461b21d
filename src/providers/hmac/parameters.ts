// The parameters of a request as one scheme signs them: which belong to the scheme itself, and the text over all of them.
import type { Nonces } from '../shared/nonces.ts';
import { splitUrl } from '../shared/http.ts';
import { formPairs, type Pair } from '../shared/parameters.ts';
import type { ReceivedNotification } from '../provider.ts';
import type { Settings } from './options.ts';
import { schemes } from './schemes.ts';

/** The nonces of the last minutes: of requests that were accepted, and of our own. */
export interface Memory {
  readonly partner: Nonces;
  readonly own: Nonces;
}

/**
 * A parameter that a scheme without quoting writes like two: `note=x&y=1` is that of `note` alone, and that of `note` and `y`.
 * Undefined where there is none.
 */
export function ambiguousName({ scheme }: Settings, pairs: readonly Pair[]): string | undefined {
  if (schemes[scheme].isQuoted) return undefined;
  return pairs.find(([name, value]) => /[&=]/.test(name) || /&[^&]*=/.test(value))?.[0];
}

/** The text that is signed; `method` in any case. */
export function signedText(
  { scheme, slash }: Settings,
  pairs: readonly Pair[],
  { method, path }: { readonly method: string; readonly path: string },
): Buffer {
  const { names, signsKeyId, text } = schemes[scheme];
  const signed = pairs.filter(([name]) => name !== names.signature && (signsKeyId || name !== names.keyId));
  return Buffer.from(text(signed, { method: method.toUpperCase(), path }, slash));
}

/** Those of a verified request, wherever they stand in it, by their names. */
export const readParameters = ({ url = '/', body }: ReceivedNotification): Readonly<Record<string, string>> =>
  Object.fromEntries([...formPairs(splitUrl(url).query, 'url'), ...formPairs(body, 'body')]);

export const authorizationPrefix = 'Signature ';
