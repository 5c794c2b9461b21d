// Many requests for a few connections: each has its whole time from its turn on, whoever came first is first, and a server that is silent is waited for once.
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { PaycertError } from '../../src/errors.ts';
import { Server } from '../../src/origins/server.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { listenFor } from '../support/listening.ts';

const signal = new AbortController().signal;

/** A server that holds each response until the test lets it go, behind a single connection. */
async function holding(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const asked: string[] = [];
  const held: ServerResponse[] = [];
  let arrived = Promise.withResolvers<undefined>();
  const url = await listenFor(t, (request, response) => {
    asked.push(request.url ?? '');
    held.push(response);
    arrived.resolve(undefined);
  });
  const server = new Server({ name: 'Vault', addresses: [url], troubleOf: () => undefined, maxSockets: 1, clock: new FakeClock(), random: () => 1 }); // prettier-ignore
  const ask = (path: string, stop = signal) => server.ask({ method: 'GET', path, what: `read ${path}` }, stop);
  const arrival = async () => {
    while (held.length === 0) await arrived.promise;
    arrived = Promise.withResolvers();
  };
  /** The next request is there, and is answered only after that long. */
  const answerAfter = async (milliseconds: number) => {
    await arrival();
    t.mock.timers.tick(milliseconds);
    held.shift()?.writeHead(200).end('{}');
  };
  return { ask, answerAfter, arrival, asked };
}

describe('a request that waits for a connection', () => {
  it('has its whole time from its turn on, in the order in which they came', async (t) => {
    const { ask, answerAfter, asked } = await holding(t);
    const all = ['/a', '/b', '/c'].map((path) => ask(path));
    for (let count = 0; count < 3; count++) await answerAfter(20_000);
    assert.deepEqual(
      (await Promise.all(all)).map(({ status }) => status),
      [200, 200, 200],
    );
    assert.deepEqual(asked, ['/a', '/b', '/c']);
  });

  it('fails with the one before it where the server is silent, and is not sent', async (t) => {
    const { ask, arrival, asked } = await holding(t);
    const all = ['/a', '/b', '/c'].map((path) => ask(path).catch((error: unknown) => error));
    await arrival();
    t.mock.timers.tick(30_000);
    for (const error of await Promise.all(all)) {
      assert.ok(error instanceof PaycertError);
      assert.deepEqual([error.code, error.message], ['origin-unreachable', 'read /a: Vault cannot be reached (no whole response within 30 s)']); // prettier-ignore
    }
    assert.deepEqual(asked, ['/a']);
  });

  it('leaves no gap where its caller gives up', async (t) => {
    const { ask, answerAfter, asked } = await holding(t);
    const stop = new AbortController();
    const [first, gone, last] = [ask('/a'), ask('/b', stop.signal), ask('/c')];
    stop.abort(new Error('nobody waits'));
    await assert.rejects(gone, /nobody waits/);
    await answerAfter(0);
    await answerAfter(0);
    assert.deepEqual([(await first).status, (await last).status, asked], [200, 200, ['/a', '/c']]);
  });
});
