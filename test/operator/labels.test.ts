// Labels and annotations of a Secret say what a resource would, in text; what makes no sense is left for the check of the spec.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseSpec } from '../../src/config/resource.ts';
import { isLabelled, labelledSecret, readSecretFacts } from '../../src/operator/secrets.ts';

const specOf = (provider: string, annotations: Readonly<Record<string, string>>): unknown => {
  const metadata = { name: 'keys', labels: { 'paycert.dev/provider': provider }, annotations };
  return labelledSecret('pay', 'keys', readSecretFacts({ metadata })).spec;
};

describe('a labelled Secret', () => {
  it('keeps digits as text where the option is text, and reads numbers, switches and objects where it is not', () => {
    const wechatpay = { 'paycert.dev/option.merchantId': '1900000001', 'paycert.dev/option.legacyFieldPadding': 'true', 'paycert.dev/option.responseKey': '{"publicKeyPercent": 10}' }; // prettier-ignore
    assert.deepEqual(parseSpec(specOf('wechatpay', wechatpay)).provider, {
      wechatpay: { merchantId: '1900000001', legacyFieldPadding: true, responseKey: { publicKeyPercent: 10 } },
    });
    const word = { 'paycert.dev/option.merchantId': '1900000001', 'paycert.dev/option.responseKey': 'publicKey' };
    assert.equal(parseSpec(specOf('wechatpay', word)).provider.wechatpay?.responseKey, 'publicKey');
    const pss = { 'paycert.dev/option.appId': '5', 'paycert.dev/option.maxNonces': '2000' };
    assert.deepEqual(parseSpec(specOf('pss', pss)).provider, { pss: { appId: '5', maxNonces: 2000 } });
  });

  it('may need no options, and may say what it must be able to do', () => {
    const spec = parseSpec(specOf('aliyun', { 'paycert.dev/require': 'sign, verify' }));
    assert.deepEqual([spec.provider, spec.require], [{ aliyun: {} }, ['sign', 'verify']]);
  });

  for (const [provider, annotations] of [
    ['paypal', {}],
    ['__proto__', {}],
    ['wechatpay', { 'paycert.dev/option.__proto__': '{"merchantId":"1900000001"}' }],
    ['wechatpay', { 'paycert.dev/option.merchantId': '1900000001', 'paycert.dev/option.apiKey': 'x' }],
    ['wechatpay', { 'paycert.dev/option.merchantId': '1900000001', 'paycert.dev/require': 'fly' }],
  ] as const)
    it(`is refused as ${provider} with ${Object.entries(annotations).join()}`, () => {
      assert.throws(() => parseSpec(specOf(provider, annotations)), { code: 'resource-invalid' });
    });

  it('is one by its label alone, and nothing else of it is kept', () => {
    const metadata = { name: 'a', labels: { app: 'x' }, annotations: { 'kubectl.kubernetes.io/x': 'secret' } };
    const facts = readSecretFacts({ metadata: { ...metadata, uid: 'u', resourceVersion: '1' } });
    assert.equal(isLabelled(facts), false);
    assert.deepEqual(facts, { uid: 'u', resourceVersion: '1' });
  });
});
