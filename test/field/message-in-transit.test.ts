// A message that is no longer as it was received: parsed, its headers in lists, decoded once too often, written again. Each is recognised.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { PaycertError, startPaycert } from '../../src/index.ts';
import type { NotificationInput, ReceivedInput } from '../../src/index.ts';
import { createAlipayMaterial } from '../../src/testing/alipay-material.ts';
import { alipay } from '../../src/providers/alipay/provider.ts';
import { hmac } from '../../src/providers/hmac/provider.ts';
import { wechatpayV2 } from '../../src/providers/wechatpay-v2/provider.ts';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import { signMessage } from '../../src/testing/wechatpay-message.ts';
import { makeMaterial, merchantId, start, startApi } from '../support/api-server.ts';
import { filesOf } from '../support/mtls.ts';
import { paycert } from '../support/paycert.ts';
import { makeDirectory } from '../support/sidecar.ts';

const material = await makeMaterial();
const appId = '2021000000000001';
const credentials = {
  shop: { files: material.files },
  alipay: {
    files: (await createAlipayMaterial({ appId, now: start })).files,
    provider: alipay({ appId, mode: 'certificate' }),
  },
  v2: { files: filesOf({ apiv2_key: 'k'.repeat(32) }), provider: wechatpayV2({ merchantId }) },
  partner: { files: filesOf({ key: 'k'.repeat(32) }), provider: hmac({ keyId: 'shop-1', scheme: 'sorted' }) },
};
const api = await startApi(credentials);
after(() => api[Symbol.asyncDispose]());

const text = '{"id":"EV-1","summary":"支付成功","resource":{"algorithm":"AEAD_AES_256_GCM"}}';
const { headers } = signMessage(Buffer.from(text), { platformKey: material.platformKeys[0]!, now: start });
const parsed = JSON.parse(text) as object;
const bytes = Buffer.from(text);
const signature = headers['Wechatpay-Signature']!;
const signed = (value: string) => ({ ...headers, 'Wechatpay-Signature': value });

async function refusal(operation: string, input: unknown, credential = 'shop'): Promise<string> {
  const path = `/v1/credentials/${credential}/${operation}`;
  const headers = { 'Content-Type': 'application/json' };
  const { text: content } = await api.call({ path, headers, body: JSON.stringify(input) });
  const { title, detail } = JSON.parse(content) as { title: string; detail: string };
  return `${title}: ${detail}`;
}

type Case = readonly [what: string, input: object, said: RegExp];

