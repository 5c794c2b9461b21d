// The local API: its rows. Every call takes one snapshot and answers once.
import type { RequestListener } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import type { Observe } from '../events.ts';
import { randomNonce } from '../nonce.ts';
import { type Around, assertAwaited, type Call, itemOf } from '../store/call.ts';
import { platforms } from '../providers/registry.ts';
import type { Platform } from '../providers/platform.ts';
import type { SignedMemory } from '../store/signed-memory.ts';
import type { Snapshot } from '../store/snapshot.ts';
import { CredentialUse } from '../store/credential-use.ts';
import type { Remember, UseOptions, Witness } from '../store/one-use.ts';
import { within } from '../store/use.ts';
import { validator } from '../validation.ts';
import { readJson } from './body.ts';
import { callOf } from './caller.ts';
import { describeCredential } from './credential-status.ts';
import { batchSchemas, openApiDocument } from './openapi.ts';
import { type Operation, operations, type Use } from './operations.ts';
import { describeProcess, type ProcessFacts } from './process-status.ts';
import { type ProblemBody, problemOf, toPaycertError } from './problem.ts';
import { json, jsonReply, type Reply, type Route, type RouteCall, serveRoutes } from './routes.ts';
import * as schema from './schema.ts';
import type { TraceOf } from '../trace.ts';

export interface Api extends ProcessFacts {
  readonly clock: Clock;
  readonly observe: Observe;
  /** What surrounds each use of a credential. */
  readonly around: Around;
  readonly maxBodyBytes: number;
  /** What was signed last, where the configuration says so. */
  readonly memory?: SignedMemory | undefined;
  readonly witness?: Witness | undefined;
  /** Absent: nothing is traced. */
  readonly traceOf?: TraceOf | undefined;
}

const validateBatch = validator(schema.BatchRequest, 'request-invalid');

/** The API of one listener. Its name is what is known of its callers. */
export function createApi(api: Api, listener: string): RequestListener {
  const unknown = 'there is no such route';
  return serveRoutes(apiRoutes(api, listener), { where: 'api', unknown, observe: api.observe });
}

export function apiRoutes(api: Api, listener: string): readonly Route[] {
  const { store, clock, version } = api;
  const get = (path: Route['path'], operationId: string, summary: string) => ({ method: 'GET', path, type: json, operationId, summary }) as const; // prettier-ignore
  const routes: readonly Route[] = [
    ...operations.flatMap((operation) => operationRoutes(api, listener, operation)),
    {
      ...get('/v1/credentials', 'listCredentials', 'Every credential and its keys; no secret.'),
      result: schema.CredentialList,
      run: () => jsonReply({ credentials: store.entries().map((entry) => describeCredential(entry, clock.now())) }),
    },
    {
      ...get('/v1/credentials/{name}', 'getCredential', 'One credential and its keys; no secret.'),
      result: schema.CredentialStatus,
      run: ({ parameters: { name = '' } }) => jsonReply(describeCredential(store.entry(name), clock.now())),
    },
    {
      ...get('/statusz', 'getStatus', 'The process and every credential.'),
      result: schema.ProcessStatus,
      run: () => jsonReply(describeProcess(api, clock.now())),
    },
    {
      ...get('/signed/{nonce}', 'getSigned', 'What was signed with this nonce: names, lengths and a digest, no text.'),
      result: schema.SignedList,
      run: ({ parameters: { nonce = '' } }) => jsonReply(describeSigned(api, nonce)),
    },
    {
      ...get('/openapi.json', 'getOpenApi', 'This document.'),
      result: { type: 'object' },
      run: () => jsonReply(openApiDocument(version, routes)),
    },
  ];
  return routes;
}

function operationRoutes(api: Api, listener: string, operation: Operation): readonly Route[] {
  const { name: operationId, summary, request, result, isBatchable } = operation;
  const path = `/v1/credentials/{name}/${operationId}` as const;
  const post = { method: 'POST', type: json } as const;
  const one: Route = {
    ...{ ...post, path, operationId, summary, request, result },
    run: (call) => runOne(api, operation, listener, call),
  };
  const batch: Route = {
    ...{ ...post, path: `${path}/batch`, operationId: `${operationId}Batch` },
    summary: `${summary} Up to ${schema.maxBatch} at once.`,
    ...batchSchemas(request, result),
    run: async (call) => jsonReply(await runBatch(api, operation, listener, call)),
  };
  return isBatchable ? [one, batch] : [one];
}

