// Labels and annotations of a Secret say what a resource would, in text; what makes no sense is left for the check of the spec.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PaycertError } from '../../src/errors.ts';
import { parseSpec } from '../../src/config/resource.ts';
import { ResourceKey } from '../../src/operator/resource-key.ts';
import { inLabels, isLabelled, labelledSecret, readSecretFacts } from '../../src/operator/secrets.ts';

const labelled = (provider: string, annotations: Readonly<Record<string, string>>) => {
  const metadata = { name: 'keys', labels: { 'paycert.dev/provider': provider }, annotations };
  return labelledSecret(new ResourceKey('Secret', 'pay', 'keys'), readSecretFacts({ metadata }));
};
const specOf = (provider: string, annotations: Readonly<Record<string, string>>): unknown =>
  labelled(provider, annotations).spec;

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

  const id = { 'paycert.dev/option.merchantId': '1900000001' };
  for (const [provider, annotations, expected] of [
    ['paypal', {}, /^label paycert\.dev\/provider is not one of wechatpay, /],
    ['we.chat', {}, /^label paycert\.dev\/provider is not one of wechatpay, /],
    ['', {}, /^label paycert\.dev\/provider is not one of wechatpay, /],
    ['__proto__', {}, /^label paycert\.dev\/provider is not one of wechatpay, /],
    ['wechatpay', {}, /^annotation paycert\.dev\/option\.merchantId is missing$/],
    ['wechatpay', { 'paycert.dev/option.merchantId': 'x' }, /^annotation paycert\.dev\/option\.merchantId is not 6 to 16 digits/],
    ['wechatpay', { 'paycert.dev/option.__proto__': '{"merchantId":"1900000001"}' }, /^annotation paycert\.dev\/option\./],
    ['wechatpay', { ...id, 'paycert.dev/option.apiKey': 'x' }, /^annotation paycert\.dev\/option\.apiKey is not an option/],
    ['wechatpay', { ...id, 'paycert.dev/option.a.b': 'x' }, /^annotation paycert\.dev\/option\.a\.b is not an option/],
    ['wechatpay', { ...id, [`paycert.dev/option.${'x'.repeat(40)}`]: 'x' }, /^annotation paycert\.dev\/option\.NAME is not/],
    ['wechatpay', { ...id, 'paycert.dev/option.responseKey': '{"x":5}' }, /option\.responseKey does not fit: x is not a field/],
    ['wechatpay', { ...id, 'paycert.dev/require': 'fly' }, /^annotation paycert\.dev\/require must be one of sign, verify, decrypt/],
    ['wechatpay', { ...id, 'paycert.dev/max-age': 'x' }, /^annotation paycert\.dev\/max-age is not a duration above zero/],
  ] as const)
    it(`is refused as ${provider} with ${Object.entries(annotations).join()}, in names that a Secret has`, () => {
      const resource = labelled(provider, annotations);
      assert.throws(
        () => parseSpec(resource.spec),
        (error: PaycertError) => {
          assert.equal(error.code, 'resource-invalid');
          const { code, message } = inLabels(error, resource);
          assert.equal(code, 'labels-invalid');
          assert.match(message, expected);
          assert.doesNotMatch(message, /spec\./);
          return true;
        },
      );
    }); // prettier-ignore

  it('is one by its label alone, and nothing else of it is kept', () => {
    const metadata = { name: 'a', labels: { app: 'x' }, annotations: { 'kubectl.kubernetes.io/x': 'secret' } };
    const facts = readSecretFacts({ metadata: { ...metadata, uid: 'u', resourceVersion: '1' } });
    assert.equal(isLabelled(facts), false);
    assert.deepEqual(facts, { uid: 'u', resourceVersion: '1' });
  });
});
