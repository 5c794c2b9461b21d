// The calls that we make to the API server, typed.
import type { IncomingMessage } from 'node:http';
import { PaycertError } from '../errors.ts';
import { type Access, type Environment, findAccess } from './access.ts';
import { malformed } from './responses.ts';
import type { RateLimit } from './rate-limit.ts';
import type { ServerClock } from './server-clock.ts';
import { type Call, readChunks, readJson, send } from './request.ts';
import {
  type Collection,
  describeCall,
  type KubeObject,
  type Page,
  pods,
  type Target,
  type WatchEvent,
} from './resources.ts';
import { readBytes } from '../system/request.ts';
import { isObject, readEvents } from './watch-lines.ts';

export interface PodPort {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
  readonly path: `/${string}`;
}

export interface ClientOptions {
  /** How many calls a second it makes. */
  readonly limit?: RateLimit;
  /** Receives the time of each response. */
  readonly serverClock?: ServerClock;
}

/** Every call throws a PaycertError of kind source, or the signal's reason. */
export class KubeClient {
  readonly #find: () => Promise<Access>;
  readonly #options: ClientOptions;
  #access: Promise<Access> | undefined;

  constructor(find: () => Promise<Access>, options: ClientOptions = {}) {
    this.#find = find;
    this.#options = options;
  }