const bodies: readonly Case[] = [
  ['parsed JSON', { headers, body: parsed }, /^request-invalid: body is parsed JSON: give the body as it was received/],
  ['a parsed list', { headers, body: [parsed] }, /^request-invalid: body is parsed JSON/],
  ['a Buffer as JSON', { headers, body: bytes }, /^request-invalid: body is bytes as JSON writes them: .+bodyBase64$/],
  ['a Uint8Array as JSON', { headers, body: Uint8Array.from(bytes) }, /^request-invalid: body is bytes as JSON/],
  [
    'written again with blanks',
    { headers, body: JSON.stringify(parsed, undefined, 1) },
    /^signature-invalid: the body was parsed and written again/,
  ],
  [
    'written again as Python does',
    { headers, body: text.replaceAll(':', ': ').replaceAll(',', ', ') },
    /parsed and written again/,
  ],
  [
    'written again in ASCII',
    { headers, body: text.replace(/[^ -~]/g, (one) => `\\u${one.charCodeAt(0).toString(16)}`) },
    /parsed and written again/,
  ],
  ['with a line end', { headers, body: `${text}\r\n` }, /parsed and written again/],
  ['behind a byte order mark', { headers, body: `\ufeff${text}` }, /parsed and written again/],
  ['lost', { headers, body: '' }, /^signature-invalid: the body is empty: it was read before, or lost/],
  [
    'base64',
    { headers, body: bytes.toString('base64') },
    /^signature-invalid: the body is base64: give it as bodyBase64/,
  ],
  [
    'JSON in JSON',
    { headers, body: JSON.stringify(text) },
    /^signature-invalid: the body was parsed and written again/,
  ],
  [
    'decoded in another charset',
    { headers, body: text.replace('支', '\ufffd') },
    /^signature-invalid: the body holds U\+FFFD/,
  ],
  ...(
    [
      ['escaped for HTML', { body: text.replaceAll('"', '&quot;') }, /escaped for HTML/],
      ['decoded as Latin-1', { body: bytes.toString('latin1') }, /decoded as Latin-1 and written again in UTF-8/],
      ['percent-encoded', { body: encodeURIComponent(text) }, /percent-encoded as a whole: decode it once/],
      ['printed by Python', { body: text.replaceAll('"', "'") }, /a dictionary as Python prints it/],
      ['cut off', { body: text.slice(0, -5) }, /is cut off: it ends before its JSON does/],
      ['sent twice', { body: text + text }, /the body is there twice/],
      ['compressed', { bodyBase64: gzipSync(text).toString('base64') }, /compressed with gzip/],
      ['in hexadecimal', { body: bytes.toString('hex') }, /in hexadecimal: give its bytes/],
      ['in UTF-16', { bodyBase64: Buffer.from(text, 'utf16le').toString('base64') }, /is in UTF-16/],
      ['with backslashes', { body: text.replaceAll('"', '\\"') }, /a backslash before each quote/],
    ] as const
  ).map(([what, body, said]): Case => [what, { headers, ...body }, new RegExp(`^signature-invalid: .*${said.source}`)]),
  ...(
    [
      ['escaped for HTML', `{&quot;id&quot;:1}`],
      ['percent-encoded', '%7B%22id%22%3A1%7D'],
      ['sent twice', '{"id":"EV-2222"}{"id":"EV-2222"}'],
    ] as const
  ).map(([what, body]): Case => [
    `${what}, of somebody else`,
    { headers, body },
    /^signature-invalid: the signature does not match$/,
  ]),
  [
    'of somebody else',
    { headers, body: text.replace('EV-1', 'EV-2') },
    /^signature-invalid: the signature does not match$/,
  ],
  ['base64 without its padding', { headers, bodyBase64: 'YQ' }, /^request-invalid: bodyBase64 is not valid base64$/],
  [
    'base64url',
    { headers, bodyBase64: 'a-_b' },
    /^request-invalid: bodyBase64 is base64url: write \+ for - and \/ for _/,
  ],
  ['base64 in lines', { headers, bodyBase64: 'YWJj\nYWJj\n' }, /^request-invalid: bodyBase64 has line ends/],
  [
    'base64 decoded once too often',
    { headers, bodyBase64: 'ab c' },
    /^request-invalid: bodyBase64 has blanks where \+ stood/,
  ],
];

const listed = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]));

const heads: readonly Case[] = [
  ['pairs', { headers: Object.entries(headers), body: text }, /^request-invalid: headers is a list: give a mapping/],
  ['a flat list, as rawHeaders is', { headers: Object.entries(headers).flat(), body: text }, /headers is a list/],
  [
    'a list for each name',
    { headers: listed, body: text },
    /^request-invalid: headers.Wechatpay-Timestamp is a list: give its one value/,
  ],
  [
    'a Headers object as JSON',
    { headers: new Headers(headers), body: text },
    /^signature-missing: there are no headers \(a Headers or a Map is \{\} as JSON\)/,
  ],
  [
    'a name in two cases, with two values',
    { headers: { ...headers, 'WECHATPAY-SERIAL': 'A1' }, body: text },
    /^request-invalid: headers.wechatpay-serial stands twice/,
  ],
];

const signatures: readonly Case[] = [
  [
    'decoded once too often',
    { headers: signed(`a b${signature.slice(3)}`), body: text },
    /^signature-invalid: the signature has blanks where \+ stood/,
  ],
  [
    'not decoded',
    { headers: signed(encodeURIComponent(signature)), body: text },
    /^signature-invalid: the signature is still percent-encoded/,
  ],
];

