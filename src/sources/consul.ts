// Keys of Consul under one prefix as a source. They are written one by one, so two reads must agree; a question that waits tells of changes.
import type { Clock } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import { type Consul, toError } from '../origins/consul/client.ts';
import { isMembers, malformed } from '../origins/content.ts';
import type { Reply } from '../origins/server.ts';
import { followed } from './followed.ts';
import { renameKeys } from './merge.ts';
import { type Material, material, type Source } from './source.ts';

export interface ConsulSourceOptions {
  readonly consul: Pick<Consul, 'read' | 'changed' | 'follow'>;
  /** Without a `/` at its end: what is under it counts. */
  readonly prefix: string;
  /** Material name → key under the prefix that holds it. */
  readonly keys?: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly random: () => number;
}

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

  async function readOnce(signal: AbortSignal): Promise<{ material: Material; state: string }> {
    const reply = await client.read(prefix, signal);
    if (reply.status !== 200) throw toError(reply, what);
    const state = String(indexOf(reply));
    const data = renameKeys(dataOf(reply.content, prefix, what), keys);
    // A transaction is whole; what is written key by key may be a part of a set all the same.
    return { material: material(data, { version: state, mayBeTorn: true }), state };
  }

  const source = followed<number>({
    name: `consul:${options.prefix}`,

    async read(signal) {
      let before = await readOnce(signal);
      for (let attempt = 0; attempt < attempts; attempt++) {
        await clock.sleep(settleMilliseconds, signal);
        signal.throwIfAborted();
        const again = await readOnce(signal);
        if (again.material.revision === before.material.revision) return again;
        before = again;
      }
      throw new PaycertError('source-unstable', `${prefix} changed during each of ${attempts} reads`);
    },

    follow() {
      let index = 0;
      return {
        /** Waits until something has changed since the index. */
        async look(signal) {
          const reply = await client.changed(prefix, index, signal);
          const position = indexOf(reply);
          if (reply.status === 200) return { state: String(position), position };
          const error = toError(reply, what);
          // Nothing is there, and Consul says as of which index.
          if (reply.status === 404) return { state: error.code, position };
          throw error;
        },

        async pause(position, signal) {
          const next = position ?? 0;
          // Backwards: the servers are others, or hold less than they did. Everything may have changed.
          index = next < index ? 0 : next;
          const milliseconds = position === undefined ? retryMilliseconds * (0.5 + random()) : shortestMilliseconds;
          await clock.sleep(milliseconds, signal);
        },
      };
    },
  });
  return {
    ...source,
    async *changes(signal) {
      using _ = client.follow();
      yield* source.changes(signal);
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
