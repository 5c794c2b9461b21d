// Source → Source: adds the revocation lists that it downloads. Lists that cannot be fetched are omitted; the provider decides what that means.
import type { X509Certificate } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { derTag } from '../crypto/der.ts';
import { readRevocationLists, type RevocationList } from '../crypto/revocation.ts';
import { PaycertError } from '../errors.ts';
import type { Fetches } from '../providers/platform.ts';
import { digestInTurns, type Source } from '../sources/source.ts';
import { Slots } from '../system/slots.ts';
import { refusedAddresses, refusedThoughConfigured } from './addresses.ts';
import { download } from './download.ts';
import { type Fetch, withFetched } from './with-fetched.ts';

const hour = 60 * 60 * 1000;
/** After a failure; and how long one download may take. */
const retryMilliseconds = 60_000;
const timeoutMilliseconds = 10_000;
const maxBytes = 16 * 1024 * 1024;

/** Almost every list is smaller. What is larger is received one after the other, and kept only where it is known to be genuine. */
const largeBytes = 1024 * 1024;
/** Of all lists that are downloaded for one credential. */
const maxKeptBytes = 2 * maxBytes;
/** A stranger on the path can answer every request with as much as it may be. */
const largeSlots = new Slots(1);

interface Download {
  readonly list: Downloaded | undefined;
  readonly dueAt: number;
}

interface Downloaded {
  readonly bytes: Uint8Array;
  /** The first, of several in PEM. */
  readonly list: RevocationList;
}

export function withRevocationLists(
  source: Source,
  { listUrls: urls, chainsOf, listName }: Pick<Fetches, 'listUrls' | 'chainsOf' | 'listName'>,
  clock: Clock,
): Source {
  if (urls.length === 0) return source;
  const downloads = new Map<string, Download>();

  /** The list as it was last had: its own age is checked where it is used. */
  async function look(url: string, authorities: readonly X509Certificate[], signal: AbortSignal) {
    const known = downloads.get(url);
    const now = clock.now();
    if (known !== undefined && now.getTime() < known.dueAt) return known.list;
    using held = new DisposableStack();
    const takeSlot = async (limit: AbortSignal) => void held.use(await largeSlots.take(limit));
    const fetched = await fetchList(url, signal, takeSlot);
    const offered = fetched && (await isKept(url, fetched, authorities)) ? fetched : undefined;
    const dueAt = now.getTime() + (offered === undefined ? retryMilliseconds : hour);
    const list = await better(known?.list, offered, authorities, now);
    downloads.set(url, { list, dueAt });
    return list;
  }

  /** Otherwise a stranger who answers for the addresses could fill the memory, though he can sign nothing. */
  async function isKept(url: string, offered: Downloaded, authorities: readonly X509Certificate[]): Promise<boolean> {
    if (offered.bytes.byteLength <= largeBytes) return true;
    if (!(await isSigned(offered, authorities))) return false;
    const others = [...downloads].filter(([other]) => other !== url);
    const kept = others.reduce((sum, [, { list }]) => sum + (list?.bytes.byteLength ?? 0), 0);
    return kept + offered.bytes.byteLength <= maxKeptBytes;
  }

  const plan = (data: ReadonlyMap<string, Uint8Array>): Fetch => {
    const authorities = chainsOf(data).flatMap((chain) => [...chain.certificates, ...chain.authorities]);
    return async (signal) => {
      const lists = await Promise.all(urls.map((url) => look(url, authorities, signal)));
      return new Map(lists.flatMap((list, index) => (list ? [[listName(index), list.bytes] as const] : [])));
    };
  };

  return withFetched(source, plan, clock);
}

/**
 * Anybody on the network can answer with anything, such as with the list of yesterday, which is still fresh and has one name
 * less. So none gives way to an older one, or, where the material has its authority, to one that no authority of the material has
 * signed. Of the others nobody can tell here whether they are genuine: one of the future must not stand in the way for years.
 */
async function better(
  known: Downloaded | undefined,
  offered: Downloaded | undefined,
  authorities: readonly X509Certificate[],
  now: Date,
): Promise<Downloaded | undefined> {
  if (known === undefined || offered === undefined) return offered ?? known;
  const [isKnownTrusted, isOfferedTrusted] = [await isSigned(known, authorities), await isSigned(offered, authorities)];
  if (isKnownTrusted !== isOfferedTrusted) return isKnownTrusted ? known : offered;
  return known.list.thisUpdate <= now && offered.list.thisUpdate < known.list.thisUpdate ? known : offered;
}

async function isSigned({ list }: Downloaded, authorities: readonly X509Certificate[]): Promise<boolean> {
  for (const authority of authorities) if (await list.isOf(authority)) return true;
  return false;
}

/** RFC 5280 §4.2.1.13 has DER; a list in PEM is read too where that takes no time. */
const maxPemBytes = largeBytes;

/** Over plain HTTP too: a list is signed. Undefined where none is available, or what is there is not a list. */
async function fetchList(
  url: string,
  signal: AbortSignal,
  takeSlot: (limit: AbortSignal) => Promise<void>,
): Promise<Downloaded | undefined> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMilliseconds)]);
  const refused = { configured: refusedThoughConfigured(), others: refusedAddresses() };
  const large = { bytes: largeBytes, wait: () => takeSlot(limit) };
  const bytes = await download(url, refused, { maxBytes, large, signal: limit });
  if (bytes === undefined || (bytes[0] !== derTag.sequence && bytes.length > maxPemBytes)) return undefined;
  try {
    await digestInTurns(bytes);
    const [list] = readRevocationLists(bytes, 'url');
    return list && { bytes, list };
  } catch (error) {
    if (error instanceof PaycertError) return undefined;
    throw error;
  }
}