/** The body of its request: a name that is unknown is answered before it is read, and never becomes a label. */
function read({ store, maxBodyBytes }: Api, { parameters: { name = '' }, request }: RouteCall): Promise<unknown> {
  store.entry(name);
  return readJson(request, maxBodyBytes);
}

/** To be made when its body has been read: what it takes for now is that time. */
function callFrom({ clock, traceOf }: Api, { name: operation }: Operation, listener: string, route: RouteCall): Call {
  const { parameters, gone: signal } = route;
  const { name: credential = '' } = parameters;
  return callOf(route, { listener, credential, operation, startedAt: clock.now(), signal, traceOf });
}

async function runOne(api: Api, operation: Operation, listener: string, route: RouteCall): Promise<Reply> {
  const input = await read(api, route);
  const call = callFrom(api, operation, listener, route);
  return jsonReply(await api.around(call, () => operation.run(input, begin(api, call))));
}

function begin(api: Api, call: Call, snapshot: Snapshot = api.store.current(call.credential)): Use {
  return new CredentialUse(snapshot, within(call), usesOf(api));
}

const knownUses = new WeakMap<Api, UseOptions>();

/** Made once, and not for each call. */
function usesOf(api: Api): UseOptions {
  const { observe, witness } = api;
  const uses = knownUses.get(api) ?? { observe, nonce: randomNonce, remember: remembering(api), witness };
  knownUses.set(api, uses);
  return uses;
}

const refusals: Readonly<Record<string, Platform['refusals']>> = Object.fromEntries(
  Object.entries<Platform>(platforms).map(([id, platform]) => [id, platform.refusals]),
);

/** Platforms that say nothing of what they built have nothing to compare it with. */
const remembering = ({ memory, store }: Api): Remember | undefined =>
  memory &&
  ((call, sent) => {
    const reading = store.has(call.credential) ? refusals[store.entry(call.credential).provider] : undefined;
    if (reading !== undefined) memory.note(call, sent, reading);
  });

/** @throws PaycertError `signed-unknown` */
function describeSigned({ memory }: Api, nonce: string): object {
  const unknown = (why: string) => new PaycertError('signed-unknown', why, { field: 'nonce' });
  if (memory === undefined) throw unknown('this sidecar remembers nothing that it signed');
  const signed = memory.find(decoded(nonce));
  if (signed.length === 0) throw unknown('nothing that is remembered was signed with this nonce');
  return { signed: signed.map(({ at, ...record }) => ({ at: at.toISOString(), ...record })) };
}

/** As it stands in a path. One that is not percent-encoded right was not signed either. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/**
 * How many items of a batch are under way at once: more than the pool takes, so that it never waits for the next. All of
 * them at once would outlive several collections of garbage, and 32 callers with batches of 64 fill the old generation.
 */
const itemsAtOnce = 8;

/** In order, as one call on one snapshot; each item fails alone. */
async function runBatch(
  api: Api,
  operation: Operation,
  listener: string,
  route: RouteCall,
): Promise<{ items: object[] }> {
  const { items } = validateBatch(await read(api, route));
  // Not alone: its items have each other.
  const call = { ...callFrom(api, operation, listener, route), alone: undefined };
  const use = await startBatch(api, call);
  const results: object[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) {
      // Others get the event loop: 16 verifications take half a millisecond.
      if (index % 16 === 15) await setImmediate();
      assertAwaited(call);
      try {
        results[index] = { result: await api.around(itemOf(call), () => operation.run(items[index], use)) };
      } catch (error) {
        results[index] = { problem: problemOfItem(api, call, error) };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(itemsAtOnce, items.length) }, work));
  return { items: results };
}

/** A batch that cannot start is one call that was not ready. */
async function startBatch(api: Api, call: Call): Promise<Use> {
  const { snapshot } = api.store.entry(call.credential);
  return snapshot ? begin(api, call, snapshot) : api.around(call, async () => begin(api, call));
}

function problemOfItem({ observe }: Api, { credential }: Call, error: unknown): ProblemBody {
  const known = toPaycertError(error);
  if (known.kind === 'internal') observe({ type: 'internal-error', where: 'api', credential, error });
  return problemOf(known);
}
