// How the operator evaluates a Secret: without a query to anybody on the network.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CredentialConfig } from '../../../src/config/schema/credential.ts';
import { evaluate } from '../../../src/operator/status/evaluate.ts';
import { material } from '../../../src/sources/source.ts';
import { filesOf, issue, makeAuthority, now, pairFiles } from '../../support/mtls.ts';
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
