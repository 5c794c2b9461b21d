// The local API: routes, limits, errors as problems. Every call takes one snapshot and answers once.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import { isolate, type Observe } from '../events.ts';
import type { Store } from '../store/store.ts';
import { validator } from '../validation.ts';
import { BatchedWrites } from './batched-writes.ts';
import { readJson } from './body.ts';
import { openApiDocument } from './openapi.ts';
import { type Operation, operations, type Run } from './operations.ts';
import { outcomeOf, problemOf, toPaycertError } from './problem.ts';
import { BatchRequest } from './schema.ts';
import { describeCredential, isProcessReady } from './status.ts';

export interface Api {
  readonly store: Store;
  readonly clock: Clock;
  readonly observe: Observe;
  readonly maxBodyBytes: number;
  readonly version: string;
  readonly startedAt: Date;
}

const byName = new Map(operations.map((operation) => [operation.name, operation]));
const validateBatch = validator(BatchRequest, 'request-invalid');
const json = 'application/json';

export function createApi(api: Api): RequestListener {
  const isolated = { ...api, observe: isolate(api.observe) };
  const answers = new BatchedWrites();
  return (request, response) => void answer(isolated, answers, request, response);
}

async function answer(
  api: Api,
  answers: BatchedWrites,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const body = JSON.stringify(await route(api, request, response));
    answers.push(() => send(response, 200, json, body));
  } catch (error) {
    const known = toPaycertError(error);
    if (known.kind === 'internal') api.observe({ type: 'internal-error', where: 'api', error });
    sendProblem(request, response, known);
  }
}

const problemJson = 'application/problem+json';

/** BatchedWrites an error, at once, whether or not the body has been read. */
export function sendProblem(request: IncomingMessage, response: ServerResponse, error: PaycertError): void {
  const problem = problemOf(error);
  if (problem.status === 503) response.setHeader('Retry-After', '1');
  if (problem.status === 401) response.setHeader('WWW-Authenticate', 'Bearer');
  const body = JSON.stringify(problem);
  if (request.complete || request.destroyed) send(response, problem.status, problemJson, body);
  else sendEarly(request, response, problem.status, body);
}

export function send(response: ServerResponse, status: number, type: string, body: string): void {
  setHead(response, status, type, body);
  response.end(body);
}

function setHead(response: ServerResponse, status: number, type: string, body: string): void {
  response.statusCode = status;
  response.setHeader('Content-Type', type);
  response.setHeader('Content-Length', Buffer.byteLength(body));
}

/** How long a caller may go on sending a body that nobody reads. */
const lingerMilliseconds = 2000;

/**
 * A connection that is closed while its caller still sends is reset, and the caller sees that instead of the answer
 * (RFC 9112 §9.6). So the answer goes out, what is left of the body is dropped, and then the connection closes.
 */
function sendEarly(request: IncomingMessage, response: ServerResponse, status: number, body: string): void {
  setHead(response, status, problemJson, body);
  response.setHeader('Connection', 'close');
  response.write(body);
  const end = () => {
    clearTimeout(deadline);
    response.end();
  };
  const deadline = setTimeout(end, lingerMilliseconds);
  request.once('end', end).once('close', end).resume();
}

async function route(api: Api, request: IncomingMessage, response: ServerResponse): Promise<unknown> {
  const [path = ''] = (request.url ?? '').split('?', 1);
  const [, v1, credentials, name, operationName, batch, ...rest] = path.split('/');
  if (v1 === 'v1' && credentials === 'credentials' && rest.length === 0) {
    const operation = operationName === undefined ? undefined : byName.get(operationName);
    if (operation && name && (batch === undefined || (batch === 'batch' && operation.isBatchable))) {
      assertMethod(request, response, 'POST');
      return batch === undefined ? runOne(api, request, name, operation) : runBatch(api, request, name, operation);
    }
    if (operationName === undefined) {
      assertMethod(request, response, 'GET');
      const now = api.clock.now();
      if (name === undefined)
        return { credentials: api.store.entries().map((entry) => describeCredential(entry, now)) };
      return describeCredential(api.store.entry(name), now);
    }
  }
  const page = pages[path];
  if (page === undefined) throw new PaycertError('route-unknown', 'there is no such route');
  assertMethod(request, response, 'GET');
  return page(api);
}

