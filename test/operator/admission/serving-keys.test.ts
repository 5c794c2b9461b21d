// The webhooks' own certificate at every time of three years: something that the API server trusts is always shown.
import assert from 'node:assert/strict';
import { randomBytes, X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import {
  lifetimes,
  renewServingKeys,
  type ServingKeys,
  splitBundle,
} from '../../../src/operator/admission/serving-keys.ts';

const hostNames = ['paycert-admission.paycert.svc'];
const hour = 3_600_000;
const start = Date.parse('2026-01-01T00:00:00Z');

const renew = (kept: Partial<ServingKeys>, hours: number, trusted = kept['ca.crt'] ?? '') =>
  renewServingKeys(kept, { hostNames, trusted, now: new Date(start + hours * hour), random: randomBytes });

/** Whether a client that trusts the bundle takes the leaf at that time. */
function assertTrusted(leafPem: string, bundle: string, hours: number): void {
  const now = new Date(start + hours * hour);
  const leaf = new X509Certificate(leafPem);
  const issuer = splitBundle(bundle)
    .map((pem) => new X509Certificate(pem))
    .find((authority) => leaf.verify(authority.publicKey));
  assert.ok(issuer, `${hours} h: nobody trusted has issued it`);
  assert.ok(leaf.checkIssued(issuer));
  assert.equal(leaf.checkHost(hostNames[0]!), hostNames[0]);
  for (const { validFromDate, validToDate } of [leaf, issuer]) assert.ok(validFromDate <= now && now < validToDate);
}

describe('the webhooks’ own certificate', () => {
  it('is made when there is none, or what is kept is not one', () => {
    for (const kept of [{}, { 'ca.crt': 'x', 'ca.key': 'y', 'tls.crt': 'z', 'tls.key': '' }]) {
      const keys = renew(kept, 0);
      assertTrusted(keys['tls.crt'], keys['ca.crt'], 0);
      assert.equal(new X509Certificate(splitBundle(keys['ca.crt'])[0]!).ca, true);
      assert.equal(new X509Certificate(keys['tls.crt']).ca, false);
    }
  });

  it('stays as it is while nothing is due', () => {
    const keys = renew({}, 0);
    assert.equal(renew(keys, 1), keys);
    assert.equal(renew(keys, 11), keys);
  });

  it('is another for another host name, or another key', () => {
    const keys = renew({}, 0);
    const moved = renewServingKeys(keys, { hostNames: ['other.svc'], trusted: keys['ca.crt'], now: new Date(start), random: randomBytes }); // prettier-ignore
    assert.equal(new X509Certificate(moved['tls.crt']).checkHost('other.svc'), 'other.svc');
    assert.equal(moved['ca.crt'], keys['ca.crt']);
    const swapped = renew({ ...keys, 'tls.key': moved['tls.key'] }, 0);
    assert.notEqual(swapped['tls.crt'], keys['tls.crt']);
  });

  it('is trusted at every hour of three years, by who has today’s bundle and who has that of an hour ago', () => {
    let keys = renew({}, 0);
    let published = keys['ca.crt'];
    const authorities = new Set<string>();
    for (let hours = 1; hours < 3 * 365 * 24; hours += 3) {
      const next = renew(keys, hours, published);
      // A replica may show the leaf before this one, and the API server know the bundle before this one.
      if (next !== keys)
        for (const leaf of [keys, next])
          for (const bundle of [published, next['ca.crt']]) assertTrusted(leaf['tls.crt'], bundle, hours);
      assert.ok(splitBundle(next['ca.crt']).length <= 2);
      keys = next;
      published = next['ca.crt'];
      authorities.add(splitBundle(published)[0]!);
    }
    assert.equal(authorities.size, 5);
    assert.equal(splitBundle(published).length, 1);
  });

  it('is not by an authority that the API server does not trust yet, however long that takes', () => {
    const keys = renew({}, 0);
    const due = (lifetimes.authority - lifetimes.authorityLeft) / hour + 1;
    const leaf = renew(keys, due - 20);
    const rotated = renew(leaf, due, leaf['ca.crt']);
    assert.equal(splitBundle(rotated['ca.crt']).length, 2);
    assert.equal(rotated['tls.crt'], leaf['tls.crt']);
    assert.equal(renew(rotated, due + 2, leaf['ca.crt'])['tls.crt'], leaf['tls.crt']);
    const published = renew(rotated, due + 2);
    assert.notEqual(published['tls.crt'], leaf['tls.crt']);
    assertTrusted(published['tls.crt'], splitBundle(published['ca.crt'])[0]!, due + 2);
  });
});
