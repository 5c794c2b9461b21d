// Two hosts of a platform: a call moves to the spare only where nothing can have left, or where it may be made twice; and all move back.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { platforms } from '../../src/providers/registry.ts';
import { signMessage } from '../../src/testing/wechatpay-message.ts';
import { makeMaterial, start } from '../support/api-server.ts';
import { freePort } from '../support/free-port.ts';
import { type Proxied, type ProxiedOptions, startProxied } from '../support/proxied.ts';

const material = await makeMaterial();
const [platformKey] = material.platformKeys;
assert.ok(platformKey);
const body = Buffer.from('{"trade_state":"SUCCESS"}');
const signed = signMessage(body, { platformKey, now: start });
const good: RequestListener = (_, response) => void response.writeHead(200, { ...signed.headers, Connection: 'close' }).end(body); // prettier-ignore
const reset: RequestListener = (request) => void request.socket.destroy();
const failing: RequestListener = (_, response) => void response.writeHead(500).end('{}');

/** A host that can be switched off and on at one port. */
class Host {
  asked = 0;
  listener: RequestListener;
  #server: Server | undefined;
  #port = 0;

  constructor(listener: RequestListener) {
    this.listener = listener;
  }

  get origin(): string {
    return `http://127.0.0.1:${String(this.#port)}`;
  }

  get name(): string {
    return new URL(this.origin).host;
  }

  async on(): Promise<this> {
    this.#port ||= await freePort();
    this.#server = createServer((request, response) => {
      this.asked += 1;
      this.listener(request, response);
    }).listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  async off(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
}

async function serve(t: TestContext, options: Partial<ProxiedOptions> & { readonly own?: RequestListener } = {}) {
  const [own, spare] = [await new Host(options.own ?? good).on(), await new Host(good).on()];
  t.after(() => Promise.all([own.off(), spare.off()]));
  const time = { milliseconds: 0 };
  const routes = [{ credential: 'shop', double: own.origin, spareDouble: spare.origin }];
  const milliseconds = () => time.milliseconds;
  const proxied = await startProxied(t, { material, double: own.origin, routes, milliseconds, ...options });
  return { own, spare, proxied, time };
}

const pay = { path: '/shop/v3/pay/transactions/jsapi', body: '{}' };
const query = { path: '/shop/v3/pay/transactions/out-trade-no/1?mchid=1900000001' };

const switches = ({ events }: Proxied) =>
  events.flatMap((event) => (event.type === 'failed-over' || event.type === 'failed-back' ? [event.type] : []));

describe('a host that nobody can connect to', () => {
  it('loses no call: each moves to the spare, and from then on goes there first', async (t) => {
    const { own, spare, proxied } = await serve(t);
    await own.off();
    for (const [call, attempts] of [[pay, '2'], [pay, '1'], [query, '1']] as const) {
      const { status, headers } = await proxied.call(call);
      assert.deepEqual([status, headers['paycert-attempts']], [200, attempts]);
    } // prettier-ignore
    assert.deepEqual([own.asked, spare.asked], [0, 3]);
    assert.deepEqual(
      proxied.events.filter(({ type }) => type === 'failed-over'),
      [{ type: 'failed-over', host: own.name, spare: spare.name }],
    );
  });

  it('is tried again after half a minute by a query, after five by anything, and by one call at a time', async (t) => {
    const { own, spare, proxied, time } = await serve(t);
    await own.off();
    await proxied.call(pay);
    const attemptsOf = async (call: typeof pay | typeof query) =>
      (await proxied.call(call)).headers['paycert-attempts'];
    time.milliseconds = 29_999;
    assert.equal(await attemptsOf(query), '1');
    time.milliseconds = 30_000;
    assert.deepEqual([await attemptsOf(pay), await attemptsOf(query), await attemptsOf(query)], ['1', '2', '1']);
    time.milliseconds = 329_999;
    assert.equal(await attemptsOf(pay), '1');
    time.milliseconds = 330_000;
    assert.deepEqual([await attemptsOf(pay), await attemptsOf(pay)], ['2', '1']);
    assert.deepEqual([own.asked, switches(proxied)], [0, ['failed-over']]);
    await own.on();
    time.milliseconds = 360_000;
    assert.deepEqual([await attemptsOf(query), await attemptsOf(pay)], ['1', '1']);
    assert.deepEqual([own.asked, switches(proxied)], [2, ['failed-over', 'failed-back']]);
    assert.equal(spare.asked, 8);
  });

  it('is no reason to switch where the spare cannot be reached either: it is our own network', async (t) => {
    const { own, spare, proxied } = await serve(t);
    await Promise.all([own.off(), spare.off()]);
    const { status, problem } = await proxied.call(pay);
    assert.deepEqual([status, problem?.title, problem?.outcome], [502, 'gateway-unreachable', 'refused']);
    const said = `no connection to ${own.name} (ECONNREFUSED), and none to ${spare.name} (ECONNREFUSED): nothing was sent`;
    assert.equal(problem?.detail, said);
    assert.deepEqual(switches(proxied), []);
    await own.on();
    assert.equal((await proxied.call(pay)).headers['paycert-attempts'], '1');
    assert.equal(own.asked, 1);
  });

  it('is asked again at once where the spare goes away as well', async (t) => {
    const { own, spare, proxied } = await serve(t);
    await own.off();
    await proxied.call(pay);
    await Promise.all([own.on(), spare.off()]);
    assert.equal((await proxied.call(pay)).status, 200);
    assert.deepEqual([own.asked, switches(proxied)], [1, ['failed-over', 'failed-back']]);
  });
});