const pages: Readonly<Record<string, (api: Api) => unknown>> = {
  __proto__: null as never,
  '/openapi.json': ({ version }) => openApiDocument(version),
  '/statusz': ({ store, clock, version, startedAt }) => {
    const now = clock.now();
    const credentials = store.entries().map((entry) => describeCredential(entry, now));
    return { version, startedAt: startedAt.toISOString(), ready: isProcessReady(store, now), credentials };
  },
};

function assertMethod(request: IncomingMessage, response: ServerResponse, method: string): void {
  if (request.method === method) return;
  response.setHeader('Allow', method);
  throw new PaycertError('method-not-allowed', `this route answers ${method}`);
}

async function runOne(api: Api, request: IncomingMessage, name: string, operation: Operation): Promise<object> {
  // Unknown names are answered before the body is read, and never become a metric's label.
  api.store.entry(name);
  const input = await readJson(request, api.maxBodyBytes);
  return timed(api, name, operation, () => operation.run(input, startRun(api, name)));
}

/**
 * How many items of a batch are under way at once: more than the pool takes, so that it never waits for the next. All of
 * them at once would outlive several collections of garbage, and 32 callers with batches of 64 fill the old generation.
 */
const itemsAtOnce = 8;

/** In order, on one snapshot, under one fairness key; each item fails alone. */
async function runBatch(
  api: Api,
  request: IncomingMessage,
  name: string,
  operation: Operation,
): Promise<{ items: object[] }> {
  api.store.entry(name);
  const { items } = validateBatch(await readJson(request, api.maxBodyBytes));
  const run = await startBatch(api, name, operation);
  const results: object[] = [];
  const rest = items.entries();
  const work = async (): Promise<void> => {
    for (const [index, item] of rest) {
      // Others get the event loop: 16 verifications take half a millisecond.
      if (index % 16 === 15) await setImmediate();
      results[index] = await runItem(api, operation, item, run);
    }
  };
  await Promise.all(Array.from({ length: Math.min(itemsAtOnce, items.length) }, work));
  return { items: results };
}

/** A batch that cannot start is one operation that was not ready. */
async function startBatch(api: Api, name: string, operation: Operation): Promise<Run> {
  const { snapshot } = api.store.entry(name);
  return snapshot ? startRun(api, name) : timed(api, name, operation, async () => startRun(api, name));
}

async function runItem(api: Api, operation: Operation, item: unknown, run: Run): Promise<object> {
  const { credential: name } = run;
  try {
    return { result: await timed(api, name, operation, () => operation.run(item, run)) };
  } catch (error) {
    const known = toPaycertError(error);
    if (known.kind === 'internal') api.observe({ type: 'internal-error', where: 'api', credential: name, error });
    return { problem: problemOf(known) };
  }
}

function startRun({ store, clock, observe }: Api, credential: string): Run {
  return { credential, snapshot: store.current(credential), now: clock.now(), fairnessKey: {}, observe };
}

async function timed<T>(
  api: Api,
  credential: string,
  { name: operation }: Operation,
  work: () => Promise<T>,
): Promise<T> {
  const started = performance.now();
  const report = (outcome: ReturnType<typeof outcomeOf> | 'ok') =>
    api.observe({ type: 'operated', credential, operation, outcome, seconds: (performance.now() - started) / 1000 });
  try {
    const result = await work();
    report('ok');
    return result;
  } catch (error) {
    report(outcomeOf(toPaycertError(error)));
    throw error;
  }
}
