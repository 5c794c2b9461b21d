// Paths as an audit shows them: interfaces by name, orders and persons by a digest that only the key can make.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { lookupOf, publicPath } from '../../src/audit/public-path.ts';
import { auditKey } from '../support/audited.ts';

describe('a path in an audit', () => {
  it('names interfaces, and drops host, query and fragment', () => {
    for (const path of [
      '/v3/pay/transactions/jsapi',
      '/v3/global/certificates',
      '/gateway.do',
      '/pay/unifiedorder',
      '/v3/merchant-service/complaints-v2',
      '/',
    ])
      for (const url of [path, `${path}?mchid=1900000001`, `https://api.example:443${path}?a=/B/c#d`])
        assert.equal(publicPath(url, auditKey), path.replace('complaints-v2', lookupOf('complaints-v2', auditKey)));
  });

  it('shows no order number, no id of a person and no number', () => {
    for (const id of [
      '1217752501201407033233368018',
      'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o',
      '13800138000',
      'A1',
      '张三',
      'a'.repeat(33),
    ]) {
      const path = publicPath(`/v3/pay/transactions/id/${id}/close?x=${id}`, auditKey);
      assert.equal(path, `/v3/pay/transactions/id/${lookupOf(id, auditKey)}/close`);
      assert.ok(!path.includes(id));
      assert.equal(publicPath(`/v3/pay/${id}`, undefined), '/v3/pay/*');
    }
  });

  it('is found again by who has the key, and by nobody else', () => {
    const path = publicPath('/v3/refund/1001', auditKey);
    assert.ok(path.includes(lookupOf('1001', auditKey)));
    assert.ok(!path.includes(lookupOf('1001', 'another-key-of-sixteen')));
  });

  it('has a bounded length, whatever is called', () => {
    fc.assert(fc.property(fc.string({ maxLength: 5000 }), (url) => publicPath(`/${url}`, auditKey).length < 5000));
    assert.ok(publicPath('/a'.repeat(10_000), auditKey).length < 200);
  });

  it('is the same for a path alone and for a whole address', () => {
    const part = fc.constantFrom('', 'v3', 'pay', 'out-trade-no', 'a.b', 'A', '1', 'v123', 'a'.repeat(32), 'a'.repeat(33), '-', 'a\n'); // prettier-ignore
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 30 }), (parts) => {
        const path = `/${parts.join('/')}`;
        assert.equal(publicPath(path, auditKey), publicPath(`https://api.example${path}?`, auditKey));
      }),
      { numRuns: 2000 },
    );
  });
});
