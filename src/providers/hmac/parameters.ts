// The parameters of a request as one scheme signs them: which belong to the scheme itself, and the text over all of them.
import type { Pair } from '../shared/parameters.ts';
import type { Settings } from './options.ts';
import { schemes } from './schemes.ts';

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

export const authorizationPrefix = 'Signature ';
