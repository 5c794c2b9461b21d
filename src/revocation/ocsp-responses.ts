// Source → Source: adds what responders say of our own certificates (OCSP). Where there is no response, the provider decides what that means.
import type { Clock } from '../clock.ts';
import { responseName, readPairs } from '../providers/mtls/parts.ts';
import { linksOf, pathOf } from '../providers/mtls/revocation.ts';
import type { Source } from '../sources/source.ts';
import { type Fetch, withFetched } from './with-fetched.ts';
import type { Responders } from './responders.ts';

/** `named`: the pairs that server names choose. */
export function withOcspResponses(
  source: Source,
  named: ReadonlySet<string>,
  responders: Responders,
  clock: Clock,
): Source {
  return withFetched(source, (data) => planResponses(data, named, responders), clock);
}

function planResponses(
  data: ReadonlyMap<string, Uint8Array>,
  named: ReadonlySet<string>,
  responders: Responders,
): Fetch {
  const links = readPairs(data, named).pairs.flatMap(({ certificates: [leaf, ...chain], authorities }) =>
    linksOf(pathOf(leaf, [...chain, ...authorities])),
  );
  return async (signal) => {
    const answers = await Promise.all(links.map(([one, issuer]) => responders.ask(one, issuer, signal)));
    return new Map(answers.flatMap((answer, index) => (answer ? [[responseName(index), answer.der] as const] : [])));
  };
}
