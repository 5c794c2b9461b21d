// The clocks of platforms: estimated from the Date of responses, never surer than that allows, and signed with only where that is wanted.
import assert from 'node:assert/strict';
import { type RequestListener } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import type { Event } from '../../src/events.ts';
import { PlatformClocks } from '../../src/gateway/platform-clocks.ts';
import { signMessage } from '../../src/testing/wechatpay-message.ts';
import { makeMaterial, start } from '../support/api-server.ts';
import { listenFor } from '../support/listening.ts';
import { type ProxiedOptions, startProxied } from '../support/proxied.ts';

const host = 'api.example.com';
type Compared = Extract<Event, { type: 'platform-clock-compared' }>;

/** A machine whose clock is `ahead` milliseconds ahead of the platform's, which is right. */
function machine(ahead: number, corrects = false) {
  const state = { elapsed: 1000, ahead };
  const told: Compared[] = [];
  const truth = () => start.getTime() + state.elapsed;
  const clocks = new PlatformClocks({
    now: () => new Date(truth() + state.ahead),
    milliseconds: () => state.elapsed,
    observe: (event) => event.type === 'platform-clock-compared' && told.push(event),
    corrects,
  });
  /** The response was written `there` after it was asked for, and came `back` later. */
  const respond = (there = 0, back = 0, off = 0) => {
    const sentAt = state.elapsed;
    state.elapsed += there;
    const date = new Date(truth() + off).toUTCString();
    state.elapsed += back;
    clocks.compare(host, sentAt, date);
  };
  return { state, told, clocks, respond, truth };
}

const three = (respond: () => void) => [0, 1, 2].forEach(respond);

describe('the clock of a platform', () => {
  it('is known once three responses agree, and as surely as a second and the way there allow', () => {
    const { told, clocks, respond } = machine(90_000);
    respond(20, 20);
    respond(20, 20);
    assert.deepEqual([told, clocks.list()], [[], []]);
    respond(20, 20);
    const [known] = clocks.list();
    assert.deepEqual([known?.withinSeconds, told.length, told[0]?.isNews], [0.52, 1, true]);
    assert.ok((known?.aheadSeconds ?? 0) > 88 && (known?.aheadSeconds ?? 0) <= 90);
  });

  it('is never said to be off by more than it is, nor in the other direction', () => {
    const delay = fc.integer({ min: 0, max: 3000 });
    const responses = fc.array(fc.tuple(delay, delay, fc.integer({ min: 0, max: 400_000 })), {
      minLength: 3,
      maxLength: 30,
    });
    fc.assert(
      fc.property(fc.integer({ min: -400_000, max: 400_000 }), responses, (ahead, all) => {
        const { state, clocks, respond } = machine(ahead);
        for (const [there, back, pause] of all) {
          respond(there, back);
          state.elapsed += pause;
        }
        const { aheadSeconds = 0 } = clocks.list()[0] ?? {};
        assert.ok(Math.abs(aheadSeconds) * 1000 <= Math.abs(ahead) + 1, `${String(aheadSeconds)} of ${String(ahead)}`);
        assert.ok(aheadSeconds === 0 || Math.sign(aheadSeconds) === Math.sign(ahead));
      }),
    );
  });

  it('is taken from the best response of a window, and not kept for ever', () => {
    const { state, clocks, respond } = machine(0);
    respond(0, 0);
    for (let index = 0; index < 5; index += 1) respond(4000, 4000);
    assert.equal(clocks.list()[0]?.withinSeconds, 0.5);
    for (let window = 0; window < 3; window += 1) {
      state.elapsed += 300_001;
      respond(4000, 4000);
    }
    assert.equal(clocks.list()[0]?.withinSeconds, 4.5);
  });

  it('begins again where two responses cannot both be true, and after text that is no date nothing changes', () => {
    const { clocks, respond } = machine(0);
    three(() => respond());
    for (const date of [undefined, '', 'soon', ['a', 'b']]) clocks.compare(host, 0, date);
    assert.equal(clocks.list().length, 1);
    respond(0, 0, 30_000);
    assert.equal(clocks.list().length, 0);
  });

  it('shows a jump of the clock here at once, and says when that begins and ends', () => {
    const { state, told, clocks, respond } = machine(0);
    three(() => respond());
    state.ahead = -90_000;
    assert.ok((clocks.list()[0]?.aheadSeconds ?? 0) <= -89);
    respond();
    respond();
    state.ahead = 0;
    respond();
    assert.deepEqual(
      told.map(({ isNews }) => isNews),
      [false, true, false, true],
    );
  });

  it('corrects nothing unless that is wanted, and nothing beyond ten minutes', () => {
    for (const [ahead, corrects, left] of [[90_000, false, 90_000], [90_000, true, 0], [-590_000, true, 0], [700_000, true, 700_000]] as const) {
      const { clocks, respond, truth } = machine(ahead, corrects);
      const off = () => clocks.at(host).getTime() - truth();
      respond();
      respond();
      assert.equal(off(), ahead);
      respond();
      assert.ok(Math.abs(off() - left) <= 1000, String(off()));
      assert.equal(clocks.list()[0]?.isCorrected, corrects && left === 0);
      assert.equal(clocks.at('another').getTime() - truth(), ahead);
    }
  }); // prettier-ignore
});

