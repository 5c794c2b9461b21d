// What a breaker and a bulkhead mean for the callers of the proxy: which calls count as failures, and what they get in place of a response.
import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { makeProbe, signMessage } from '../../src/testing/wechatpay-message.ts';
import { makeMaterial, start } from '../support/api-server.ts';
import { open } from '../support/http-client.ts';
import { listenFor } from '../support/listening.ts';
import { type ProxiedOptions, startProxied } from '../support/proxied.ts';
import { Recorder } from '../support/recorder.ts';

const material = await makeMaterial();
const [platformKey] = material.platformKeys;
assert.ok(platformKey);
const body = Buffer.from('{"prepay_id":"1"}');
const signed = signMessage(body, { platformKey, now: start });
const probe = makeProbe(signed);

const good: RequestListener = (_, response) => void response.writeHead(200, signed.headers).end(body);
const status =
  (code: number, headers: Record<string, string> = {}): RequestListener =>
  (_, response) =>
    void response.writeHead(code, headers).end('{"code":"X"}');

const pay = { path: '/shop/v3/pay/transactions/jsapi', body: '{}' };

interface Platform {
  listener: RequestListener;
  asked: number;
}

async function serve(t: TestContext, listener: RequestListener, options: Partial<ProxiedOptions> = {}) {
  const platform: Platform = { listener, asked: 0 };
  const double = await listenFor(t, (request, response) => {
    platform.asked += 1;
    request.resume();
    platform.listener(request, response);
  });
  const recorder = new Recorder();
  const proxied = await startProxied(t, { material, double, observe: recorder.observe, ...options });
  return { platform, proxied, recorder, host: new URL(double).host };
}

const failures: Readonly<Record<string, RequestListener>> = {
  'a connection that ends': (request) => void request.socket.destroy(),
  'a 500': status(500),
  'a 502': status(502),
  'a success that is not signed': (_, response) => void response.writeHead(200).end(body),
  'a success whose signature is wrong': (_, response) => void response.writeHead(200, signed.headers).end('{}'),
  'a redirect': status(302, { Location: 'https://elsewhere.example/' }),
  'half a response': (_, response) => {
    response.writeHead(200, { ...signed.headers, 'Content-Length': '1000' }).write(body);
    setImmediate(() => response.destroy());
  },
};

const noFailures: Readonly<Record<string, RequestListener>> = {
  'a success': good,
  'a 400': status(400),
  'a 401': status(401),
  'a 404': status(404),
  'a 408': status(408),
  'a 429': status(429, { 'Retry-After': '1' }),
  'a probe of the platform, whose signature is wrong on purpose': (_, response) => void response.writeHead(200, probe.headers).end(body), // prettier-ignore
};

describe('the breaker of a credential at a host', () => {
  for (const [what, listener] of Object.entries(failures))
    it(`opens after twenty times ${what}`, async (t) => {
      const { platform, proxied, recorder, host } = await serve(t, listener);
      for (let index = 0; index < 20; index += 1) assert.notEqual((await proxied.call(pay)).status, 503);
      const { status, headers, problem } = await proxied.call(pay);
      assert.deepEqual([status, problem?.title, problem?.outcome], [503, 'breaker-open', 'refused']);
      assert.deepEqual([headers['retry-after'], headers['paycert-attempts'], headers['paycert-outcome']], ['5', '0', 'refused']); // prettier-ignore
      assert.equal(platform.asked, 20);
      const at = { credential: 'shop', host };
      assert.deepEqual(recorder.of('breaker-changed'), [{ type: 'breaker-changed', ...at, state: 'open' }]);
      assert.deepEqual(recorder.of('held-back'), [{ type: 'held-back', ...at, reason: 'breaker' }]);
      const [known] = proxied.gateway.hosts();
      assert.deepEqual(known?.credentials, [{ credential: 'shop', breaker: 'open', underWay: 0, waiting: 0 }]);
    });

  for (const [what, listener] of Object.entries(noFailures))
    it(`stays closed after thirty times ${what}`, async (t) => {
      const { platform, proxied, recorder } = await serve(t, listener);
      for (let index = 0; index < 30; index += 1) await proxied.call(pay);
      assert.deepEqual([platform.asked, recorder.of('breaker-changed')], [30, []]);
    });

  it('counts no caller that leaves, and no request that is refused here', async (t) => {
    const arrived: (() => void)[] = [];
    const { platform, proxied, recorder } = await serve(t, () => arrived.shift()?.());
    for (let index = 0; index < 25; index += 1) {
      const asked = new Promise<void>((resolve) => arrived.push(resolve));
      const ended = recorder.next('forwarded');
      const outgoing = open(proxied.socket, pay);
      outgoing.on('error', () => undefined).end(pay.body);
      await asked;
      outgoing.destroy();
      await ended;
      assert.equal((await proxied.call({ ...pay, body: '{"mchid":"1"}' })).status, 400);
    }
    assert.deepEqual([platform.asked, recorder.of('breaker-changed')], [25, []]);
  });

  it('refuses within a millisecond of work, in half of a hundred calls at least', async (t) => {
    const breaker = { failurePercent: 50, minimumCalls: 20, openMilliseconds: 300_000 };
    // By the clock, half of them took half a millisecond where other programs wanted the cores.
    const worked = () => {
      const { user, system } = process.threadCpuUsage();
      return (user + system) / 1000;
    };
    const { proxied } = await serve(t, status(500), { breaker, milliseconds: worked });
    for (let index = 0; index < 20; index += 1) await proxied.call(pay);
    const seconds: number[] = [];
    for (let index = 0; index < 100; index += 1) assert.equal((await proxied.call(pay)).status, 503);
    for (const event of proxied.events) if (event.type === 'forwarded' && event.status === 503) seconds.push(event.seconds); // prettier-ignore
    const median = seconds.sort((a, b) => a - b)[50] ?? 1;
    assert.ok(seconds.length === 100 && median < 0.001, String(median));
  });

  it('closes when the one call that tries succeeds, and tells the others when to come back', async (t) => {
    const breaker = { failurePercent: 50, minimumCalls: 20, openMilliseconds: 20 };
    const { platform, proxied, recorder } = await serve(t, status(500), { breaker });
    const halfOpen = recorder.next('breaker-changed', ({ state }) => state === 'half-open');
    for (let index = 0; index < 20; index += 1) await proxied.call(pay);
    await halfOpen;
    const asked = Promise.withResolvers<() => void>();
    platform.listener = (...all) => asked.resolve(() => good(...all));
    const trial = proxied.call(pay);
    const respond = await asked.promise;
    const { status: other, headers } = await proxied.call(pay);
    assert.deepEqual([other, headers['retry-after']], [503, '1']);
    respond();
    assert.equal((await trial).status, 200);
    platform.listener = good;
    assert.equal((await proxied.call(pay)).status, 200);
    assert.deepEqual(recorder.of('breaker-changed').map(({ state }) => state), ['open', 'half-open', 'closed']); // prettier-ignore
  });

  it('is of one host: calls to the spare go out, and a breaker that is open moves none there', async (t) => {
    const spare: Platform = { listener: good, asked: 0 };
    const spareDouble = await listenFor(t, (request, response) => {
      spare.asked += 1;
      spare.listener(request, response);
    });
    const double = await listenFor(t, status(500));
    const routes = [{ credential: 'shop', double, spareDouble }];
    const { proxied } = await serve(t, good, { double, routes });
    for (let index = 0; index < 20; index += 1) await proxied.call(pay);
    assert.deepEqual([(await proxied.call(pay)).status, spare.asked], [503, 0]);
  });
});