describe('a call whose bytes may have left', () => {
  it('never moves if it acts', async (t) => {
    const { own, spare, proxied } = await serve(t, { own: reset });
    const { status, problem } = await proxied.call(pay);
    assert.deepEqual([status, problem?.outcome, own.asked, spare.asked], [502, 'unknown', 1, 0]);
    assert.deepEqual(switches(proxied), []);
  });

  it('is tried on the same host first if it may be made twice, and moves where that one is gone by then', async (t) => {
    const { own, spare, proxied } = await serve(t, { own: reset });
    assert.equal((await proxied.call(query)).status, 502);
    assert.deepEqual([own.asked, spare.asked], [2, 0]);
    own.listener = (request) => void own.off().then(() => request.socket.destroy());
    const { status, headers } = await proxied.call(query);
    assert.deepEqual([status, headers['paycert-attempts'], own.asked, spare.asked], [200, '3', 3, 1]);
    assert.deepEqual(switches(proxied), ['failed-over']);
  });

  it('is not sent again where it acts, by the host that it moved to', async (t) => {
    const { own, spare, proxied } = await serve(t);
    await own.off();
    spare.listener = reset;
    const { status, problem } = await proxied.call(pay);
    assert.deepEqual([status, problem?.outcome, spare.asked], [502, 'unknown', 1]);
  });
});

describe('a response', () => {
  it('is one, whatever its status: a 500 often means a wrong key, and moves nothing', async (t) => {
    const { own, spare, proxied } = await serve(t, { own: failing });
    for (const call of [pay, query]) assert.equal((await proxied.call(call)).status, 500);
    assert.deepEqual([own.asked, spare.asked, switches(proxied)], [2, 0, []]);
  });
});

describe('the spare', () => {
  it('gets no more than the configured share of the calls that may be repeated, and nothing that acts', async (t) => {
    const { own, spare, proxied } = await serve(t, { spareShare: 0.1 });
    for (let index = 0; index < 25; index += 1) await Promise.all([proxied.call(query), proxied.call(pay)]);
    assert.deepEqual([own.asked, spare.asked], [48, 2]);
    await spare.off();
    for (let index = 0; index < 10; index += 1) assert.equal((await proxied.call(query)).status, 200);
    assert.deepEqual(switches(proxied), []);
  });

  it('is asked nothing unless that is configured, or the platform has none', async (t) => {
    const { spare, proxied } = await serve(t);
    for (let index = 0; index < 25; index += 1) await proxied.call(query);
    assert.equal(spare.asked, 0);
    const { wechatpay } = platforms;
    const spares = Object.entries(wechatpay.forwards?.({ merchantId: '1' }).spares ?? {});
    assert.ok(spares.length > 0);
    const known = wechatpay.origins({ merchantId: '1' });
    for (const pair of spares) for (const origin of pair) assert.ok(known.includes(origin), origin);
  });
});