describe('the local API', () => {
  for (const [part, cases] of Object.entries({ body: bodies, headers: heads, signature: signatures }))
    for (const [what, input, said] of cases)
      it(`recognises what became of a ${part}: ${what}`, async () => {
        assert.match(await refusal('verify', { kind: 'notification', ...input }), said);
        assert.match(await refusal('notification', input), said);
      });

  it('takes a name twice where both say the same, and names in any case', async () => {
    const upper = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]));
    const input = { kind: 'notification', headers: { ...headers, ...upper }, body: text };
    assert.equal((await api.post('verify', input)).status, 200);
  });

  for (const [what, credential, said] of [
    [
      'Alipay’s form',
      'alipay',
      /^message-malformed: the body is JSON, and was parsed on its way here: a form is name=value&name=value$/,
    ],
    [
      'WeChat Pay’s XML',
      'v2',
      /^message-malformed: the body is not the XML of WeChat Pay v2: it is JSON, and was parsed/,
    ],
    ['a partner’s form', 'partner', /^message-malformed: the body is JSON, and was parsed/],
  ] as const)
    it(`recognises JSON that was ${what}`, async () => {
      const input = { kind: 'notification', body: JSON.stringify({ sign: 'x', app_id: '1' }) };
      assert.match(await refusal('verify', input, credential), said);
    });

  const form = 'app_id=2021&notify_id=1&charset=utf-8&sign_type=RSA2&sign=x';
  for (const [what, body, said] of [
    ['escaped for HTML', form.replaceAll('&', '&amp;'), /has &amp; for &/],
    ['percent-encoded as a whole', encodeURIComponent(form), /is percent-encoded as a whole: decode it once/],
    ['written as a map of Java', `{${form.replaceAll('&', ', ')}}`, /is a map as Java writes it/],
    ['decoded in another charset', form.replace('x', '%EF%BF%BD'), /U\+FFFD/],
    ['put in quotes', JSON.stringify(form), /is in quotes/],
    ['given with its question mark', `?${form}`, /begins with a question mark/],
    ['given as an address', `https://shop.example/notify?${form}`, /is an address/],
    ['written in parts', '--x\r\nContent-Disposition: form-data; name="sign"\r\n\r\nx\r\n--x--', /is in parts/],
    ['printed by Python', "{'sign': 'x'}", /a dictionary as Python prints it/],
    ['printed by PHP', 'Array\n(\n [sign] => x\n)\n', /a map as PHP or Go prints it/],
    ['printed by Go', 'map[sign:[x]]', /a map as PHP or Go prints it/],
    ['not decoded', form.replace('sign=x', 'sign=a%252Fb%252B'), /the signature is still percent-encoded/],
    ['decoded once too often', form.replace('sign=x', 'sign=a+b'), /the signature has blanks where \+ stood/],
  ] as const)
    it(`recognises a form that was ${what}`, async () => {
      assert.match(await refusal('notification', { body }, 'alipay'), said);
    });

  const xml = '<xml><return_code>SUCCESS</return_code><sign>x</sign></xml>';
  const sealed = JSON.stringify({ resource: { algorithm: 'AEAD_AES_256_GCM' } });
  for (const [what, credential, input] of [
    ['WeChat Pay v2', 'shop', { body: xml }],
    ['WeChat Pay v2', 'alipay', { headers: { 'content-type': 'text/xml' }, body: xml }],
    ['WeChat Pay APIv3', 'alipay', { headers, body: text }],
    ['WeChat Pay APIv3', 'v2', { headers, body: text }],
    ['WeChat Pay APIv3', 'v2', { body: sealed }],
    ['Alipay', 'shop', { body: form }],
    ['Alipay', 'v2', { body: form }],
    ['Alipay', 'shop', { headers: { 'alipay-signature': 'x' }, body: '{}' }],
  ] as const)
    it(`says that a notification is one of ${what}, to ${credential}`, async () => {
      const said = new RegExp(`^message-misdirected: it is a message of ${what}, and this credential is for`);
      assert.match(await refusal('notification', input, credential), said);
    });

  for (const [what, body, said] of [
    ['escaped for HTML', '&lt;xml&gt;', /escaped for HTML/],
    ['put in quotes', JSON.stringify('<xml></xml>'), /in quotes/],
    ['percent-encoded', encodeURIComponent('<xml></xml>'), /percent-encoded as a whole/],
    ['parsed and written as a form', 'sign=x&return_code=SUCCESS', /a form, and was parsed/],
    ['lost', '', /is empty/],
    ['cut off', '<xml><sign>x</sign><a>', /an element|no end|cut off|does not end/],
    ['cut off inside a name', '<xml><sign>x</sign><attac', /cut off/],
  ] as const)
    it(`recognises XML that was ${what}`, async () => {
      assert.match(await refusal('notification', { body }, 'v2'), said);
    });

  it('says which header is there with another prefix, or without its hyphens', async () => {
    for (const [change, there] of [
      [(name: string) => `X-Original-${name}`, 'X-Original-Wechatpay-Timestamp'],
      [(name: string) => name.replaceAll('-', ''), 'WechatpayTimestamp'],
    ] as const) {
      const renamed = Object.fromEntries(Object.entries(headers).map(([name, value]) => [change(name), value]));
      assert.match(
        await refusal('notification', { headers: renamed, body: text }),
        new RegExp(`is there as ${there}: give it`),
      );
    }
  });

  it('says which header is there under the name that CGI gives it', async () => {
    for (const rename of [
      (name: string) => `HTTP_${name.toUpperCase().replaceAll('-', '_')}`,
      (name: string) => name.toLowerCase().replaceAll('-', '_'),
    ]) {
      const renamed = Object.fromEntries(Object.entries(headers).map(([name, value]) => [rename(name), value]));
      const said = await refusal('notification', { headers: renamed, body: text });
      assert.match(said, /^signature-missing: the header wechatpay-timestamp is missing, and is there as \w+: give it/);
    }
  });

  it('names the call that a response of Alipay needs', async () => {
    const body = '{"alipay_trade_query_response":{"code":"10000"},"sign":"x"}';
    const said = await refusal('verify', { kind: 'response', body }, 'alipay');
    assert.match(said, /^request-invalid: apiMethod is missing: .+, which here is alipay\.trade\.query$/);
  });

  it('recognises a request that was built as an object', async () => {
    const input = { method: 'POST', url: '/v3/x', body: { amount: 1 } };
    assert.match(await refusal('authorize', input), /^request-invalid: body is parsed JSON/);
    const call = { apiMethod: 'alipay.trade.query', bizContent: { a: 1 } };
    assert.match(await refusal('authorize', call, 'alipay'), /^request-invalid: bizContent is parsed JSON/);
    assert.match(await refusal('sign', { message: {} }), /^request-invalid: message is parsed JSON/);
  });
});

