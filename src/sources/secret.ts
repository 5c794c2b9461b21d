// A Kubernetes Secret as a source: watched by name through the API, without kubelet in between.
import type { Clock } from '../clock.ts';
import type { Observe } from '../events.ts';
import type { KubeClient } from '../kube/client.ts';
import { findCopies } from '../kube/copies.ts';
import { type Collection, type KubeObject, ownNamespace, secrets } from '../kube/resources.ts';
import { Informer } from '../kube/watch.ts';
import { Interruption } from './interruption.ts';
import { renameKeys } from './merge.ts';
import { type Copy, type Material, material, type Source } from './source.ts';
import { Ticks } from './ticks.ts';

export interface SecretOptions {
  readonly secret: string;
  /** The pod's own, unless it is given. */
  readonly namespace?: string;
  /** Material name → name of the Secret's key that holds it. */
  readonly keys?: Readonly<Record<string, string>>;
  readonly client: () => Promise<Pick<KubeClient, 'get' | 'list' | 'watch'>>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly observe: Observe;
}

/** So that a permission that is withdrawn, or an event that is missed, is known within a minute. */
const relistMilliseconds = 50_000;

/** How often it is asked whether it is blind; the API server is not asked. */
const pollMilliseconds = 10_000;

/** The watch tells of names and versions only: the data is fetched when it is read, and kept nowhere. */
export function secret({ secret: name, namespace, keys = {}, client, clock, random, observe }: SecretOptions): Source {
  const object: Collection & { readonly name: string } = {
    resource: secrets,
    namespace: namespace ?? ownNamespace,
    name,
  };
  const sourceName = `secret:${namespace === undefined ? '' : `${namespace}/`}${name}`;
  const interruption = new Interruption({ clock, random });

  return {
    name: sourceName,

    async read(signal): Promise<Material> {
      const { blindness } = interruption;
      if (blindness) throw blindness;
      const found = await interruption.outlast(async () => (await client()).get(object, signal), signal);
      const copies = copiesOf(found);
      return { ...secretMaterial(found, keys), ...(copies.length > 0 && { copies }) };
    },

    async *changes(signal) {
      const stop = new AbortController();
      const both = AbortSignal.any([signal, stop.signal]);
      const ticks = new Ticks({ clock, pollMilliseconds, settleMilliseconds: () => 0 });
      let isFound = false;
      const informer = new Informer({
        client,
        collection: { ...object, isMetadataOnly: true },
        name: sourceName,
        transform: () => undefined,
        changed: (_, foundBy) => {
          isFound = true;
          ticks.notify(foundBy === 'relist' ? 'poll' : 'event');
        },
        stands: () => interruption.end(),
        relistMilliseconds,
        clock,
        random,
        observe,
      });
      const following = interruption.follow(informer);
      const failures: unknown[] = [];
      const running = informer.run(both).catch((error: unknown) => {
        failures.push(error);
        stop.abort();
      });
      try {
        let wasBlind = false;
        for await (const tick of ticks.read(both)) {
          const isBlind = interruption.blindness !== undefined;
          const isNews = tick !== 'poll' || isFound || isBlind || wasBlind;
          [wasBlind, isFound] = [isBlind, false];
          if (isNews) yield tick;
        }
        if (failures.length > 0) throw failures[0];
      } finally {
        stop.abort();
        await running;
        following[Symbol.dispose]();
      }
    },
  };
}

/** What a Secret holds, as the API gives it. `keys`: as in the options of the source. */
export function secretMaterial(
  { metadata, data = {} }: KubeObject,
  keys: Readonly<Record<string, string>> = {},
): Material {
  const { resourceVersion: version, managedFields = [] } = metadata;
  const changedAt = latestWrite(managedFields);
  return material(renameKeys(decode(data as Readonly<Record<string, string>>), keys), {
    ...(version !== undefined && { version }),
    ...(changedAt && { changedAt }),
  });
}

const copiesOf = ({ metadata: { namespace = '', name, annotations } }: KubeObject): Copy[] =>
  findCopies(annotations).map((annotation) => ({ namespace, secret: name, annotation }));

/** Own members only: a key may be named as what every object has. */
const decode = (data: Readonly<Record<string, string>>): Map<string, Uint8Array> =>
  new Map(Object.entries(data).map(([key, base64]) => [key, Buffer.from(base64, 'base64')]));

/** To the second: the API keeps no finer time. */
function latestWrite(managed: readonly { readonly time?: string }[]): Date | undefined {
  const times = managed.map(({ time = '' }) => Date.parse(time)).filter((time) => !Number.isNaN(time));
  return times.length > 0 ? new Date(Math.max(...times)) : undefined;
}
