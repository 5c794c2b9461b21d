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

  it('say what is injected, and which webhooks get the authority for it', () => {
    const injected = { injectImage: 'registry.example/paycert:0.1.0', recreatesMissing: true };
    const injection = { image: injected.injectImage, recreatesMissing: true };
    assert.deepEqual(readAdmission({ address: ':9443', tls: '/tls', ...injected }), {
      address: ':9443',
      certificate: { tls: '/tls' },
      injection,
    });
    const both = readAdmission({ address: ':9443', ...own, ...injected, injectWebhooks: 'paycert-injection' });
    assert.deepEqual([both?.injection, both?.certificate], [
      injection,
      {
        secret: { namespace: 'paycert', name: 'admission' },
        webhooks: own.webhooks,
        mutating: 'paycert-injection',
        hostNames: own.hosts,
      },
    ]); // prettier-ignore
  });

  it('say which key services every sidecar has', () => {
    const services = { local: { keyFile: '/etc/paycert/key-services/key' } };
    const words = (given: unknown) => ({ address: ':9443', tls: '/tls', injectImage: 'x', injectKeyServices: JSON.stringify(given) }); // prettier-ignore
    const read = (given: unknown) => readAdmission(words(given))?.injection?.keyServices;
    assert.deepEqual(read({ services, audience: 'vault', configMap: '' }), { services, audience: 'vault' });
    assert.equal(read({ services: {}, audience: '', configMap: '' }), undefined);
    const http = { hashivault: { address: 'http://vault.example', auth: { token: { tokenFile: '/t' } } } };
    for (const given of [null, 'x', {}, { services: http }, { services, configMap: 'A b' }, { services, token: 'x' }])
      assert.throws(() => read(given), { code: 'config-invalid' }, JSON.stringify(given));
    assert.throws(() => readAdmission({ ...words({}), injectKeyServices: '{' }), { code: 'config-invalid' });
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
      { injectImage: 'paycert:0.1.0' },
      { address: ':9443', tls: '/tls', injectKeyServices: '{}' },
      { address: ':9443', tls: '/tls', injectImage: '-x y' },
      { address: ':9443', tls: '/tls', recreatesMissing: true },
      { address: ':9443', tls: '/tls', injectImage: 'x', injectWebhooks: 'y' },
      { address: ':9443', ...own, injectWebhooks: 'y' },
      { address: ':99999', tls: '/tls' },
    ])
      assert.throws(() => readAdmission(words), { code: 'usage' }, JSON.stringify(words));
  });
});