  async get(object: Target, signal: AbortSignal): Promise<KubeObject> {
    const target = await this.#resolve(object);
    const what = describeCall('get', target);
    const path = pathOf(target, object.name);
    return asObject(await this.#json({ method: 'GET', path, what }, signal), what);
  }

  async list(
    collection: Collection,
    page: { readonly limit: number; readonly continue?: string },
    signal: AbortSignal,
  ): Promise<Page> {
    const target = await this.#resolve(collection);
    const what = describeCall('list', target);
    const query = { ...selectors(collection), limit: String(page.limit), continue: page.continue };
    const path = `${pathOf(target)}${toQuery(query)}`;
    const accept = acceptOf(collection, 'PartialObjectMetadataList');
    const answer = (await this.#json({ method: 'GET', path, ...accept, what }, signal)) as Partial<{
      items: readonly unknown[] | null;
      metadata: { resourceVersion?: string; continue?: string };
    }> | null;
    const items = answer?.items ?? [];
    const { resourceVersion, continue: next = '' } = answer?.metadata ?? {};
    if (!Array.isArray(items) || typeof resourceVersion !== 'string') throw malformed(what);
    return { items: items.map((item) => asObject(item, what)), resourceVersion, continue: next };
  }

  /** Resolves when the server has accepted the watch; what it yields ends when the server says so. */
  async watch(
    collection: Collection,
    from: { readonly resourceVersion: string; readonly timeoutSeconds: number },
    signal: AbortSignal,
  ): Promise<AsyncIterable<WatchEvent>> {
    const target = await this.#resolve(collection);
    const what = describeCall('watch', target);
    const query = {
      ...selectors(collection),
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: from.resourceVersion,
      timeoutSeconds: String(from.timeoutSeconds),
    };
    const path = `${pathOf(target)}${toQuery(query)}`;
    const accept = acceptOf(collection, 'PartialObjectMetadata');
    const answer = await this.#send({ method: 'GET', path, ...accept, what }, signal);
    // Quiet is normal from here on; the watcher has a limit of its own.
    answer.socket.setTimeout(0);
    return readEvents(readChunks(answer, what, signal), what);
  }

  /**
   * What a port of a Pod answers to a GET, through the API server and with its caller's own rights.
   * @throws TooLarge, a PaycertError of kind source, or the signal's reason
   */
  async getFromPod({ namespace, name, port, path }: PodPort, maxBytes: number, signal: AbortSignal): Promise<Buffer> {
    const target = { resource: pods, namespace, name, subresource: 'proxy' };
    const what = describeCall('get', target);
    const through = pathOf(target, `${name}:${String(port)}`, 'proxy');
    return readBytes(await this.#send({ method: 'GET', path: `${through}${path}`, what }, signal), maxBytes, signal);
  }

  /** An object, or what a subresource of one takes, such as an eviction of a Pod. */
  async create(target: Target, object: KubeObject, signal: AbortSignal): Promise<KubeObject> {
    return this.#write('create', target, { method: 'POST', body: object }, signal);
  }

  /** What would be stored, after everything that changes it: nothing is. */
  async rehearse(target: Target, object: KubeObject, signal: AbortSignal): Promise<KubeObject> {
    return this.#write('create', target, { method: 'POST', body: object, query: { dryRun: 'All' } }, signal);
  }

  /** Replaces the object that has this resource version. @throws PaycertError `object-conflict` when it has another by now */
  async replace(target: Target, object: KubeObject, signal: AbortSignal): Promise<KubeObject> {
    return this.#write('update', target, { method: 'PUT', body: object }, signal);
  }

  /** Changes what the operations name (RFC 6902), all of them or none. The fields are ours from now on. */
  async change(
    target: Target,
    operations: readonly Operation[],
    fieldManager: string,
    signal: AbortSignal,
  ): Promise<KubeObject> {
    const contentType = 'application/json-patch+json';
    return this.#write('patch', target, { method: 'PATCH', body: operations, contentType, query: { fieldManager } }, signal); // prettier-ignore
  }

  /** Changes only the fields that are given (RFC 7386); null removes one. */
  async merge(target: Target, changes: object, signal: AbortSignal): Promise<KubeObject> {
    const contentType = 'application/merge-patch+json';
    return this.#write('patch', target, { method: 'PATCH', body: changes, contentType }, signal);
  }

  async #write(verb: string, object: Target, { query = {}, ...call }: Write, signal: AbortSignal): Promise<KubeObject> {
    const target = await this.#resolve(object);
    const what = describeCall(verb, target);
    const isNew = call.method === 'POST' && object.subresource === undefined;
    const path = pathOf(target, ...(isNew ? [] : [object.name, object.subresource]));
    return asObject(await this.#json({ ...call, path: `${path}${toQuery(query)}`, what }, signal), what);
  }

  /** With the namespace by its name: the reader of an error must know where. */
  async #resolve(collection: Collection): Promise<Resolved> {
    const { namespace, ...rest } = collection;
    if (namespace === undefined) return rest;
    return { ...rest, namespace: typeof namespace === 'string' ? namespace : (await this.#connect()).namespace };
  }

  async #connect(): Promise<Access> {
    this.#access ??= this.#find();
    try {
      return await this.#access;
    } catch (error) {
      this.#access = undefined;
      throw error;
    }
  }

  async #send(call: Call, signal: AbortSignal): Promise<IncomingMessage> {
    const { limit, serverClock } = this.#options;
    await limit?.wait(signal);
    const access = await this.#connect();
    const sentAt = serverClock?.now();
    try {
      return await send(access, call, signal, (date) => {
        if (sentAt) serverClock?.compare(sentAt, date);
      });
    } catch (error) {
      // A kubeconfig may have changed since: the address, the CA, or who we are.
      if (error instanceof PaycertError && mayBeStale.has(error.code)) this.#access = undefined;
      throw error;
    }
  }

  async #json(call: Call, signal: AbortSignal): Promise<unknown> {
    return readJson(await this.#send(call, signal), call.what, signal);
  }
}

/** Of a JSON patch. */
export interface Operation {
  readonly op: string;
  readonly path: string;
  readonly value?: unknown;
}

interface Write extends Pick<Call, 'method' | 'body' | 'contentType'> {
  readonly query?: Readonly<Record<string, string>>;
}

interface Resolved extends Collection {
  readonly namespace?: string;
}

function pathOf({ resource, namespace }: Resolved, ...within: readonly (string | undefined)[]): string {
  const { group, version, plural } = resource;
  const where = namespace === undefined ? [] : ['namespaces', namespace];
  const parts = [...where, plural, ...within].filter((part) => part !== undefined);
  return [group === '' ? `/api/${version}` : `/apis/${group}/${version}`, ...parts.map(encodeURIComponent)].join('/');
}

const mayBeStale: ReadonlySet<string> = new Set(['cluster-unauthenticated', 'cluster-unreachable']);

/** Nothing is read or loaded before the first call. */
export const connect = (environment: Environment, options?: ClientOptions): KubeClient =>
  new KubeClient(() => findAccess(environment), options);

const selectors = ({ name, fieldSelector, labelSelector }: Collection) => ({
  // The one form of list and watch that a Role with `resourceNames` permits.
  fieldSelector: [...(name === undefined ? [] : [`metadata.name=${name}`]), fieldSelector ?? []].flat().join(','),
  labelSelector,
});

function toQuery(parameters: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(parameters).filter(([, value = '']) => value !== '') as [string, string][];
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
}

const acceptOf = ({ isMetadataOnly = false }: Collection, kind: string) =>
  isMetadataOnly ? { accept: `application/json;as=${kind};g=meta.k8s.io;v=v1` } : {};

function asObject(value: unknown, what: string): KubeObject {
  if (!isObject(value)) throw malformed(what);
  return value;
}
