// What the application gets: headers that no value can break out of, and a code over all of them and the body.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { validateHeaderValue } from 'node:http';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Facts, passedOn, seal } from '../../src/delivery/envelope.ts';

const now = new Date('2026-03-01T00:00:00Z');
const secret = 'a-secret-of-the-application';
const facts: Facts = { credential: 'shop', id: '1', eventType: 'T', keyId: 'K', verified: 'yes', target: '/x' };

describe('an envelope', () => {
  it('has values that every server takes, whatever a platform wrote', () => {
    const text = fc.string({ unit: 'binary', maxLength: 300 });
    fc.assert(
      fc.property(text, text, text, (id, eventType, target) => {
        const { headers } = seal({ ...facts, id, eventType, target }, Buffer.alloc(0), { secret, now });
        for (const [name, value] of Object.entries(headers)) {
          validateHeaderValue(name, value);
          assert.match(value, /^[!-~]*$/);
        }
        assert.ok((headers['Paycert-Id'] ?? '').length <= 3 * 128);
      }),
    );
  });

  it('has another code for another value of any header, another body, another time and another secret', () => {
    const body = Buffer.from('{}');
    const codes = [
      seal(facts, body, { secret, now }),
      ...Object.keys(facts).map((name) => seal({ ...facts, [name]: 'none' }, body, { secret, now })),
      seal(facts, Buffer.from('{ }'), { secret, now }),
      seal(facts, body, { secret, now: new Date(now.getTime() + 1000) }),
      seal(facts, body, { secret: `${secret}2`, now }),
    ].map(({ headers }) => headers['Paycert-Signature']);
    assert.equal(new Set(codes).size, codes.length);
  });

  it('is checked as the documents say', () => {
    const body = Buffer.from('{"a":1}');
    const { headers } = seal(facts, body, { secret, now });
    const text = `1772323200\nshop\n1\nT\nK\nyes\n/x\n${body.toString()}`;
    assert.equal(headers['Paycert-Signature'], `sha256=${createHmac('sha256', secret).update(text).digest('hex')}`);
  });

  it('passes on no header of the connection, and none that only paycert may write', () => {
    const given = { 'wechatpay-nonce': 'n', 'content-type': 'a', host: 'h', connection: 'x', 'PAYCERT-ID': '1', 'transfer-encoding': 'chunked' }; // prettier-ignore
    assert.deepEqual(passedOn(given), { 'wechatpay-nonce': 'n', 'content-type': 'a' });
  });
});