describe('a program with the library', { timeout: 900_000 }, () => {
  it('that gives a whole configuration is told to give its credentials', async () => {
    const whole = { listen: { socket: '/run/x' }, credentials: [] } as unknown as Parameters<typeof startPaycert>[0];
    await assert.rejects(startPaycert(whole), {
      code: 'config-invalid',
      message: /pass `credentials` of the configur/,
    });
  });

  it('recognises the same, where no compiler checks what it hands over', async (t) => {
    const path = await makeDirectory(t);
    await createSecretVolume(path, material.files);
    const source = { files: { path } };
    await using running = await startPaycert([{ name: 'shop', provider: { wechatpay: { merchantId } }, source }]);
    const current = running.current('shop');
    const message = async (input: unknown): Promise<string> => {
      const attempts = [
        current.receive(input as NotificationInput, { now: start }),
        current.verify(input as ReceivedInput, { now: start }),
      ];
      const [one, other] = (await Promise.allSettled(attempts)).map((attempt) => {
        assert.ok(attempt.status === 'rejected' && attempt.reason instanceof PaycertError, String(input));
        return `${attempt.reason.code}: ${attempt.reason.message}`;
      });
      assert.equal(one, other);
      return one!;
    };
    const kind = 'notification';
    // As Node's own type of headers allows.
    const absent = { ...headers, cookie: undefined } as unknown as typeof headers;
    assert.ok((await current.verify({ kind, headers: absent, body: bytes }, { now: start })).keyId);
    for (const [input, said] of [
      [{ kind, headers, body: parsed }, /^request-invalid: body is parsed JSON: give the body as it was received/],
      [
        { kind, headers, body: bytes.toJSON() },
        /^request-invalid: body is bytes as JSON writes them: give them as a Buffer$/,
      ],
      [{ kind, headers, body: bytes.buffer }, /^request-invalid: body must be text or a Uint8Array$/],
      [{ kind, headers }, /^request-invalid: body is missing$/],
      [
        { kind, headers: new Headers(headers), body: bytes },
        /^request-invalid: headers is a Headers or a Map: give Object.fromEntries/,
      ],
      [
        { kind, headers: new Map(Object.entries(headers)), body: bytes },
        /^request-invalid: headers is a Headers or a Map/,
      ],
      [{ kind, headers: Object.entries(headers), body: bytes }, /^request-invalid: headers is a list/],
      [{ kind, headers: listed, body: bytes }, /^request-invalid: headers.Wechatpay-Timestamp is a list/],
      [
        { kind, headers: 'Wechatpay-Serial: 1', body: bytes },
        /^request-invalid: headers must be a mapping of names to values$/,
      ],
      [
        { kind, headers: { ...headers, 'Wechatpay-Serial': 1 }, body: bytes },
        /^request-invalid: headers.Wechatpay-Serial must be text$/,
      ],
      [
        { kind, headers: signed(signature.replace(/^../, 'a b')), body: bytes },
        /^signature-invalid: the signature has blanks/,
      ],
      [
        { kind, headers, body: Buffer.from(JSON.stringify(parsed, undefined, 2)) },
        /^signature-invalid: the body was parsed/,
      ],
      [undefined, /^request-invalid: input must be an object$/],
    ] as const)
      assert.match(await message(input), said);
    for (const call of [
      () => current.sign(5 as never),
      () => current.sign(undefined as never),
      () => current.authorize('GET /v3/x' as never),
      () => current.authorize({ method: 'POST', url: '/v3/x', parameters: { total_fee: 1 } as never }),
      () => current.encrypt({ plaintext: 'x' } as never),
      () => current.decrypt(undefined as never),
      () => current.paymentParameters(undefined as never),
    ])
      await assert.rejects(call, { name: 'PaycertError', code: 'request-invalid' });
    assert.ok((await current.verify({ kind, headers, body: text }, { now: start })).keyId);
    await assert.rejects(current.verify({ headers, body: bytes } as unknown as ReceivedInput), {
      message: /^kind must be one of response, notification, return, message$/,
    });
    await assert.rejects(current.authorize({ method: Buffer.from('GET') as unknown as string, url: '/' }), {
      message: /^method is bytes, and must be text$/,
    });
    const url = new URL('https://api.mch.weixin.qq.com/v3/x') as unknown as string;
    await assert.rejects(current.authorize({ method: 'GET', url }), { message: /^url is a URL: give its href$/ });
  });
});

describe('paycert verify', { timeout: 900_000 }, () => {
  it('says what became of a signature', async () => {
    const args = ['verify', 'shop', '--key-id', material.platformKeys[0]!.keyId, '--socket', api.address];
    for (const [given, said] of [
      [signature.replace(/^../, 'a b'), /the signature has blanks where \+ stood/],
      [encodeURIComponent(`${signature.slice(0, -3)}+==`), /the signature is still percent-encoded/],
    ] as const) {
      const { code, stderr } = await paycert([...args, '--signature', given], { input: 'x' });
      assert.equal(code, 1);
      assert.match(stderr, said);
    }
  });
});