const material = await makeMaterial();
const [known] = material.platformKeys;
assert.ok(known);
const platformKey = known;
const body = Buffer.from('{"trade_state":"SUCCESS"}');

/** A platform that refuses what is signed a minute off, and says what time it is. */
async function serve(t: TestContext, options: Partial<ProxiedOptions>) {
  const platform = { now: start };
  const listener: RequestListener = (request, response) => {
    const [, timestamp] = /timestamp="(\d+)"/.exec(request.headers.authorization ?? '') ?? [];
    const isOff = Math.abs(Number(timestamp) * 1000 - platform.now.getTime()) > 60_000;
    response.setHeader('Date', platform.now.toUTCString());
    const { headers } = signMessage(body, { platformKey, now: platform.now });
    if (isOff) response.writeHead(401).end('{"code":"SIGN_ERROR"}');
    else response.writeHead(200, headers).end(body);
  };
  const double = await listenFor(t, listener);
  return { proxied: await startProxied(t, { material, double, milliseconds: () => 0, ...options }), platform };
}

const pay = { path: '/shop/v3/pay/transactions/jsapi', body: '{}' };

describe('a call while the clock here is off', () => {
  it('is signed and judged by the platform’s time once that is known, if the clock is to be corrected', async (t) => {
    const { proxied } = await serve(t, { correctsClock: true });
    for (let index = 0; index < 3; index += 1) assert.equal((await proxied.call(pay)).status, 200);
    proxied.clock.time = new Date(start.getTime() - 400_000);
    const { status, headers } = await proxied.call(pay);
    assert.deepEqual([status, headers['paycert-attempts'], headers['paycert-verified']], [200, '1', 'yes']);
  });

  it('is refused until three responses agree, and then once more signed in the same call', async (t) => {
    const { proxied } = await serve(t, { correctsClock: true, now: new Date(start.getTime() + 90_000) });
    const answers = [];
    for (let index = 0; index < 3; index += 1) answers.push(await proxied.call(pay));
    assert.deepEqual(
      answers.map(({ status, headers }) => [status, headers['paycert-attempts']]),
      [[401, '1'], [401, '1'], [200, '2']],
    ); // prettier-ignore
  });

  it('is refused as ever where it is not, and the state of the host says why', async (t) => {
    const { proxied } = await serve(t, { now: new Date(start.getTime() + 90_000) });
    for (let index = 0; index < 4; index += 1) assert.equal((await proxied.call(pay)).status, 401);
    const [state] = proxied.gateway.hosts();
    assert.deepEqual([state?.isOnSpare, state?.clock?.isCorrected, Math.round(state?.clock?.aheadSeconds ?? 0)], [false, false, 89]); // prettier-ignore
  });
});
