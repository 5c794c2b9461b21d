// Answers of OCSP responders are asked for once, kept while they count, and give way to newer ones only.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { Responders } from '../../src/revocation/responders.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { keyPairs } from '../support/key-pairs.ts';
import { makeAuthority, now } from '../support/mtls.ts';
import { type ResponseOptions, certify, makeResponse } from '../support/ocsp.ts';

const minute = 60_000;
const issuer = new X509Certificate((await makeAuthority(0)).certificate);
const signer = { certificate: issuer, privateKey: (await keyPairs())[0]!.privateKey };
const responder = 'http://ocsp.example';
const { certificate: leaf } = await certify(0, 'leaf', { responder });
const after = (minutes: number) => new Date(now.getTime() + minutes * minute);
const responseOf = (options: Partial<ResponseOptions> = {}) =>
  makeResponse({ about: leaf, issuer, signer, ...options });

function start() {
  const clock = new FakeClock(now);
  const state = { asked: [] as string[], answer: async (): Promise<Uint8Array | undefined> => responseOf() };
  const responders = new Responders(clock, (address) => {
    state.asked.push(address);
    return state.answer();
  });
  const look = async () => (await responders.ask(leaf, issuer))?.about(leaf, issuer, clock.now())?.status;
  return { clock, state, responders, look };
}

describe('an answer', () => {
  it('is asked for at the address that the certificate names, and where it names none not at all', async () => {
    const { state, responders, look } = start();
    assert.equal(await look(), 'good');
    assert.equal(await responders.ask((await certify(0, 'silent')).certificate, issuer), undefined);
    assert.deepEqual(state.asked, [responder]);
  });

  it('is asked for once by all who want it at one time', async () => {
    const { state, look } = start();
    const gate = Promise.withResolvers<Uint8Array>();
    state.answer = () => gate.promise;
    const looks = Array.from({ length: 20 }, look);
    gate.resolve(responseOf());
    assert.deepEqual(new Set(await Promise.all(looks)), new Set(['good']));
    assert.equal(state.asked.length, 1);
  });

  it('is kept until its nextUpdate, and for an hour at most', async () => {
    for (const [minutes, kept] of [
      [10, 10],
      [600, 60],
    ] as const) {
      const { clock, state, look } = start();
      const nextUpdate = new Date(Math.floor(after(minutes).getTime() / 1000) * 1000);
      state.answer = async () => responseOf({ nextUpdate });
      assert.equal(await look(), 'good');
      const end = kept === 60 ? after(60) : nextUpdate;
      clock.advance(end.getTime() - now.getTime() - 1);
      assert.equal(await look(), 'good');
      assert.equal(state.asked.length, 1);
      clock.advance(1);
      await look();
      assert.equal(state.asked.length, 2);
    }
  });

  it('stays while there is no other and it still counts; the responder is asked again after a minute', async () => {
    const { clock, state, look } = start();
    const nextUpdate = after(90);
    state.answer = async () => responseOf({ nextUpdate });
    assert.equal(await look(), 'good');
    const stranger = { ...signer, privateKey: (await keyPairs())[1]!.privateKey };
    const useless = [undefined, Buffer.from('<html>'), responseOf({ outcome: 3 }), responseOf({ signer: stranger }), responseOf({ serialNumber: '01' })]; // prettier-ignore
    clock.advance(59 * minute);
    for (const answer of useless) {
      state.answer = async () => answer;
      clock.advance(minute);
      assert.deepEqual([await look(), await look()], ['good', 'good']);
    }
    assert.equal(state.asked.length, 1 + useless.length);
    clock.advance(60 * minute);
    assert.equal(await look(), undefined);
    state.answer = async () => responseOf({ thisUpdate: after(60), nextUpdate: after(1000) });
    assert.equal(await look(), undefined);
    clock.advance(minute);
    assert.equal(await look(), 'good');
  });

  it('that takes back is not forgotten for an older one, and is for a newer one', async () => {
    const { clock, state, look } = start();
    state.answer = async () => responseOf({ status: 'revoked', thisUpdate: after(-10), nextUpdate: after(20) });
    assert.equal(await look(), 'revoked');
    clock.advance(30 * minute);
    state.answer = async () => responseOf({ thisUpdate: after(-20), nextUpdate: after(1000) });
    assert.equal(await look(), 'revoked');
    state.answer = async () => responseOf({ thisUpdate: after(-9), nextUpdate: after(1000) });
    clock.advance(minute);
    assert.equal(await look(), 'good');
  });

  it('that has never come is missed anew every minute', async () => {
    const { clock, state, look } = start();
    state.answer = async () => undefined;
    for (let count = 1; count < 4; count += 1) {
      assert.deepEqual([await look(), await look()], [undefined, undefined]);
      assert.equal(state.asked.length, count);
      clock.advance(minute);
    }
  });

  it('is forgotten when a thousand other certificates have been asked about since', async () => {
    const { state, responders, look } = start();
    const [first, ...others] = await Promise.all(Array.from({ length: 1001 }, () => certify(0, 'many', { responder })));
    state.answer = async () => undefined;
    const ask = async (of: typeof first) => responders.ask(of!.certificate, issuer);
    await look();
    await ask(first);
    for (const other of others.slice(0, 998)) await ask(other);
    // Its use makes it the newest.
    await look();
    for (const other of others.slice(998)) await ask(other);
    assert.equal(state.asked.length, 1002);
    await look();
    assert.equal(state.asked.length, 1002);
    await ask(first);
    assert.equal(state.asked.length, 1003);
  });

  it('that a program’s own way of asking fails to give is none, and is asked for again after a minute', async () => {
    const { state, look, clock } = start();
    state.answer = () => Promise.reject(new TypeError('fetch failed'));
    assert.deepEqual([await look(), await look(), state.asked.length], [undefined, undefined, 1]);
    clock.advance(minute);
    state.answer = async () => responseOf();
    assert.equal(await look(), 'good');
  });

  it('that never comes is given up when the signal says so, whatever the way of asking makes of it', async () => {
    const { state, responders } = start();
    const { certificate } = await certify(0, 'slow', { responder });
    state.answer = () => new Promise(() => undefined);
    assert.equal(await responders.ask(certificate, issuer, AbortSignal.abort()), undefined);
    const stop = new AbortController();
    const asking = responders.ask((await certify(0, 'slower', { responder })).certificate, issuer, stop.signal);
    stop.abort();
    assert.equal(await asking, undefined);
  });
});
