// What people have at three in the morning: the refusal is found in whatever it is wrapped in.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { recognize } from '../../src/cli/explain-response.ts';
import { decodeResponse } from '../../src/cli/explain-wrapping.ts';
import { explainRefusal } from '../../src/cli/explain.ts';
import { paycert } from '../support/paycert.ts';

const body = JSON.stringify({ code: 'SIGN_ERROR', message: '商户证书序列号有误。' });
const echo = 'app_id=2021000000000001&biz_content={"a":"b"}&charset=utf-8';
const reason = `验签出错，建议检查签名字符串或签名私钥与应用公钥是否匹配，网关生成的验签字符串为：${echo}`;
const escaped = reason.replaceAll('&', '&amp;').replaceAll('"', '&quot;');

const wrapped: Readonly<Record<string, readonly [text: string, platform: string, code: string]>> = {
  'JSON as it came': [body, 'WeChat Pay APIv3', 'SIGN_ERROR'],
  'JSON behind a byte order mark': [`\uFEFF${body}`, 'WeChat Pay APIv3', 'SIGN_ERROR'],
  'JSON in a log line': [
    `2026-11-26 03:12:01 ERROR [main] pay failed: 401 ${body} order=1`,
    'WeChat Pay APIv3',
    'SIGN_ERROR',
  ],
  'a logger’s JSON, as text of a member': [
    JSON.stringify({ level: 50, code: 'ECONNABORTED', message: 'failed', response: body }),
    'WeChat Pay APIv3',
    'SIGN_ERROR',
  ],
  'a logger’s JSON, as an object, below a code of its own': [
    JSON.stringify({ code: 'ERR_BAD_REQUEST', message: 'status 401', response: { data: JSON.parse(body) as object } }),
    'WeChat Pay APIv3',
    'SIGN_ERROR',
  ],
  'JSON in quotes of a log line': [
    `level=error body="${body.replaceAll('"', '\\"')}"`,
    'WeChat Pay APIv3',
    'SIGN_ERROR',
  ],
  'what an SDK prints': [
    'error http response:[StatusCode: 401 Code: "SIGN_ERROR"\nMessage: Authorization不合法',
    'WeChat Pay APIv3',
    'SIGN_ERROR',
  ],
  'what curl -i prints': [
    `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\n\r\n${body}`,
    'WeChat Pay APIv3',
    'SIGN_ERROR',
  ],
  'XML of WeChat Pay v2': [
    '<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[签名错误]]></return_msg></xml>',
    'WeChat Pay v2',
    '',
  ],
  'XML of Aliyun': [
    "<?xml version='1.0' encoding='UTF-8'?><Error><RequestId>A</RequestId><Code>SignatureDoesNotMatch</Code><Message>server string to sign is:GET&amp;%2F&amp;A%3D1</Message></Error>",
    'Aliyun OpenAPI',
    'SignatureDoesNotMatch',
  ],
  'the text of Alipay’s error page': [
    `调试错误，请回到请求来源地，重新发起请求。\n错误代码 invalid-signature 错误原因: ${reason}\n版权所有`,
    'Alipay',
    'invalid-signature',
  ],
  'the HTML of Alipay’s error page': [
    `<html><head><title>支付宝</title></head><body><p>调试错误</p><div>错误代码 <b>invalid-signature</b> 错误原因: ${escaped}</div><p>版权所有</p></body></html>`,
    'Alipay',
    'invalid-signature',
  ],
};

const alipay = JSON.stringify({
  alipay_trade_pay_response: { code: '40002', sub_code: 'isv.invalid-signature', sub_msg: reason },
});
const xml = '<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[签名错误]]></return_msg></xml>';
const toSign = 'server string to sign is:GET&%2F&A%3D1';
/** As Python prints bytes, and nginx what is not ASCII. */
const escapedBytes = (text: string): string =>
  [...Buffer.from(text)]
    .map((byte) => (byte > 126 || byte === 34 ? `\\x${byte.toString(16)}` : String.fromCharCode(byte)))
    .join('');
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const swapped = (text: string): Buffer => Buffer.from(`\uFEFF${text}`, 'utf16le').swap16();

