// The age of keys: which have one, since when, and that nothing makes a key young again.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { agesOf, type FirstSeen, type Known, noteSeen } from '../../src/store/age.ts';
import { Reloading } from '../support/reloading.ts';

const day = 86_400_000;
const now = new Date('2026-03-01T00:00:00Z');
const later = (days: number): Date => new Date(now.getTime() + days * day);
const key = (role: string, more: object = {}) => ({ role, fingerprint: role, ...more });
const none: FirstSeen = new Map();
const byDefault = { milliseconds: 90 * day, isGiven: false };
const asked = { milliseconds: 30 * day, isGiven: true };

/** Roles of those that have an age, when all of them were seen now. */
const aged = (keys: readonly ReturnType<typeof key>[], maxAge = byDefault) =>
  [...agesOf(keys, { firstSeen: noteSeen(none, keys, now), createdAt: undefined }, maxAge).keys()].map(
    ({ role }) => role,
  );

describe('the age of a key', () => {
  it('is by default one of secrets alone', () => {
    for (const role of ['apiv3', 'apiv2', 'aes', 'access-key', 'hmac'])
      assert.deepEqual(aged([key('merchant'), key('platform'), key(role)]), [role]);
    assert.deepEqual(aged([key('merchant'), key('platform'), key('own'), key('tls')]), []);
  });

  it('is one of your own private keys where there is no secret and somebody asks for it, never of others’ keys', () => {
    const keys = ['merchant', 'platform', 'public-key', 'root', 'own', 'partner', 'tls', 'tls-authority'].map((role) => key(role)); // prettier-ignore
    assert.deepEqual(aged(keys, asked), ['merchant', 'own', 'tls']);
    assert.deepEqual(aged([...keys, key('apiv3')], asked), ['apiv3']);
  });

  it('is none of a key that is on its way out, and none of a token that ends by itself, unless asked for', () => {
    assert.deepEqual(aged([key('apiv3-previous'), key('hmac-previous'), key('merchant-retired')], asked), []);
    assert.deepEqual(aged([key('access-key', { notAfter: later(1) })]), []);
    assert.deepEqual(aged([key('access-key', { notAfter: later(1) })], asked), ['access-key']);
  });

  it('begins when it is first seen, and ends maxAge later', () => {
    const apiv3 = key('apiv3');
    const known: Known = { firstSeen: noteSeen(none, [apiv3], now), createdAt: undefined };
    assert.deepEqual(agesOf([apiv3], known, byDefault).get(apiv3), { since: now, replaceBy: later(90) });
    assert.deepEqual(agesOf([apiv3], known, asked).get(apiv3), { since: now, replaceBy: later(30) });
  });

  it('begins earlier when it was made earlier, and never later than it was seen', () => {
    const apiv3 = key('apiv3');
    const since = (createdAt: Date) =>
      agesOf([apiv3], { firstSeen: new Map([['apiv3', now]]), createdAt }, byDefault).get(apiv3)?.since;
    assert.deepEqual(since(later(-10)), later(-10));
    assert.deepEqual(since(later(10)), now);
  });
});

describe('what is remembered of keys', () => {
  it('does not change when the same key is seen again', () => {
    const first = noteSeen(none, [key('apiv3'), key('merchant')], now);
    assert.deepEqual([...noteSeen(first, [key('apiv3'), key('merchant')], later(5))], [...first]);
  });

  it('is not renewed by a certificate that changes beside a secret', () => {
    const first = noteSeen(none, [key('apiv3'), key('merchant')], now);
    const second = noteSeen(first, [key('apiv3'), key('merchant', { fingerprint: 'renewed' })], later(60));
    assert.deepEqual([second.get('apiv3'), second.get('renewed')], [now, later(60)]);
  });

  it('outlives a key, so that a rollback, and a previous key that comes back, is as old as before', () => {
    const old = key('apiv3', { fingerprint: 'old' });
    let seen = noteSeen(none, [old], now);
    seen = noteSeen(seen, [key('apiv3', { fingerprint: 'new' }), { ...old, role: 'apiv3-previous' }], later(10));
    seen = noteSeen(seen, [key('apiv3', { fingerprint: 'new' })], later(20));
    assert.deepEqual(noteSeen(seen, [old], later(30)).get('old'), now);
  });

  it('says nothing of keys that are not yours', () => {
    assert.equal(noteSeen(none, [key('platform'), key('partner'), key('a role of the future')], now).size, 0);
  });

  it('stays bounded however often keys change, and forgets first what went first', () => {
    let seen = none;
    for (let index = 0; index < 400; index += 1)
      seen = noteSeen(seen, [key('access-key', { fingerprint: `token ${index}` })], later(index));
    assert.equal(seen.size, 33);
    assert.deepEqual(seen.get('token 399'), later(399));
    assert.deepEqual(seen.get('token 367'), later(367));
    assert.equal(seen.get('token 366'), undefined);
    const many = Array.from({ length: 300 }, (_, index) => key('tls', { fingerprint: `${index}` }));
    assert.equal(noteSeen(seen, many, now).size, 288, 'as many as a status can hold');
  });
});

describe('a process', () => {
  it('knows since when it has each key, through swaps and rollbacks', async (t) => {
    const loop = new Reloading(t);
    const seen = (id: string) => loop.current.firstSeen.get(`fingerprint of ${id}`);
    await loop.load({ keyId: 'A' });
    const start = loop.current.loadedAt;
    loop.clock.jump(10 * day);
    await loop.load({ keyId: 'B' });
    loop.clock.jump(10 * day);
    await loop.load({ keyId: 'A' });
    assert.equal(loop.current.generation, 3);
    assert.deepEqual(seen('A'), start);
    assert.deepEqual(seen('B'), new Date(start.getTime() + 10 * day));
  });
});
