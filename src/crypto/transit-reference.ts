// References to keys of transit: hashivault://KEY?version=3.
import type { ErrorCode } from '../errors.ts';

type Fail = (code: ErrorCode, what: string) => never;

/** One version of a key, as the material names it. No secret. */
export interface TransitReference {
  readonly service: 'hashivault';
  readonly key: string;
  readonly version: number;
}

/** What is behind `hashivault:`. */
export function readTransitReference(rest: string, fail: Fail): TransitReference {
  const [path = '', query] = rest.replace(/^\/\//, '').split('?', 2);
  if (/[/@:]/.test(path)) return fail('key-reference-refused', 'names a host or a path, which a reference may not');
  if (!/^\w(?:[\w.-]{0,126}\w)?$/.test(path))
    return fail('key-reference-malformed', 'does not name a key; write it as in hashivault://KEY?version=3');
  // Without it, another version would sign after a restart, and its certificate would still be the old one’s.
  if (query === undefined)
    return fail(
      'key-reference-malformed',
      `does not say which version of the key signs; write it as in hashivault://${path}?version=3`,
    );
  const [, version] = /^version=([1-9]\d{0,8})$/.exec(query) ?? [];
  if (version === undefined)
    return fail('key-reference-malformed', 'has something else than a number of a version behind ?version=');
  return { service: 'hashivault', key: path, version: Number(version) };
}

export const textOfTransitReference = ({ key, version }: TransitReference): string =>
  `hashivault://${key}?version=${String(version)}`;