/** How loggers, SDKs, shells and people wrap the same. */
const rewritten: Readonly<Record<string, readonly [text: string | Buffer, platform: string, code: string]>> = {
  'bytes as Python prints them': [`b'${escapedBytes(body)}'`, 'WeChat Pay APIv3', 'SIGN_ERROR'],
  'XML as Python prints its bytes': [`b'${escapedBytes(xml)}'`, 'WeChat Pay v2', ''],
  'a dictionary as Python prints it': ["{'return_code': 'FAIL', 'return_msg': '签名错误'}", 'WeChat Pay v2', ''],
  'a log of nginx': [`body: "${escapedBytes(body)}"`, 'WeChat Pay APIv3', 'SIGN_ERROR'],
  'a percent-encoded parameter': [`level=error&body=${encodeURIComponent(alipay)}`, 'Alipay', 'isv.invalid-signature'],
  'a percent-encoded line': [encodeURIComponent(body), 'WeChat Pay APIv3', 'SIGN_ERROR'],
  'base64': [base64(body), 'WeChat Pay APIv3', 'SIGN_ERROR'],
  'base64 of XML in a line': [`payload=${base64(xml)} attempt=1`, 'WeChat Pay v2', ''],
  'base64 in a member of JSON': [JSON.stringify({ isBase64Encoded: true, body: base64(alipay) }), 'Alipay', 'isv.invalid-signature'],
  'an archive of a browser': [JSON.stringify({ log: { entries: [{ response: { content: { encoding: 'base64', text: base64(body) } } }] } }), 'WeChat Pay APIv3', 'SIGN_ERROR'],
  'entities of HTML': [alipay.replaceAll('"', '&#34;'), 'Alipay', 'isv.invalid-signature'],
  'XML in entities of HTML': [xml.replaceAll('<', '&lt;').replaceAll('>', '&gt;'), 'WeChat Pay v2', ''],
  'XML with an attribute': [xml.replace('<xml>', '<xml version="1">'), 'WeChat Pay v2', ''],
  'XML that was cut off': [xml.slice(0, -12), 'WeChat Pay v2', ''],
  'UTF-16 of PowerShell': [Buffer.from(`\uFEFF${body}`, 'utf16le'), 'WeChat Pay APIv3', 'SIGN_ERROR'],
  'UTF-16 in the other order': [swapped(alipay), 'Alipay', 'isv.invalid-signature'],
  'gzip': [gzipSync(body), 'WeChat Pay APIv3', 'SIGN_ERROR'],
  'what Aliyun’s Tea SDK throws': [`Tea.exceptions.TeaException: Error: SignatureDoesNotMatch code: 400, x ${toSign} request id: 8A`, 'Aliyun OpenAPI', 'SignatureDoesNotMatch'],
  'what Aliyun’s SDK for Java throws': [`com.aliyuncs.exceptions.ClientException: SignatureDoesNotMatch : x ${toSign}\r\nRequestId : 8A`, 'Aliyun OpenAPI', 'SignatureDoesNotMatch'],
  'JSON that was cut off': [body.slice(0, -4), 'WeChat Pay APIv3', 'SIGN_ERROR'],
  'a table of values': [`2026,"${body.replaceAll('"', '""')}",x`, 'WeChat Pay APIv3', 'SIGN_ERROR'],
  'lines with a prefix each': [JSON.stringify(JSON.parse(body), null, 2).replace(/^/gm, '[pod/shop-1/app] '), 'WeChat Pay APIv3', 'SIGN_ERROR'],
  'an array as PHP prints it': ['Array\n(\n    [code] => SIGN_ERROR\n    [message] => 签名错误\n)\n', 'WeChat Pay APIv3', 'SIGN_ERROR'],
  'a hash of Ruby': ['{"code"=>"SIGN_ERROR", "message"=>"签名错误"}', 'WeChat Pay APIv3', 'SIGN_ERROR'],
  'an object of Node': ["AxiosError {\n  code: 'ERR_BAD_REQUEST',\n  response: { data: { code: 'SIGN_ERROR' } }\n}", 'WeChat Pay APIv3', 'SIGN_ERROR'],
  'colours of a terminal': [`\u001b[31m"code"\u001b[0m:\u001b[32m"SIGN_ERROR"\u001b[0m`, 'WeChat Pay APIv3', 'SIGN_ERROR'],
  'curly quotes of a chat': [body.replace(/"([^"]*)"/g, '“$1”'), 'WeChat Pay APIv3', 'SIGN_ERROR'],
}; // prettier-ignore

describe('a refusal that somebody wrapped is found', () => {
  for (const [how, [text, platform, code]] of Object.entries(rewritten))
    it(`in ${how}`, () => {
      const found = recognize(decodeResponse(Buffer.from(text as string)));
      assert.deepEqual([found?.platform.platform, found?.refusal.code], [platform, code]);
      assert.equal(found?.refusal.about, 'signature');
    });

  it('within seconds, however the wrappings hold each other', () => {
    const started = process.cpuUsage();
    recognize('%25'.repeat(80_000) + '%22\\x22&quot;eyJh'.repeat(2000));
    recognize('eyJ'.repeat(80_000));
    recognize('&amp;'.repeat(50_000) + '&quot;');
    assert.ok(process.cpuUsage(started).user < 10_000_000);
  });
});

