// Source → Source: adds the revocation lists that it downloads. One that cannot be had is left out, and what then holds is the provider's to say.
import type { X509Certificate } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { readRevocationLists, type RevocationList } from '../crypto/revocation.ts';
import { PaycertError } from '../errors.ts';
import { readPairs } from '../providers/mtls/parts.ts';
import type { Source } from '../sources/source.ts';
import { type Fetch, withFetched } from './with-fetched.ts';

const hour = 60 * 60 * 1000;
/** After a failure; and how long one download may take. */
const retryMilliseconds = 60_000;
const timeoutMilliseconds = 10_000;
const maxBytes = 16 * 1024 * 1024;

interface Download {
  readonly list: Downloaded | undefined;
  readonly dueAt: number;
}

interface Downloaded {
  readonly bytes: Uint8Array;
  /** The first, of several in PEM. */
  readonly list: RevocationList;
}

/** `named`: the pairs that server names choose. */
export function withRevocationLists(
  source: Source,
  urls: readonly string[],
  named: ReadonlySet<string>,
  clock: Clock,
): Source {
  if (urls.length === 0) return source;
  const downloads = new Map<string, Download>();

  /** The list as it was last had: what it says of its own age is judged where it is used. */
  async function look(url: string, authorities: readonly X509Certificate[], signal: AbortSignal) {
    const known = downloads.get(url);
    const now = clock.now();
    if (known !== undefined && now.getTime() < known.dueAt) return known.list;
    const offered = await download(url, signal);
    const dueAt = now.getTime() + (offered === undefined ? retryMilliseconds : hour);
    const list = better(known?.list, offered, authorities, now);
    downloads.set(url, { list, dueAt });
    return list;
  }

  const plan = (data: ReadonlyMap<string, Uint8Array>): Fetch => {
    const authorities = readPairs(data, named).pairs.flatMap((pair) => [...pair.certificates, ...pair.authorities]);
    return async (signal) => {
      const lists = await Promise.all(urls.map((url) => look(url, authorities, signal)));
      return new Map(lists.flatMap((list, index) => (list ? [[`ca.crl.${index}`, list.bytes] as const] : [])));
    };
  };

  return withFetched(source, plan, clock);
}

/**
 * Whoever stands between can answer with anything, such as with the list of yesterday, which is still fresh and has one name
 * less. So none gives way to an older one, or, where the material has its authority, to one that no authority of the material has
 * signed. Of the others nobody can tell here whether they are genuine: one of the future must not stand in the way for years.
 */
function better(
  known: Downloaded | undefined,
  offered: Downloaded | undefined,
  authorities: readonly X509Certificate[],
  now: Date,
): Downloaded | undefined {
  if (known === undefined || offered === undefined) return offered ?? known;
  const isBelieved = ({ list }: Downloaded) => authorities.some((one) => list.isOf(one));
  if (isBelieved(known) !== isBelieved(offered)) return isBelieved(known) ? known : offered;
  return known.list.thisUpdate <= now && offered.list.thisUpdate < known.list.thisUpdate ? known : offered;
}

/** Over plain HTTP too: a list is signed. Nothing where it cannot be had, or is none. */
async function download(url: string, signal: AbortSignal): Promise<Downloaded | undefined> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMilliseconds)]) });
    if (!answer.ok || answer.body === null) return undefined;
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
      chunks.push(chunk);
      length += chunk.byteLength;
      if (length > maxBytes) return undefined;
    }
    const bytes = Buffer.concat(chunks);
    const [list] = readRevocationLists(bytes, 'url');
    return list && { bytes, list };
  } catch (error) {
    // fetch says TypeError for everything that the network does, and DOMException for a timeout.
    if (error instanceof PaycertError || error instanceof TypeError || error instanceof DOMException) return undefined;
    throw error;
  }
}
