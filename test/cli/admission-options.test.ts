// The words of the command line about reviews: which go together, and what is said of those that do not.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readAdmission } from '../../src/cli/admission-options.ts';

const own = { secret: 'paycert/admission', webhooks: 'paycert-admission', hosts: ['paycert-admission.paycert.svc'] };

describe('the options of reviews', () => {
  it('are off without an address', () => {
    assert.equal(readAdmission({}), undefined);
  });

  it('take a mounted certificate, or where the operator keeps its own', () => {
    assert.deepEqual(readAdmission({ address: ':9443', tls: '/tls' }), {
      address: ':9443',
      certificate: { tls: '/tls' },
    });
    assert.deepEqual(readAdmission({ address: ':9443', ...own }), {
      address: ':9443',
      certificate: {
        secret: { namespace: 'paycert', name: 'admission' },
        webhooks: own.webhooks,
        hostNames: own.hosts,
      },
    });
  });

  it('are refused in halves, together, and without an address or a port', () => {
    const { secret, webhooks, hosts } = own;
    for (const words of [
      { tls: '/tls' },
      own,
      { address: ':9443' },
      { address: ':9443', secret, webhooks },
      { address: ':9443', secret, hosts },
      { address: ':9443', webhooks, hosts },
      { address: ':9443', tls: '/tls', ...own },
      { address: ':9443', ...own, secret: 'admission' },
      { address: '9443', tls: '/tls' },
      { address: ':99999', tls: '/tls' },
    ])
      assert.throws(() => readAdmission(words), { code: 'usage' }, JSON.stringify(words));
  });
});
