// The local API on a real TCP listener with a token, in this process: what both targets of the API send to.
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { errorTable } from '../../../src/errors.ts';
import type { Event } from '../../../src/events.ts';
import { createApi } from '../../../src/server/http.ts';
import { aroundEach } from '../../../src/store/call.ts';
import { listenOnTcp } from '../../../src/server/listeners.ts';
import { loadStore } from '../../support/api-server.ts';
import { type Answer, type Call, exchange } from '../../support/http-client.ts';
import { type Corpus, now } from '../corpus.ts';

export const token = 'fuzzing-0123456789abcdef';

export interface FuzzedListener extends AsyncDisposable {
  /** host:port. */
  readonly address: string;
  call(call: Call): Promise<Answer>;
  /** Throws where the API met something unforeseen, or does not answer any more. */
  assertAlive(): Promise<void>;
  /** Throws where an error of ours was observed since the last time. */
  assertNoInternalError(): void;
}

export async function startListener({ material }: Corpus): Promise<FuzzedListener> {
  const loaded = await loadStore({ shop: { files: material.files }, empty: {} });
  let internal: unknown;
  const observe = (event: Event) => {
    if (event.type === 'internal-error') internal ??= event.error;
  };
  const { store, clock } = loaded;
  const around = aroundEach({ observe, milliseconds: () => performance.now(), most: 1024 });
  const options = { store, clock, observe, around, maxBodyBytes: 64 * 1024, version: '0.0.0', startedAt: now };
  const api = createApi(options, 'tcp');
  const { address, close } = await listenOnTcp({ address: '127.0.0.1:0', token: () => token, isExposed: false }, api);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const call = (one: Call) =>
    exchange(address, { ...one, agent, headers: { ...one.headers, Authorization: `Bearer ${token}` } });
  return {
    address,
    call,
    async assertAlive() {
      assert.equal((await call({ path: '/statusz' })).status, 200);
    },
    assertNoInternalError() {
      const error = internal;
      internal = undefined;
      if (error !== undefined) throw error instanceof Error ? error : new Error('something unforeseen was thrown');
    },
    async [Symbol.asyncDispose]() {
      agent.destroy();
      await close();
    },
  };
}

/** The caller's error, or that something is not there yet: never ours. */
export function assertStatus(status: number, text: string): void {
  assert.ok(status < 500 || status === 503, `${status}: ${text.slice(0, 300)}`);
}

/** A problem names a code that is documented. */
export function assertProblem(body: unknown): void {
  const { title } = body as { readonly title?: unknown };
  assert.ok(typeof title === 'string' && Object.hasOwn(errorTable, title), 'a problem names its code');
}
