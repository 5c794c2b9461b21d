// A call that is alone: nobody else is owed a response by this process, so that nobody waits behind a signature in its event loop.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { beforeEach, describe, it, type TestContext } from 'node:test';
import { createApi } from '../../src/server/http.ts';
import { listenOnPort } from '../../src/server/listeners.ts';
import { jsonReply, type Route, type RouteCall, serveRoutes } from '../../src/server/routes.ts';
import { listenOnSocket } from '../../src/server/socket.ts';
import type { Around } from '../../src/store/call.ts';
import { loadStore, makeMaterial, maxBodyBytes, start } from '../support/api-server.ts';
import { makeDirectory } from '../support/directories.ts';
import { exchange } from '../support/http-client.ts';

/** A listener whose requests are answered when the test says so. */
async function held(t: TestContext) {
  const calls: RouteCall[] = [];
  const ends: (() => void)[] = [];
  const came: (() => void)[] = [];
  const run = (call: RouteCall) => {
    calls.push(call);
    came.shift()?.();
    return new Promise<void>((resolve) => ends.push(resolve)).then(() => jsonReply({}));
  };
  const route: Route = { method: 'GET', path: '/', type: 'application/json', summary: '', run };
  const listener = serveRoutes([route], { where: 'test', unknown: 'none', observe: () => undefined });
  const { address, close } = await listenOnPort('127.0.0.1:0', listener);
  t.after(close);
  const next = () => new Promise<void>((resolve) => came.push(resolve));
  return { calls, address, next, end: () => ends.shift()?.(), isAlone: (at: number) => calls[at]?.alone.isAlone };
}

describe('a call', () => {
  it('is alone until another comes, at whichever listener, and again when that has its response', async (t) => {
    const [one, other] = [await held(t), await held(t)];
    const [first, comes] = [exchange(one.address, { path: '/' }), one.next()];
    await comes;
    assert.equal(one.isAlone(0), true);
    const [second, follows] = [exchange(other.address, { path: '/' }), other.next()];
    await follows;
    assert.deepEqual([one.isAlone(0), other.isAlone(0)], [false, false]);
    one.end();
    await first;
    assert.equal(other.isAlone(0), true);
    other.end();
    await second;
  });

  it('is alone again when others have left, with whatever they still waited for', async (t) => {
    const { next, address, isAlone, end } = await held(t);
    const socket = connect(Number(address.split(':')[1]), '127.0.0.1');
    const pipelined = next();
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(3));
    await pipelined;
    const [call, comes] = [exchange(address, { path: '/' }), next()];
    await comes;
    assert.equal(isAlone(1), false);
    socket.destroy();
    await once(socket, 'close');
    while (isAlone(1) === false) await new Promise((resolve) => setImmediate(resolve));
    end();
    end();
    await call;
  });
});

describe('of the local API', () => {
  const seen: (boolean | undefined)[] = [];
  beforeEach(() => void seen.splice(0));
  const around: Around = (call, next) => {
    seen.push(call.alone?.isAlone);
    return next();
  };

  it('a request that comes by itself is alone, and the items of a batch never are', async (t) => {
    const { files } = await makeMaterial();
    const { store, clock } = await loadStore({ shop: { files } });
    const api = createApi({ store, clock, observe: () => undefined, around, maxBodyBytes, version: '0', startedAt: start }, 'test'); // prettier-ignore
    const directory = await makeDirectory(t);
    const { address, close } = await listenOnSocket(`${directory}/api.sock`, api);
    t.after(close);
    const ask = async (operation: string, input: object) => {
      const body = JSON.stringify(input);
      const headers = { 'Content-Type': 'application/json' };
      assert.equal((await exchange(address, { path: `/v1/credentials/shop/${operation}`, headers, body })).status, 200);
      return seen.splice(0);
    };
    assert.deepEqual(await ask('sign', { message: 'a' }), [true]);
    assert.deepEqual(await ask('sign/batch', { items: [{ message: 'a' }, { message: 'b' }] }), [undefined, undefined]);
  });
});
