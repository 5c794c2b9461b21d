// Everything that is wrong with a configuration is said at once: what a schema refuses hides none of the rules that no schema knows.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import { parseConfig, parseCredentials } from '../../src/config/load.ts';
import { parseSpec } from '../../src/config/resource.ts';
import { parseForStart } from '../../src/config/read.ts';
import { PaycertError } from '../../src/errors.ts';
import { evaluateValid } from '../../src/operator/status/conditions.ts';
import type { PaymentCredential } from '../../src/operator/resource.ts';
import { inLabels } from '../../src/operator/secrets.ts';
import { type Form, take } from '../../src/providers/takes.ts';
import { takes as alipay } from '../../src/providers/alipay/takes.ts';
import { takes as wechatpay } from '../../src/providers/wechatpay/takes.ts';
import { readCiphertext, readReceived, readRequest } from '../../src/server/operation-input.ts';
import { merge } from '../../src/sources/merge.ts';
import { env } from '../../src/sources/env.ts';
import { oddityOf } from '../../src/spelling.ts';

const said = (work: () => unknown): readonly PaycertError[] => {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof PaycertError, String(error));
    return [error, ...error.others];
  }
  return [];
};
const messages = (text: string) => said(() => parseConfig(text)).map(({ message }) => message);

describe('a configuration', () => {
  it('says what rules refuse beside what the schema refuses, in the order of the file, with the line of each', () => {
    const text = `listen:
  tcp: { address: "0.0.0.0:70000", insecure: true, tokn: x }
admin: { address: ":99999" }
log: { level: loud }
credentials:
  - name: a
    provider: { wechatpay: { merchantId: "2088000000000000", responseKey: none } }
    source:
      vault: { address: "http://v.example", path: "/x", auth: { token: { tokenFile: /t } } }
  - name: a
    provider: { alipay: { appId: wx0123456789abcdef, mode: kee } }
    source: { files: { path: /k, pol: 5s } }
proxy:
  listen: {}
  routes:
    - { credential: b, origin: http, spareDouble: "http://a" }
`;
    assert.deepEqual(
      messages(text).map((message) => message.replace(/ (?:is|has|must|needs|begins|stands) .*\(line/s, ' (line')),
      [
        'listen.tcp.address (line 2)',
        'listen.tcp.address (line 2)',
        'listen.tcp.tokn (line 2)',
        'admin.address (line 3)',
        'log.level (line 4)',
        'credentials[0].provider.wechatpay.merchantId (line 7)',
        'credentials[0].provider.wechatpay.responseKey (line 7)',
        'credentials[0].source.vault.address (line 9)',
        'credentials[0].source.vault.path (line 9)',
        'credentials[1].name (line 10)',
        'credentials[1].provider.alipay.appId (line 11)',
        'credentials[1].provider.alipay.mode (line 11)',
        'credentials[1].source.files.pol (line 12)',
        'proxy.listen (line 14)',
        'proxy.routes[0].credential (line 16)',
        'proxy.routes[0].origin (line 16)',
        'proxy.routes[0].spareDouble (line 16)',
      ],
    );
  });

  it('says nothing twice: what is misspelled or of a wrong form is not missing as well', () => {
    for (const [listen, fields] of [
      ['{ sockett: /s }', ['listen.sockett']],
      ['{ socket: 5 }', ['listen.socket']],
      ['{ maxBodyBytes: 1 }', ['listen', 'listen.maxBodyBytes']],
      ['{ tcp: { address: "127.0.0.1:1", tokenFil: /t } }', ['listen.tcp.tokenFil']],
      ['{ tcp: { address: "127.0.0.1:1", token: "" } }', ['listen.tcp.token']],
      ['{ tcp: { address: "127.0.0.1:1", tokenFile: 5 } }', ['listen.tcp.tokenFile']],
      ['{ tcp: { address: "127.0.0.1:1", insecure: 5 } }', ['listen.tcp.insecure']],
      ['{ tcp: { address: "0.0.0.0:1", insecure: true, exposed: 1 } }', ['listen.tcp.exposed']],
      ['{ tcp: { address: 5, insecure: true } }', ['listen.tcp.address']],
    ] as const)
      assert.deepEqual(
        said(() => parseConfig(`listen: ${listen}\ncredentials: []\n`))
          .map(({ field }) => field)
          .sort(),
        fields,
        listen,
      );
  });

  it('judges both of two providers and of two sources', () => {
    const text = `listen: { socket: /s }
credentials:
  - name: a
    provider: { wechatpay: { merchantId: "2088000000000000" }, alipay: { appId: wx0123456789abcdef, mode: key } }
    source: { files: { path: /k }, consul: { address: "http://c.example", prefix: a } }
`;
    assert.deepEqual(
      said(() => parseConfig(text)).map(({ field }) => field),
      [
        'credentials[0].provider',
        'credentials[0].provider.wechatpay.merchantId',
        'credentials[0].provider.alipay.appId',
        'credentials[0].source',
        'credentials[0].source.consul.address',
      ],
    );
  });

  it('names no credential unknown whose name is refused, and nothing of an origin while its options are', () => {
    const text = `listen: { socket: /s }
proxy:
  listen: { socket: /p }
  routes:
    - { credential: shop }
    - { credential: ali, origin: "https://other.example" }
credentials:
  - { name: Shop, provider: { mtls: {} }, source: { files: { path: /k } } }
  - { name: ali, provider: { alipay: { appId: "2021000000000001", mode: key, gateway: sandbx } }, source: { files: { path: /k } } }
`;
    assert.deepEqual(
      said(() => parseConfig(text)).map(({ field }) => field),
      ['credentials[0].name', 'credentials[1].provider.alipay.gateway'],
    );
  });

  it('names each line that is no YAML, each alias, and each key that is there twice beside all else', () => {
    const places = (text: string) => said(() => parseConfig(text)).map(({ field }) => field);
    assert.deepEqual(places('log：\n  level: info\nadmin：\n  x: 1\n'), ['line 1', 'line 3']);
    assert.deepEqual(places('a:\n\t- b\nc:\n\t- d\n'), ['line 2', 'line 4']);
    assert.deepEqual(places('a: &a x\nb: *a\nc: *b\n'), ['a', 'line 2', 'line 3']);
    assert.deepEqual(
      places('listen: { socket: /s }\nlog: { level: info, level: warn }\nlog: { level: warn }\ncredentials: x\n'),
      ['line 2', 'line 3', 'credentials'],
    );
  });

  const entry = (more: string) => `  - { name: a, provider: { mtls: {} }, source: { files: { path: /k, ${more} } } }\n`;

  for (const [what, line, field] of [
    ['a tab', '  - name: b\n\tx: y\n', 'line 7'],
    ['a full-width colon', '  - { name：b }\n', 'line 6'],
    ['a bracket that is not closed', '  - { name: b\n', 'line 6'],
    ['an alias', '  - *a\n', 'line 6'],
    ['a tag', '  - !x { name: b }\n', 'line 6'],
    ['a value with a colon in it', '  - name: b: c\n', 'line 6'],
    ['a second document', '---\na: b\n', 'line 6'],
    ['an entry that is no YAML', 'log: "info\n', 'line 6'],
  ] as const)
    it(`says what is wrong before ${what}, in the same list and the same item, and nothing of what comes after`, () => {
      const text = `listen: { socket: /s, tokn: x }
log: { level: loud }
credentials:
  - { name: &a a, provider: { mtls: {} }, source: { files: { path: /k, pol: 5s } } }
${entry('x: 1')}${line}${entry('y: 1')}`;
      const found = said(() => parseConfig(text)).map((one) => one.field);
      const expected = ['listen.tokn', 'log.level', 'credentials[0].source.files.pol', 'credentials[1].name', 'credentials[1].source.files.x', field]; // prettier-ignore
      assert.deepEqual(found, expected);
    });

  it('that ends in what is not YAML is not said to lack what may stand after it, nor a route to name what is not there', () => {
    const text = `proxy: { listen: { socket: /p }, routes: [{ credential: b }] }
credentials:
${entry('x: 1')}${entry('y: 1')}\t- { name: b }\n`;
    const found = said(() => parseConfig(text)).map((one) => one.field);
    assert.deepEqual(found, ['credentials[0].source.files.x', 'line 5']);
  });

  it('with 2000 faults is judged within five seconds of work', () => {
    const entry =
      '  - { name: a, provider: { wechatpay: { merchantId: "2088000000000000" } }, source: { files: { path: /k } } }\n';
    const started = process.cpuUsage();
    assert.ok(messages(`listen: { socket: /s }\ncredentials:\n${entry.repeat(2000)}`).length === 3999);
    assert.ok(process.cpuUsage(started).user < 5_000_000);
  });

  it('of a program is judged by the same rules', () => {
    const entry = { name: 'a', provider: { wechatpay: { merchantId: '2088000000000000', x: 1 } }, source: {} };
    assert.deepEqual(
      said(() => parseCredentials([entry, entry])).map(({ field }) => field?.replace('provider.wechatpay', 'p')),
      [
        'credentials[0].p.x',
        'credentials[0].source',
        'credentials[0].p.merchantId',
        'credentials[1].p.x',
        'credentials[1].source',
        'credentials[1].p.merchantId',
        'credentials[1].name',
      ],
    );
  });
});

const source = { secret: { name: 'keys' } };
const wrongSpec = {
  provider: { wechatpay: { merchantId: '2088000000000000', responseKey: 'none' }, alipay: { appId: 'wx0123456789abcdef', mode: 'key' } },
  source: { secret: { nam: 'keys' } },
  require: ['fly'],
}; // prettier-ignore

describe('a PaymentCredential', () => {
  it('says which accounts are those of another platform beside what the schema refuses', () => {
    assert.deepEqual(
      said(() => parseSpec(wrongSpec)).map(({ code, field }) => [code, field?.replace('spec.', '')]),
      [
        'provider.wechatpay.responseKey',
        'provider',
        'source.secret.nam',
        'require[0]',
        'provider.wechatpay.merchantId',
        'provider.alipay.appId',
      ].map((field) => ['resource-invalid', field]),
    );
  });

  it('says of an account nothing that the schema has said, and nothing of what is no mapping', () => {
    for (const [spec, fields] of [
      [undefined, ['spec']],
      ['x', ['spec']],
      [{ provider: { wechatpay: { merchantId: 5 } }, source }, ['spec.provider.wechatpay.merchantId']],
      [{ provider: { alipay: { appid: 'wx0123456789abcdef', mode: 'key' } }, source }, ['spec.provider.alipay.appid']],
      [{ provider: { wechatpay: { merchantId: '1900000001' } }, source }, []],
    ] as const)
      assert.deepEqual(
        said(() => parseSpec(spec)).map(({ field }) => field),
        fields,
        JSON.stringify(spec),
      );
  });

  it('says it all in its conditions, in the review of a write, and in the names that a labelled Secret has', () => {
    const resource = { kind: 'Secret', spec: wrongSpec } as unknown as PaymentCredential;
    const [error] = said(() => parseSpec(wrongSpec));
    const valid = evaluateValid({ spec: undefined, secret: undefined, error }, { accepted: undefined, deferred: undefined });
    for (const word of ['responseKey', 'nam', 'require', 'merchantId', 'appId']) assert.match(valid.message, new RegExp(word));
    const labelled = { wechatpay: { merchantId: '2088000000000000', responseKey: 'none' } };
    const [inSpec] = said(() => parseSpec({ provider: labelled, source }));
    const named = inLabels(inSpec!, { ...resource, spec: { provider: labelled } });
    assert.deepEqual(
      [named, ...named.others].map(({ code, field }) => [code, field]),
      ['responseKey', 'merchantId'].map((option) => ['labels-invalid', `paycert.dev/option.${option}`]),
    );
  });
}); // prettier-ignore

describe('a request', () => {
  const fields = (work: () => unknown) => said(work).map(({ field }) => field);

  it('says what is missing beside what is not base64 or not text', () => {
    assert.deepEqual(fields(() => readCiphertext({ ciphertext: '*', nonce: 'n' })), ['algorithm', 'ciphertext']);
    assert.deepEqual(fields(() => readReceived({ messageBase64: '*' })), ['signature', 'keyId', 'messageBase64']);
    assert.deepEqual(fields(() => readReceived({})), ['signature', 'keyId', 'message']);
    assert.deepEqual(fields(() => readReceived({ signature: 's', message: 'a', messageBase64: '*' })), ['keyId', 'messageBase64', 'messageBase64']);
    assert.deepEqual(fields(() => readReceived({ kind: 'response', keyId: 'k', signature: 's', bodyBase64: 'A' })), ['signature', 'keyId', 'bodyBase64']);
    assert.deepEqual(fields(() => readReceived({ headers: {}, url: '/', keyId: 'k' })), ['headers', 'url']);
    const half = '\ud800';
    assert.deepEqual(fields(() => readRequest({ url: '/', bodyBase64: '*', bizContent: half, parameters: { a: half, b: 'b' } })), ['bodyBase64', 'bizContent', 'parameters.a']);
  });

  it('is not sent to a key while its ciphertext is not base64 or its algorithm is none of those that there are', () => {
    for (const [input, form, named] of [
      [{ ciphertext: '*' }, alipay.decrypt.content, ['algorithm', 'ciphertext']],
      [{ ciphertext: 'AA AA', algorithm: 'SM4' }, alipay.decrypt.content, ['ciphertext', 'algorithm']],
      [{ ciphertext: 'AAA', algorithm: 'AES' }, wechatpay.decrypt.resource, ['nonce', 'ciphertext', 'algorithm']],
      [{ ciphertext: 'AA-_' }, wechatpay.decrypt.field, ['ciphertext']],
      [{ ciphertext: 'AAAA' }, wechatpay.decrypt.field, []],
    ] as const)
      assert.deepEqual(fields(() => take<object, Form>(input, form)).sort(), [...named].sort(), JSON.stringify(input));
  });
}); // prettier-ignore

describe('what is said of one value', () => {
  it('names each odd character, up to three', () => {
    assert.equal(
      oddityOf('WX 粤'),
      'has a space at character 3, and has the character 粤 at character 4, which is not ASCII',
    );
    assert.match(
      oddityOf(' 粤：x') ?? '',
      /^begins with a space: remove it, and has the character 粤 .*, and has a full-width ：/,
    );
    assert.match(
      oddityOf('"a：b"') ?? '',
      /^is in quotes: remove them, and has a full-width ： at character 3: write :$/,
    );
    assert.equal(oddityOf('a b c'), 'has a space at character 2');
    assert.equal(oddityOf('abc'), undefined);
  });

  it('names each member of a request that is missing beside each that its provider does not take', () => {
    assert.deepEqual(
      said(() => take({ ciphertext: 'x', nonce: 'n', associatedData: 'a' }, alipay.decrypt.content)).map(
        ({ message }) => message.split(';')[0],
      ),
      [
        'nonce is not accepted by this credential’s provider for this operation',
        'associatedData is not accepted by this credential’s provider for this operation',
        'algorithm is missing',
        'ciphertext is not valid base64',
      ],
    );
  });

  it('names each of several sources that cannot be read, and each file of a token', async () => {
    const keys = (name: string) => env({ keys: { [name]: name }, environment: {}, clock: systemClock });
    const fields = ({ field, others }: PaycertError) => [field, ...others.map((one) => one.field)];
    await assert.rejects(merge([keys('a'), keys('b')]).read(new AbortController().signal), (error: PaycertError) => {
      assert.deepEqual(fields(error), ['keys.a', 'keys.b']);
      return true;
    });
    const tcp = (port: number) =>
      `{ tcp: { address: "127.0.0.1:${String(port)}", tokenFile: /nowhere/${String(port)} } }`;
    const text = `listen: ${tcp(1)}\nproxy: { listen: ${tcp(2)} }\ncredentials: []\n`;
    await assert.rejects(parseForStart(text), ({ message, others }: PaycertError) => {
      assert.deepEqual(
        [message, ...others.map((one) => one.message)].map((one) => /nowhere.(\d)/.exec(one)?.[1]),
        ['1', '2'],
      );
      return true;
    });
  });

  it('names each environment variable that is not set', async () => {
    const source = env({ keys: { a: 'A', b: 'B', c: 'C' }, environment: { B: 'x', C: '' }, clock: systemClock });
    await assert.rejects(source.read(new AbortController().signal), ({ field, others }: PaycertError) => {
      assert.deepEqual([field, ...others.map((one) => one.field)], ['keys.a', 'keys.c']);
      return true;
    });
  });
});