describe('the bulkhead of a credential at a host', () => {
  const bulkhead = { concurrent: 2, queued: 1 };

  it('sends so many at once, lets so many wait, and refuses the next with what is known of it', async (t) => {
    const held: (() => void)[] = [];
    const both: PromiseWithResolvers<void> = Promise.withResolvers();
    const { proxied, recorder, platform, host } = await serve(t, (...all) => {
      held.push(() => good(...all));
      if (held.length === 2) both.resolve();
    }, { bulkhead }); // prettier-ignore
    const first = [proxied.call(pay), proxied.call(pay)];
    await both.promise;
    const later = [proxied.call(pay), proxied.call(pay)];
    // The other one waits.
    const refused = await Promise.race(later);
    assert.deepEqual(
      [refused.status, refused.problem?.title, refused.problem?.outcome],
      [503, 'overloaded', 'refused'],
    );
    assert.equal(refused.headers['retry-after'], '1');
    const [known] = proxied.gateway.hosts();
    assert.deepEqual(known?.credentials, [{ credential: 'shop', breaker: 'closed', underWay: 2, waiting: 1 }]);
    platform.listener = good;
    for (const respond of held) respond();
    const statuses = (await Promise.all([...first, ...later])).map(({ status }) => status);
    assert.deepEqual(statuses.sort(), [200, 200, 200, 503]);
    assert.deepEqual(recorder.of('held-back'), [{ type: 'held-back', credential: 'shop', host, reason: 'bulkhead' }]);
  });

  it('ends a wait with the deadline of the call: nothing was sent', async (t) => {
    const deadlines: PromiseWithResolvers<void>[] = [Promise.withResolvers(), Promise.withResolvers()];
    const begun: PromiseWithResolvers<void>[] = [Promise.withResolvers(), Promise.withResolvers()];
    let [calls, now] = [0, 0];
    const { proxied, platform } = await serve(t, () => asked.resolve(), {
      bulkhead: { concurrent: 1, queued: 1 },
      milliseconds: () => now,
      deadline: async () => {
        begun[calls]?.resolve();
        await deadlines[calls++]?.promise;
      },
    });
    const asked: PromiseWithResolvers<void> = Promise.withResolvers();
    const first = proxied.call(pay);
    await asked.promise;
    // Those that begin together have one timer.
    now += 1000;
    const second = proxied.call(pay);
    await begun[1]?.promise;
    deadlines[1]?.resolve();
    const { status, problem } = await second;
    assert.deepEqual([status, problem?.title, problem?.outcome, platform.asked], [503, 'overloaded', 'refused', 1]);
    deadlines[0]?.resolve();
    assert.equal((await first).status, 504);
  });

  it('keeps the place of a download until its last byte', async (t) => {
    const asked: PromiseWithResolvers<void> = Promise.withResolvers();
    const finish: PromiseWithResolvers<void> = Promise.withResolvers();
    const bill = { path: '/shop/v3/billdownload/file?token=1' };
    const { proxied } = await serve(t, (_, response) => {
      asked.resolve();
      response.writeHead(200).write('a');
      void finish.promise.then(() => response.end('b'));
    }, { bulkhead: { concurrent: 1, queued: 0 } }); // prettier-ignore
    const download = proxied.call(bill);
    await asked.promise;
    assert.equal((await proxied.call(bill)).status, 503);
    finish.resolve();
    assert.deepEqual([(await download).text, (await proxied.call(bill)).status], ['ab', 200]);
  });
});
