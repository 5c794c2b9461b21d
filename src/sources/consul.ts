// Keys of Consul under one prefix as a source. They are written one by one, so two reads must agree; a question that waits tells of changes.
import type { Clock } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import { type Consul, toError } from '../origins/consul/client.ts';
import { isMembers, malformed } from '../origins/content.ts';
import type { Reply } from '../origins/server.ts';
import { renameKeys } from './merge.ts';
import { type Material, material, type Source } from './source.ts';

export interface ConsulSourceOptions {
  readonly consul: Pick<Consul, 'list'>;
  /** Without a `/` at its end: what is under it counts. */
  readonly prefix: string;
  /** Material name → key under the prefix that holds it. */
  readonly keys?: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly random: () => number;
}

/** How long a question waits for a change: what is missed by whatever means is seen by then. */
const waitMilliseconds = 60_000;
/** Between two questions that came back at once, so that a busy prefix is not a loop without a pause. */
const shortestMilliseconds = 100;
const retryMilliseconds = 2000;

/** A writer of several keys needs a moment from one to the next. */
const settleMilliseconds = 50;
const attempts = 20;

export function consul(options: ConsulSourceOptions): Source {
  const { consul: client, keys = {}, clock, random } = options;
  const prefix = `${options.prefix}/`;
  const what = `read ${prefix}`;
  /** The index that was read last, or the code of what was wrong. */
  let seen: string | undefined;
  /** The read under way, or the last one. */
  let reading: Promise<undefined> | undefined;

  async function readOnce(signal: AbortSignal): Promise<Material> {
    const reply = await client.list(prefix, undefined, signal);
    if (reply.status !== 200) throw toError(reply, what);
    const version = String(indexOf(reply));
    seen = version;
    // A transaction is whole; what is written key by key may be a part of a set all the same.
    return material(renameKeys(dataOf(reply.content, prefix, what), keys), { version, mayBeTorn: true });
  }

  async function readNow(signal: AbortSignal): Promise<Material> {
    seen = undefined;
    try {
      let before = await readOnce(signal);
      for (let attempt = 0; attempt < attempts; attempt++) {
        await clock.sleep(settleMilliseconds, signal);
        signal.throwIfAborted();
        const again = await readOnce(signal);
        if (again.revision === before.revision) return again;
        before = again;
      }
      throw new PaycertError('source-unstable', `${prefix} changed during each of ${attempts} reads`);
    } catch (error) {
      if (error instanceof PaycertError) seen = error.code;
      throw error;
    }
  }

  /** What a read would find, once something has changed since that index; no index where Consul gives none. */
  async function look(index: number, signal: AbortSignal): Promise<{ state: string; next: number | undefined }> {
    try {
      const reply = await client.list(prefix, { index, waitMilliseconds }, signal);
      const next = indexOf(reply);
      if (reply.status === 200) return { state: String(next), next };
      return { state: toError(reply, what).code, next: reply.status === 404 ? next : undefined };
    } catch (error) {
      if (error instanceof PaycertError) return { state: error.code, next: undefined };
      throw error;
    }
  }

  return {
    name: `consul:${options.prefix}`,

    read(signal): Promise<Material> {
      const read = readNow(signal);
      reading = read.then(
        () => undefined,
        () => undefined,
      );
      return read;
    },

    async *changes(signal) {
      const isOver = () => signal.aborted;
      let index = 0;
      yield 'start';
      for (;;) {
        const found = await look(index, signal).catch((error: unknown) => {
          if (isOver()) return undefined;
          throw error;
        });
        // What it is about to see is no news.
        await reading;
        if (found === undefined || isOver()) return;
        const { state, next = 0 } = found;
        // Backwards: the servers are others, or hold less than they did. Everything may have changed.
        index = next < index ? 0 : next;
        if (state !== seen) yield 'event';
        const milliseconds = found.next === undefined ? retryMilliseconds * (0.5 + random()) : shortestMilliseconds;
        await clock.sleep(milliseconds, signal);
      }
    },
  };
}

/** At least 1, as Consul asks of who blocks: 0 would not wait. */
function indexOf({ headers }: Reply): number {
  const index = Number(headers['x-consul-index']);
  return Number.isSafeInteger(index) && index > 0 ? index : 1;
}

/** @throws PaycertError `response-malformed` */
function dataOf(content: unknown, prefix: string, what: string): Map<string, Uint8Array> {
  if (!Array.isArray(content)) throw malformed(what, 'Consul');
  const data = new Map<string, Uint8Array>();
  for (const entry of content as unknown[]) {
    const { Key: key, Value: value } = isMembers(entry) ? entry : {};
    if (typeof key !== 'string' || !key.startsWith(prefix) || (typeof value !== 'string' && value !== null))
      throw malformed(what, 'Consul');
    // A key that ends with / is a folder of Consul's pages.
    if (!key.endsWith('/')) data.set(key.slice(prefix.length), Buffer.from(value ?? '', 'base64'));
  }
  return data;
}
