// Source → Source: adds what responders say of our own certificates (OCSP). Where there is no response, the provider decides what that means.
import type { Clock } from '../clock.ts';
import type { Fetches } from '../providers/platform.ts';
import { linksOf, pathOf } from '../providers/shared/revocation-status.ts';
import type { Source } from '../sources/source.ts';
import { type Fetch, withFetched } from './with-fetched.ts';
import type { Responders } from './responders.ts';

type Asked = Pick<Fetches, 'chainsOf' | 'responseName'>;

export function withOcspResponses(source: Source, fetches: Asked, responders: Responders, clock: Clock): Source {
  return withFetched(source, (data) => planResponses(data, fetches, responders), clock);
}

function planResponses(
  data: ReadonlyMap<string, Uint8Array>,
  { chainsOf, responseName }: Asked,
  responders: Responders,
): Fetch {
  const links = chainsOf(data).flatMap(({ certificates: [leaf, ...chain], authorities }) =>
    linksOf(pathOf(leaf, [...chain, ...authorities])),
  );
  return async (signal) => {
    const answers = await Promise.all(links.map(([one, issuer]) => responders.ask(one, issuer, signal)));
    return new Map(answers.flatMap((answer, index) => (answer ? [[responseName(index), answer.der] as const] : [])));
  };
}
