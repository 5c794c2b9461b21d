// How the operator evaluates a Secret: without a query to anybody on the network.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CredentialConfig } from '../../../src/config/schema/credential.ts';
import { type Accepted, evaluate, type SecretEvaluation } from '../../../src/operator/status/evaluate.ts';
import { material } from '../../../src/sources/source.ts';
import { day, filesOf, issue, makeAuthority, now, pairFiles } from '../../support/mtls.ts';
import { makeMaterial, withFiles } from '../../support/wechatpay.ts';
import { listPem, makeList } from '../../support/revocation.ts';

const authority = await makeAuthority();
const client = await issue(authority, 'client');

const codes = async (lists: Readonly<Record<string, string>>, revocation: object) => {
  const provider = { mtls: { revocation } } as CredentialConfig['provider'];
  const data = filesOf({ ...pairFiles(client), 'ca.crt': authority.certificate, ...lists });
  const candidate = { credential: { provider }, material: material(data), accepted: undefined };
  const { violations } = await evaluate(candidate, now);
  return violations.map(({ code }) => code);
};

describe('a Secret that is not valid yet', () => {
  const from = (days: number) => new Date(Math.ceil(now.getTime() / 1000) * 1000 + days * day);
  const of = async (dates: object) => {
    const issued = await issue(authority, 'client', dates);
    const data = filesOf({ ...pairFiles(issued), 'ca.crt': authority.certificate });
    const credential = { provider: { mtls: { revocation: { whenUnknown: 'reject' } } } } as const;
    return evaluate({ credential, material: material(data), accepted: undefined }, now);
  };

  it('is deferred until it is, although only a sidecar finds out whether it is revoked', async () => {
    const { deferredUntil, violations, until } = await of({ notBefore: from(2), notAfter: from(9) });
    assert.deepEqual(
      violations.map(({ code }) => code),
      ['certificate-not-yet-valid'],
    );
    assert.deepEqual([deferredUntil, until], [from(2), from(2)]);
  });

  it('is not deferred if it ends before it begins, or has begun', async () => {
    assert.equal((await of({ notBefore: from(2), notAfter: from(1) })).deferredUntil, undefined);
    assert.equal((await of({ notBefore: from(-2), notAfter: from(2) })).deferredUntil, undefined);
  });

  it('ends to be usable with the first certificate in use that ends', async () => {
    assert.deepEqual((await of({ notBefore: from(-2), notAfter: from(9) })).usableUntil, from(9));
  });
});

describe('authorities that are emptied', () => {
  const load = (texts: Readonly<Record<string, string>>, accepted?: Accepted) => {
    const data = filesOf({ ...pairFiles(client), ...texts });
    return evaluate({ credential: { provider: { mtls: {} } }, material: material(data), accepted }, now);
  };
  const acceptedOf = ({ snapshotId, capabilities, trust }: SecretEvaluation): NonNullable<Accepted> => ({
    snapshotId,
    secretResourceVersion: '1',
    time: now.toISOString(),
    capabilities: [...capabilities],
    trust: [...trust],
  });
  const full = { 'ca.crt': authority.certificate, 'tls.ca.crt': authority.certificate };

  it('are refused, as a sidecar that runs refuses them, however long ago they were accepted', async () => {
    const first = await load(full);
    assert.deepEqual([first.trust, first.violations], [['ca.crt', 'tls.ca.crt'], []]);
    const { violations } = await load({ 'ca.crt': '' }, acceptedOf(first));
    assert.deepEqual(
      violations.map(({ code, field }) => [code, field]),
      [['trust-emptied', 'ca.crt']],
    );
  });

  it('are refused also where no key of the set has changed: another part holds the same', async () => {
    const first = await load(full);
    const second = await load({ ...full, 'ca.crt': '' }, acceptedOf(first));
    assert.equal(second.snapshotId, first.snapshotId);
    assert.deepEqual(
      second.violations.map(({ code }) => code),
      ['trust-emptied'],
    );
  });

  it('may be removed, and be empty from the first', async () => {
    assert.deepEqual((await load({}, acceptedOf(await load(full)))).violations, []);
    const empty = await load({ 'ca.crt': '' });
    assert.deepEqual([empty.violations, empty.trust], [[], []]);
    assert.deepEqual((await load({ 'ca.crt': '' }, acceptedOf(empty))).violations, []);
  });
});

describe('a Secret whose key stays elsewhere', () => {
  const provider = { wechatpay: { merchantId: '1900000001' } };
  const evaluateFiles = (files: ReadonlyMap<string, Uint8Array>) =>
    evaluate({ credential: { provider }, material: material(files), accepted: undefined }, now);
  const reference = { 'apiclient_key.pem': 'hashivault://pay?version=1' };

  it('is not checked here, where nothing else is wrong: no address and no key that a tenant named is used', async () => {
    const { files } = await makeMaterial({ now });
    await assert.rejects(evaluateFiles(withFiles(files, reference)), { code: 'not-checked-here', kind: 'source' });
  });

  it('is invalid for everything that can be seen without it', async () => {
    const { files } = await makeMaterial({ now });
    const { violations } = await evaluateFiles(withFiles(files, { ...reference, apiv3_key: 'short' }));
    assert.deepEqual(
      violations.map(({ code }) => code),
      ['apiv3-key-length'],
    );
  });
});

describe('a Secret for mTLS', () => {
  it('is no worse for what only a sidecar finds out: lists that it downloads, responders that it asks', async () => {
    assert.deepEqual(await codes({}, { urls: ['http://127.0.0.1:1/a.crl'], whenUnknown: 'reject' }), []);
    assert.deepEqual(await codes({}, { whenUnknown: 'reject' }), []);
  });

  it('whose own list names the certificate is invalid', async () => {
    const lists = { 'ca.crl': listPem(await makeList(0, [client.serialNumber])) };
    assert.deepEqual(await codes(lists, { whenUnknown: 'reject' }), ['certificate-revoked']);
  });
});