describe('a refusal is found', () => {
  for (const [how, [text, platform, code]] of Object.entries(wrapped))
    it(`in ${how}`, () => {
      const found = recognize(text);
      assert.deepEqual([found?.platform.platform, found?.refusal.code], [platform, code]);
      assert.equal(found?.refusal.about, 'signature');
    });

  it('in GBK, which Alipay writes whatever was asked for', () => {
    // 验签 in GBK.
    const bytes = Buffer.concat([
      Buffer.from('{"error_response":{"code":"40002","sub_code":"isv.invalid-signature","sub_msg":"'),
      Buffer.from('d1e9c7a9', 'hex'),
      Buffer.from('"}}'),
    ]);
    assert.match(decodeResponse(bytes), /验签/);
    assert.equal(recognize(decodeResponse(bytes))?.refusal.code, 'isv.invalid-signature');
  });

  it('in Alipay’s page with the text that the gateway built, to compare', () => {
    for (const how of ['the text of Alipay’s error page', 'the HTML of Alipay’s error page']) {
      const [text] = wrapped[how]!;
      const explain = (signed: string) =>
        JSON.parse(explainRefusal({ body: Buffer.from(text), signed: Buffer.from(signed) }, true)) as {
          difference?: { part: string };
        };
      assert.equal(explain(echo).difference, undefined, how);
      assert.equal(explain(echo.replace('"b"', '"c"')).difference?.part, 'biz_content', how);
    }
  });

  it('or none, whatever is pasted, and quickly', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '"',
      '\\"',
      '<xml>',
      '</xml>',
      'SIGN_ERROR',
      '错误代码 ',
      '<Error>',
      '\n',
      'a',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 60 }), (parts) => {
        recognize(parts.join(''));
      }),
    );
    const started = process.cpuUsage();
    recognize('{"a":'.repeat(60_000));
    recognize('<xml>'.repeat(60_000));
    assert.ok(process.cpuUsage(started).user < 20_000_000);
  });
});

describe('paycert explain', { timeout: 900_000 }, () => {
  it('shows the words of a refusal that has no code, and nothing in them that may be an id or a command of a terminal', () => {
    const say = (words: string) =>
      explainRefusal(
        { body: Buffer.from(`<xml><return_code>FAIL</return_code><return_msg>${words}</return_msg></xml>`) },
        false,
      );
    assert.match(say('签名错误，请检查后再试'), /WeChat Pay v2 refused the request: “签名错误，请检查后再试”/);
    assert.match(say('签名错误 \u001b[31mo6_bmj7 a@b.cn'), /request: “签名错误 … …”/);
  });

  it('speaks of its own options, not of the HTTP API', async () => {
    const explain = (args: readonly string[]) => paycert(['explain', ...args], { input: body });
    const [signed, request] = await Promise.all([
      explain(['--signed', '/dev/null']),
      explain(['--request', '/dev/null']),
    ]);
    assert.match(signed.stderr, /--signed is empty: give the text that was signed/);
    assert.match(request.stderr, /--request is empty/);
    for (const { stderr, code } of [signed, request]) {
      assert.doesNotMatch(stderr, /openapi|one JSON object in UTF-8/);
      assert.equal(code, 64);
    }
  });

  it('ends with 0 about the signature, 1 about something else, 64 where nobody knows', async () => {
    for (const [input, code, said] of [
      [body, 0, /does not show what the platform built[^]*Likely causes/],
      ['{"code":"SIGN_ERROR","message":"错误的签名，验签失败"}', 0, /no text to compare[^]*Check in this order:\n1\. /],
      ['{"code":"ORDER_NOT_EXIST","message":"x"}', 1, /ORDER_NOT_EXIST\n\nThis is not about the signature/],
      ['{"code":"BRAND_NEW","message":"x"}', 64, /unknown here[^]*https:\/\/pay\.weixin\.qq\.com/],
    ] as const) {
      const ended = await paycert(['explain'], { input });
      assert.equal(ended.code, code, input);
      assert.match(ended.stdout, said);
    }
  });

  it('says that a request is only half, instead of an empty body', () => {
    const built = 'POST\n/v3/pay/transactions/jsapi\n1700000000\nabc\n{"mchid":\n';
    const refused = JSON.stringify({
      code: 'SIGN_ERROR',
      message: '错误的签名，验签失败',
      detail: { sign_information: { truncated_sign_message: built, sign_message_length: 200 } },
    });
    const explain = (request: object) =>
      explainRefusal({ body: Buffer.from(refused), request: Buffer.from(JSON.stringify(request)) }, true);
    const authorization =
      'WECHATPAY2-SHA256-RSA2048 mchid="1",nonce_str="abc",signature="A",timestamp="1700000000",serial_no="A"';
    const answered = { method: 'POST', url: '/v3/pay/transactions/jsapi', headers: { Authorization: authorization } };
    assert.throws(() => explain(answered), /has no body: it is only half/);
    assert.throws(() => explain({ method: 'POST', url: '/v3/pay/transactions/jsapi', body: '{}' }), /only half/);
    assert.throws(() => explain({ params: { out_trade_no: '1' } }), /has no method: it is only half/);
    assert.throws(() => explain({ method: 'POST', params: {} }), /has no url: it is only half/);
    assert.match(explain({ ...answered, body: '' }), /body-missing/);
    // The response once more, as happens at night.
    assert.throws(() => explain(JSON.parse(refused) as object), /is what the platform answered: give that as FILE/);
  });
});
