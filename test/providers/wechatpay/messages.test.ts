// The texts that are signed are exact to the byte, and signature headers are judged in the order that tells most.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  responseMessage,
  authorization,
  isUnsignedByDesign,
  paymentMessage,
  readResponseSignature,
  requestMessage,
} from '../../../src/providers/wechatpay/messages.ts';
import { refusal } from '../../support/wechatpay.ts';

const now = new Date(1_554_209_980_000);
const at = (seconds: number): string => String(1_554_209_980 + seconds);
const headers = {
  'Wechatpay-Timestamp': at(0),
  'Wechatpay-Nonce': 'c5ac7061fccab6bf3e254dcf98995b8c',
  'Wechatpay-Signature': 'CtcbzwtQjN8rnOXItEBJ5aQFSnIXESeV28Pr2YEmf9wsDQ==',
  'Wechatpay-Serial': '5157F09EFDC096DE15EBE81A47057A7232F1B8E1',
};
const without = (name: string) => Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name));

describe('the string to sign of a request', () => {
  const text = (method: string, url: string, body = '') =>
    requestMessage({ method, url }, '1554208460', '593BEC0C930BF1AFEB40B4A08C8FB242', Buffer.from(body)).toString();

  it('of a GET with a query keeps the query as written and ends with an empty body', () => {
    assert.equal(
      text('get', '/v3/bill/tradebill?bill_date=2026-03-01&x=%E4%B8%AD+a'),
      'GET\n/v3/bill/tradebill?bill_date=2026-03-01&x=%E4%B8%AD+a\n1554208460\n593BEC0C930BF1AFEB40B4A08C8FB242\n\n',
    );
  });

  it('of a POST ends with the bytes of the body and one line feed', () => {
    assert.equal(
      text('POST', '/v3/pay/transactions/jsapi', '{"description":"测试\\/商品"}'),
      'POST\n/v3/pay/transactions/jsapi\n1554208460\n593BEC0C930BF1AFEB40B4A08C8FB242\n{"description":"测试\\/商品"}\n',
    );
    const bytes = Buffer.from([0xff, 0x00, 0x0a]);
    assert.deepEqual(
      requestMessage({ method: 'POST', url: '/' }, '1', 'n', bytes).subarray(-4),
      Buffer.from([0xff, 0x00, 0x0a, 0x0a]),
    );
  });

  it('always has exactly five parts, each ended by a line feed', () => {
    const word = fc.string({ unit: 'grapheme' }).filter((line) => !line.includes('\n'));
    fc.assert(
      fc.property(word, word, word, word, word, (method, url, timestamp, nonce, body) => {
        const parts = requestMessage({ method, url: `/${url}` }, timestamp, nonce, Buffer.from(body))
          .toString()
          .split('\n');
        assert.equal(parts.length, 6);
        assert.deepEqual(
          [parts[0], parts[2], parts[3], parts[4], parts[5]],
          [method.toUpperCase(), timestamp, nonce, body, ''],
        );
      }),
    );
  });

  it('is refused with a line break where no request has one: two requests would share a signature', () => {
    for (const [method, url, nonce] of [
      ['GET\n/x', '/', 'n'],
      ['GET', '/a\n1\nb', 'n'],
      ['GET', '/', 'n\nbody'],
    ] as const) {
      assert.throws(() => requestMessage({ method, url }, '1', nonce, Buffer.alloc(0)), refusal('request-invalid'));
    }
  });
});

describe('the other texts', () => {
  it('of an answer are timestamp, nonce and body, each ended by a line feed, also without a body', () => {
    assert.equal(responseMessage('1', 'n', Buffer.from('{"a":1}')).toString(), '1\nn\n{"a":1}\n');
    assert.equal(responseMessage('1', 'n', Buffer.alloc(0)).toString(), '1\nn\n\n');
    assert.throws(() => responseMessage('1', 'n\nhead of the body', Buffer.alloc(0)), refusal('request-invalid'));
  });

  it('of a payment are four lines', () => {
    assert.equal(paymentMessage('wx8888', '1', 'n', 'prepay_id=wx1').toString(), 'wx8888\n1\nn\nprepay_id=wx1\n');
  });

  it('of the Authorization header are one scheme and five quoted fields', () => {
    assert.equal(
      authorization({
        merchantId: '1900000001',
        nonce: 'N',
        signature: 'c2ln',
        timestamp: '1554208460',
        serial: '0ABC',
      }),
      'WECHATPAY2-SHA256-RSA2048 mchid="1900000001",nonce_str="N",signature="c2ln",timestamp="1554208460",serial_no="0ABC"',
    );
  });
});

