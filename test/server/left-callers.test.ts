// Callers that left before their request is read, as all do whose sidecar got no CPU: nothing is signed for them, and nothing is sent.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { beforeEach, describe, it, type TestContext } from 'node:test';
import { createApi } from '../../src/server/http.ts';
import { listenOnTcp } from '../../src/server/listeners.ts';
import { listenOnSocket } from '../../src/server/socket.ts';
import { aroundEach } from '../../src/store/call.ts';
import { startWechatpayGateway } from '../../src/testing/wechatpay-gateway.ts';
import { loadStore, makeMaterial, maxBodyBytes, start } from '../support/api-server.ts';
import { makeDirectory } from '../support/directories.ts';
import { exchange } from '../support/http-client.ts';
import { startProxied, token } from '../support/proxied.ts';

const material = await makeMaterial();
const { store, clock, events } = await loadStore({ shop: { files: material.files } });
const observe = (event: (typeof events)[number]) => void events.push(event);
const around = aroundEach({ observe, milliseconds: () => 0, most: 1024 });
const api = createApi({ store, clock, observe, around, maxBodyBytes, version: '0', startedAt: start }, 'test');

/** What is done with a connection whose request is in the hands of the system, and not read yet. */
const departures: Readonly<Record<string, (socket: Socket) => unknown>> = {
  'has closed its connection': (socket) => socket.destroy(),
  'has said that it sends no more': (socket) => socket.end(),
};
const overTcp: typeof departures = { ...departures, 'has reset its connection': (socket) => socket.resetAndDestroy() };

const asBytes = (path: string, body: object, headers = ''): string => {
  const text = JSON.stringify(body);
  return `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n${headers}Content-Length: ${text.length}\r\n\r\n${text}`;
};

/** Node has written, and closed, before this returns: the server, in the same thread, finds both together. */
async function leave(address: string, request: string, depart: (socket: Socket) => unknown): Promise<void> {
  const port = /:(\d+)$/.exec(address)?.[1];
  const socket = port === undefined ? connect(address) : connect(Number(port), '127.0.0.1');
  socket.on('error', () => undefined).resume();
  await once(socket, 'connect');
  socket.write(request);
  depart(socket);
}

describe('a caller of the local API that', () => {
  beforeEach(() => void events.splice(0));
  const operations: Readonly<Record<string, object>> = {
    sign: { message: 'm' },
    'sign/batch': { items: [{ message: 'm' }, { message: 'n' }] },
    authorize: { method: 'GET', url: '/v3/certificates' },
    decrypt: { ciphertext: 'AAAA' },
  };
  for (const [listener, listen, ways] of [
    ['a socket', async (t: TestContext) => listenOnSocket(`${await makeDirectory(t)}/api.sock`, api), departures],
    ['TCP', () => listenOnTcp({ address: '127.0.0.1:0', token: () => undefined, isExposed: false }, api), overTcp],
  ] as const) {
    for (const [way, depart] of Object.entries(ways))
      it(`${way}, over ${listener}, gets nothing done, while one that came after it is served`, async (t) => {
        const { address, close } = await listen(t);
        t.after(close);
        for (const [operation, input] of Object.entries(operations)) {
          await leave(address, asBytes(`/v1/credentials/shop/${operation}`, input), depart);
          const headers = { 'Content-Type': 'application/json' };
          const call = { path: '/v1/credentials/shop/sign', headers, body: '{"message":"m"}' };
          assert.equal((await exchange(address, call)).status, 200);
          const outcomes = events.splice(0).map((event) => event.type === 'operated' && event.outcome);
          assert.deepEqual(outcomes, operation === 'sign/batch' ? ['ok'] : ['caller-error', 'ok'], operation);
        }
      });
  }
});

describe('a caller of the proxy that', () => {
  for (const [way, depart] of Object.entries(overTcp))
    it(`${way} has nothing sent to the platform`, async (t) => {
      const platform = await startWechatpayGateway({ now: () => start });
      t.after(() => platform.close());
      platform.admit(material);
      const proxied = await startProxied(t, { material, double: platform.url });
      const path = '/shop/v3/pay/transactions/jsapi';
      await leave(proxied.tcp, asBytes(path, { out_trade_no: '1' }, `Paycert-Token: ${token}\r\n`), depart);
      const later = await exchange(proxied.tcp, {
        path: '/shop/v3/certificates',
        headers: { 'Paycert-Token': token },
      });
      assert.equal(later.status, 200);
      assert.deepEqual([platform.counts.accepted, platform.counts.refused], [1, 0]);
      const forwarded = proxied.events.flatMap((event) => (event.type === 'forwarded' ? [event.error?.code] : []));
      assert.deepEqual(forwarded, ['caller-gone', undefined]);
    });
});
