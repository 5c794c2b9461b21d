// Source → Source: adds the revocation lists that it downloads. One that cannot be had is left out, and what then holds is the provider's to say.
import type { Clock } from '../clock.ts';
import { readRevocationList } from '../crypto/revocation.ts';
import { PaycertError } from '../errors.ts';
import type { Source } from '../sources/source.ts';
import { withFetched } from './fetched.ts';

const hour = 60 * 60 * 1000;
/** After a failure; and how long one download may take. */
const retryMilliseconds = 60_000;
const timeoutMilliseconds = 10_000;
const maxBytes = 16 * 1024 * 1024;

interface Download {
  readonly bytes: Uint8Array | undefined;
  readonly dueAt: number;
}

export function withRevocationLists(source: Source, urls: readonly string[], clock: Clock): Source {
  if (urls.length === 0) return source;
  const downloads = new Map<string, Download>();

  /** The list as it was last had: what it says of its own age is judged where it is used. */
  async function look(url: string, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const known = downloads.get(url);
    const now = clock.now().getTime();
    if (known !== undefined && now < known.dueAt) return known.bytes;
    const bytes = await download(url, signal);
    const next = { bytes: bytes ?? known?.bytes, dueAt: now + (bytes === undefined ? retryMilliseconds : hour) };
    downloads.set(url, next);
    return next.bytes;
  }

  async function fetchLists(signal: AbortSignal): Promise<ReadonlyMap<string, Uint8Array>> {
    const lists = await Promise.all(urls.map((url) => look(url, signal)));
    return new Map(lists.flatMap((bytes, index) => (bytes ? [[`ca.crl.${index}`, bytes] as const] : [])));
  }

  return withFetched(source, () => fetchLists, clock);
}

/** Over plain HTTP too: a list is signed. Nothing where it cannot be had, or is none. */
async function download(url: string, signal: AbortSignal): Promise<Uint8Array | undefined> {
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
    readRevocationList(bytes, 'url');
    return bytes;
  } catch (error) {
    // fetch says TypeError for everything that the network does, and DOMException for a timeout.
    if (error instanceof PaycertError || error instanceof TypeError || error instanceof DOMException) return undefined;
    throw error;
  }
}