describe('the signature headers of an answer', () => {
  it('are read in any case, with spaces around their values', () => {
    const messy = Object.fromEntries(
      Object.entries(headers).map(([name, value], index) => [
        index % 2 ? name.toUpperCase() : name.toLowerCase(),
        ` ${value} `,
      ]),
    );
    assert.deepEqual(readResponseSignature(messy, now), {
      timestamp: at(0),
      nonce: headers['Wechatpay-Nonce'],
      signature: headers['Wechatpay-Signature'],
      keyId: headers['Wechatpay-Serial'],
    });
  });

  it('are all needed, and the missing one is named', () => {
    for (const name of Object.keys(headers)) {
      const missing = { ...refusal('signature-missing'), field: name.toLowerCase() };
      assert.throws(() => readResponseSignature(without(name), now), missing);
      assert.throws(() => readResponseSignature({ ...headers, [name]: ' ' }, now), missing);
    }
  });

  it('are good up to 300 seconds either way, inclusive', () => {
    for (const offset of [-300, -299, 0, 300]) {
      assert.equal(readResponseSignature({ ...headers, 'Wechatpay-Timestamp': at(offset) }, now).timestamp, at(offset));
    }
    for (const offset of [-301, 301, 86_400]) {
      const outside = { ...headers, 'Wechatpay-Timestamp': at(offset) };
      assert.throws(() => readResponseSignature(outside, now), refusal('timestamp-outside-window'));
    }
  });

  it('with a timestamp that is no number of seconds are outside the window', () => {
    for (const timestamp of [`${at(0)}000`, `${at(0)}.0`, `+${at(0)}`, '1.554209980e9', '0x5ca35a7c', 'now', '-1']) {
      const odd = { ...headers, 'Wechatpay-Timestamp': timestamp };
      assert.throws(() => readResponseSignature(odd, now), refusal('timestamp-outside-window'), timestamp);
    }
  });

  it('name the RSA algorithm or none', () => {
    const type = (value: string) => ({ ...headers, 'Wechatpay-Signature-Type': value });
    assert.ok(readResponseSignature(type('WECHATPAY2-SHA256-RSA2048'), now));
    assert.throws(
      () => readResponseSignature(type('WECHATPAY2-SM2-WITH-SM3'), now),
      refusal('signature-algorithm-unsupported'),
    );
  });

  it('are judged in order: missing, probe, time, algorithm', () => {
    const wrong = {
      ...headers,
      'Wechatpay-Signature': 'WECHATPAY/SIGNTEST/CtcbzwtQjN8rnOXItEBJ5aQFSnIXESeV28Pr2YEmf9wsDQ==',
      'Wechatpay-Timestamp': at(9999),
      'Wechatpay-Signature-Type': 'WECHATPAY2-SM2-WITH-SM3',
    };
    const code = (repaired: Record<string, string>) => {
      try {
        readResponseSignature({ ...wrong, ...repaired }, now);
        return 'good';
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    const signature = { 'Wechatpay-Signature': headers['Wechatpay-Signature'] };
    const timestamp = { 'Wechatpay-Timestamp': at(0) };
    assert.equal(code({ 'Wechatpay-Serial': '' }), 'signature-missing');
    assert.equal(code({}), 'signature-probe');
    assert.equal(code(signature), 'timestamp-outside-window');
    assert.equal(code({ ...signature, ...timestamp }), 'signature-algorithm-unsupported');
    assert.equal(code({ ...signature, ...timestamp, 'Wechatpay-Signature-Type': 'WECHATPAY2-SHA256-RSA2048' }), 'good');
  });
});

describe('an answer that is unsigned by design', () => {
  it('is a download of a bill, a receipt or a picture, whatever its query', () => {
    for (const url of [
      'https://api.mch.weixin.qq.com/v3/billdownload/file?token=abc',
      '/v3/billdownload/file',
      '/v3/transferdownload/signfile?token=abc',
      '/v3/merchant-service/images/ChsyMDAwMDAwMDAwMDA=',
      '/v3/merchant-service/images/ChsyMDAw?x=1',
      '/v3/merchant-service/images/uploaded',
    ]) {
      assert.equal(isUnsignedByDesign(url), true, url);
    }
  });

  it('is nothing else: not the upload of a picture, not an address that begins or contains one', () => {
    for (const url of [
      '/v3/merchant-service/images/upload',
      'https://api.mch.weixin.qq.com/v3/merchant-service/images/upload?x=1',
      '/v3/billdownload/filed',
      '/v3/pay?url=/v3/billdownload/file',
      '/v3/certificates#/v3/billdownload/file',
      '/v3/merchant-service/images/',
      '/v3/certificates',
    ]) {
      assert.equal(isUnsignedByDesign(url), false, url);
    }
  });
});
