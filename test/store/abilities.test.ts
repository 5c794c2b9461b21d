// What keys can do at a time, in the words in which people read it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { platforms } from '../../src/providers/registry.ts';
import { abilitiesOf, endingSoon } from '../../src/store/abilities.ts';
import { makeMaterial, merchantId } from '../support/sidecar.ts';

describe('abilities', () => {
  it('name what the platform offers and the keys cannot do', async () => {
    const { files } = await makeMaterial();
    const own = new Map([...files].filter(([name]) => name.startsWith('apiclient_')));
    const context = await platforms.wechatpay.create({ merchantId }).load(own);
    assert.deepEqual(abilitiesOf(context, new Date()), { can: ['sign'], cannot: ['verify', 'decrypt', 'encrypt'] });
  });

  it('are those of that time: after the end of the certificate nothing is signed', async () => {
    const { files, merchant } = await makeMaterial();
    const context = await platforms.wechatpay.create({ merchantId }).load(files);
    const { can, cannot } = abilitiesOf(context, new Date(merchant.notAfter.getTime() + 1));
    assert.deepEqual([can.includes('sign'), cannot.includes('sign')], [false, true]);
  });

  it('leave out what the platform has no use for', async () => {
    const key = Buffer.from('x'.repeat(32));
    const partner = await platforms.hmac.create({ keyId: 'shop', scheme: 'sorted' }).load(new Map([['key', key]]));
    assert.deepEqual(abilitiesOf(partner, new Date()), { can: ['sign', 'verify'], cannot: [] });
  });
});

describe('keys that end soon', () => {
  const now = new Date('2026-01-01T00:00:00Z');
  const key = (role: string, days: number) => ({ role, keyId: role, notAfter: new Date(now.getTime() + days * 864e5) });

  it('are those in use that end within 30 days, the first to end first', () => {
    const keys = [
      key('merchant', 29.9),
      key('platform', 0),
      key('tls', 30),
      key('apiv3', -1),
      { role: 'x', keyId: 'x' },
    ];
    assert.deepEqual(
      endingSoon(keys, now).map(({ role, days }) => [role, days]),
      [
        ['platform', 0],
        ['merchant', 29],
      ],
    );
  });

  it('are not those that were replaced and are meant to end', () => {
    assert.deepEqual(endingSoon([key('merchant-retired', 1), key('apiv3-previous', 1)], now), []);
  });
});
