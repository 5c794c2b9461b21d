// Messages a tired person can act on: no schema of ours shows a regular expression, and each says what it wants in words.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseConfig } from '../../src/config/load.ts';
import { ConfigSchema } from '../../src/config/schema/config.ts';
import { diagnose } from '../../src/diagnosis.ts';
import type { Schema } from '../../src/json-schema.ts';
import { platforms } from '../../src/providers/registry.ts';
import type { PaycertError } from '../../src/errors.ts';
import * as api from '../../src/server/schema.ts';
import { validator } from '../../src/validation.ts';

const all: Readonly<Record<string, unknown>> = {
  configuration: ConfigSchema,
  ...Object.fromEntries(Object.entries(platforms).map(([id, { options }]) => [`options of ${id}`, options])),
  ...Object.fromEntries(Object.entries(api).map(([name, schema]) => [`API: ${name}`, schema])),
};

interface Patterned extends Schema {
  readonly nameForm?: string;
}

/** Every schema inside that has a pattern, for a text or for the names of members. */
function* patternedIn(value: unknown, path: string): Generator<{ path: string; schema: Patterned }> {
  if (typeof value !== 'object' || value === null) return;
  const schema = value as Patterned & Record<string, unknown>;
  if (schema.pattern !== undefined) yield { path, schema };
  else if (schema.patternProperties && schema.additionalProperties === false) yield { path, schema };
  for (const [name, inside] of Object.entries(schema))
    if (name !== 'patternProperties') yield* patternedIn(inside, `${path}.${name}`);
    else for (const one of Object.values(inside as object)) yield* patternedIn(one, `${path}.*`);
}

const patterned = Object.entries(all).flatMap(([name, schema]) => [...patternedIn(schema, name)]);

/** What people write by accident, and what shows a regular expression. */
const odd = ['粤', ' ', '“x”', '"x"', 'a b', 'x：1', '\u3000', '\n', '', '^$', 'a'.repeat(300)];
const expression = /\^|\$$|\[[^\]]*-[^\]]*\]|\{\d|\\[a-z]|\(\?/;

describe('every pattern of every schema', () => {
  it('is found by this test', () => {
    assert.ok(patterned.length > 30, String(patterned.length));
  });

  it('says in words what it wants', () => {
    const silent = patterned.filter(
      ({ schema }) => (schema.pattern === undefined ? schema.nameForm : schema.form) === undefined,
    );
    assert.deepEqual(
      silent.map(({ path }) => path),
      [],
    );
  });

  it('shows no regular expression, whatever was written', () => {
    for (const { path, schema } of patterned)
      for (const text of odd) {
        const value = schema.pattern === undefined ? { [text]: 'x' } : text;
        for (const { message } of diagnose(schema, value)) {
          const own = message.replace('^$', '').replaceAll('* for', '');
          assert.doesNotMatch(own, expression, `${path}: ${message}`);
        }
      }
  });

  it('names what does not belong, and its place', () => {
    for (const { path, schema } of patterned) {
      if (schema.pattern === undefined) continue;
      const [problem] = diagnose(schema, 'x粤');
      // What takes any text has nothing to say.
      if (problem !== undefined) assert.match(problem.message, /粤 at character 2|longer|must be/, path);
    }
  });
});

describe('a text without quotes that YAML reads as something else', () => {
  for (const [text, said] of [
    ['listen: { socket: *S3cret }', 'line 1 begins a value with *, which to YAML is an alias, which is not allowed: put it in quotes'],
    ['listen:\n  socket: &S3cret\n', 'line 2 begins a value with &, which to YAML is a name for what follows: put it in quotes'],
    ['listen:\n  socket: !S3cret\n', 'line 2 is not valid YAML: a value that begins with ! must be in quotes'],
    ['listen:\n  socket: @S3cret\n', 'line 2 is not valid YAML: a value that begins with @, ` or % must be in quotes'],
    ['listen: &base { socket: /s }\nadmin: *base\n', 'line 2 has the alias *base, which is not allowed: write out what is at &base on line 1'],
    ['a: &b { c: d }\nx:\n  <<: *b\n', 'line 3 has the alias *b, which is not allowed: write out what is at &b on line 1'],
  ] as const)
    it(`is named with its line and the remedy, and not shown: ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseConfig(text), (error: PaycertError) => {
        const messages = [error, ...error.others].map(({ message }) => message);
        assert.ok(messages.includes(said), messages.join('\n'));
        assert.ok(!messages.join().includes('S3cret'));
        return true;
      });
    });
}); // prettier-ignore

describe('what somebody meant', () => {
  const entry = (provider: string, source = 'files: { path: /k }', more = '') =>
    `listen: { socket: /s }\ncredentials:\n  - { name: a, provider: ${provider}, source: { ${source} }${more} }\n`;
  const wechatpay = '{ wechatpay: { merchantId: "1900000001" } }';
  const listen = (text: string) => `listen: ${text}\ncredentials: []\n`;
  const said = (text: string): readonly string[] => {
    try {
      parseConfig(text);
    } catch (error) {
      return [error as PaycertError, ...(error as PaycertError).others].map(({ message }) => message);
    }
    return [];
  };

  for (const [text, what] of [
    [entry('{ weixin: {} }'), /did you mean wechatpay\?/],
    [entry('{ wxpay: {} }'), /did you mean wechatpay\?/],
    [entry('{ wechatpay-v3: {} }'), /did you mean wechatpay\?/],
    [entry('{ ali: {} }'), /did you mean alipay\?/],
    [entry('alipay'), /provider is text, and must be a mapping: write \{ alipay: \{ … \} \}/],
    [entry('{ wechatpay: { mchid: "1900000001" } }'), /did you mean merchantId\?/],
    [entry('{ wechatpay: { mch_id: "1900000001" } }'), /did you mean merchantId\?/],
    [entry(wechatpay, 'files: /k'), /source\.files is text, and must be a mapping: write \{ path: … \}/],
    [entry(wechatpay, 'files: { dir: /k }'), /did you mean path\?/],
    [entry(wechatpay, 'files: { path: "~/k" }'), /path is not a path that is written out: no ~ and no variable/],
    [entry(wechatpay, 'files: { path: $HOME/k }'), /path is not a path that is written out/],
    [entry(wechatpay, 'secret: keys'), /source\.secret is text, and must be a mapping: write \{ name: … \}/],
    [entry(wechatpay, 'env: { keys: { apiv3_key: $APIV3 } }'), /apiv3_key is not the name of a variable, with no \$ before it/],
    [entry(wechatpay, undefined, ', require: sign'), /require is text, and must be a list: write it in \[ \]/],
    [listen('{ socket: ~/s }'), /listen\.socket is not a path that is written out/],
    [listen('{ tcp: { address: " 127.0.0.1:1", insecure: true } }'), /address begins with a space: remove it/],
    [listen('{ tcp: { address: "http://127.0.0.1:1", insecure: true } }'), /address is not an address and a port such as/],
    [listen('{socket:/s}'), /^line 1 needs a blank after the colon of a name$/],
    ['listen:{ socket: /s }\n', /^line 1 needs a blank after the colon of a name$/],
    ['listen: { socket: /s }\nadmin: ":9464"\ncredentials: []\n', /admin is text, and must be a mapping: write \{ address: … \}/],
    ['listen: { socket: /s }\nadmin: { port: 9464 }\ncredentials: []\n', /admin\.port is not a field here \(did you mean address\?\)/],
    ['listen: { socket: /s }\nlog: debug\ncredentials: []\n', /log is text, and must be a mapping: write \{ level: … \}/],
    ['listen: { socket: /s }\nlog: { level: warning }\ncredentials: []\n', /did you mean warn\?/],
    ['listen: { socket: /s }\nlog: { level: trace }\ncredentials: []\n', /did you mean debug\?/],
    ['listen: { socket: /s }\nlog:\n  level:info\ncredentials: []\n', /log is text, and must be a mapping: a blank belongs after its colon/],
  ] as const)
    it(`is said, once: ${JSON.stringify(text.replace('listen: { socket: /s }', '…'))}`, () => {
      const messages = said(text);
      assert.match(messages.join('\n'), new RegExp(what.source, 'm'));
      assert.equal(messages.filter((message) => /mapping|field here|list:|path that/.test(message)).length <= 1, true, messages.join('\n'));
    });
}); // prettier-ignore

describe('the local API', () => {
  const validate = validator(api.AuthorizeRequest, 'request-invalid');
  const refused = (value: object): PaycertError => {
    try {
      validate(value);
    } catch (error) {
      return error as PaycertError;
    }
    return assert.fail('was accepted');
  };

  for (const [title, value, message] of [
    [
      'a raw character of a query',
      { url: '/v3/x?name=粤' },
      /^url has the character 粤 at character 12, which is not ASCII; it must be .+percent-encoded/,
    ],
    ['a space in an address', { url: '/v3/x y' }, /^url has a space at character 6/],
    ['a missing scheme', { url: 'api.mch.weixin.qq.com/v3' }, /^url is not an address that begins with https:\/\//],
    ['a full-width colon', { url: 'https：//a' }, /^url has a full-width ： at character 6: write :/],
    ['quotes', { url: '"/v3/x"' }, /^url is in quotes: remove them/],
    ['a misspelled field', { ulr: '/' }, /^ulr is not a field here \(did you mean url\?\)/],
    [
      'a header’s name with a blank',
      { headers: { 'Accept Language': 'zh' } },
      /has a space at character 7; a name here is the name of a header/,
    ],
  ] as const)
    it(`names ${title}`, () => {
      assert.match(refused(value).message, message);
    });

  it('says everything that is wrong with a request at once, in order', () => {
    const { message, others } = refused({ method: 'GE T', url: 'x', nonce: 'a b' });
    assert.deepEqual(
      [message, ...others.map((one) => one.message)].map((text) => text.split(' ')[0]),
      ['method', 'url', 'nonce'],
    );
  });
});

describe('a configuration with characters of a Chinese keyboard', () => {
  const good = 'log: { level: info }\nadmin: { address: "127.0.0.1:9464" }\ncredentials:\n  - name: wx\n';
  const messageOf = (text: string): string => {
    try {
      parseConfig(text);
    } catch (error) {
      return (error as Error).message;
    }
    return assert.fail('was accepted');
  };
  for (const [title, from, to, said] of [
    ['a full-width colon behind a name', 'log:', 'log：', /^line 1 has a full-width ： at character 4: write :/],
    ['a full-width colon before braces', 'admin:', 'admin：', /^line 2 has a full-width ： at character 6: write :/],
    [
      'a full-width colon inside braces',
      'address:',
      'address：',
      /^line 2 has a full-width ： at character 17: write :/,
    ],
    [
      'full-width braces',
      '{ level: info }',
      '｛ level: info ｝',
      /^line 1 has a full-width ｛ at character 6: write \{/,
    ],
    ['smart quotes around a name', 'log:', '“log”:', /^line 1 has .*“.* at character 1/],
    [
      'an indent of full-width spaces',
      '  - name',
      '\u3000- name',
      /^line 4 is indented with a full-width space: use spaces/,
    ],
    [
      'an indent of no-break spaces',
      '  - name',
      '\u00a0- name',
      /^line 4 is indented with a no-break space: use spaces/,
    ],
    ['a tab', '  - name', '\t- name', /^line 4 is indented with a tab/],
  ] as const)
    it(`names the character, its place and what to write: ${title}`, () => {
      assert.match(messageOf(good.replace(from, to)), said);
    });

  it('says that a file is not UTF-8, and how to convert it', () => {
    for (const text of [`\ufeff${good}`, good])
      assert.match(
        messageOf(Buffer.from(text, 'utf16le').toString()),
        /^line 1 is text in UTF-16: convert it with iconv/,
      );
    // 商户 in GBK.
    const gbk = Buffer.concat([Buffer.from(`${good}# `), Buffer.from('c9ccbba7', 'hex')]);
    assert.match(messageOf(gbk.toString()), /^line 5 is not UTF-8: save the file in UTF-8/);
  });

  it('shows no code of the YAML library', () => {
    for (const text of [
      'a: [1',
      'a: "x',
      'a: b: c',
      '- a\nb: 1',
      'a: @x',
      'a:\n b: 1\n   c: 2',
      '}',
      '%x',
      'a: 1\n  b',
    ])
      assert.doesNotMatch(messageOf(text), /[A-Z]_[A-Z]/, text);
  });
});

describe('a remedy', () => {
  const validate = validator(ConfigSchema, 'config-invalid');
  const said = (value: object): readonly string[] => {
    try {
      validate({ credentials: [], ...value });
    } catch (error) {
      const { message, others } = error as PaycertError;
      return [message, ...others.map((one) => one.message)];
    }
    return [];
  };
  for (const [value, expected] of [
    [{ admin: { address: 9464 } }, /^admin\.address is a number, and must be (?!text)/],
  ] as const)
    it(`is not one that is refused again: ${JSON.stringify(value)}`, () => {
      const message = said(value).find((one) => expected.test(one));
      assert.ok(message !== undefined, said(value).join('; '));
    });

  const flag = { type: 'boolean' };
  const rule = { type: 'string', pattern: '^[A-Z]+ /\\S*$', form: 'a method and a path, such as `POST /v3/pay/*`' };
  for (const [schema, value, message] of [
    [flag, 'yes', 'is text, and must be true or false: write true'],
    [flag, 'Off', 'is text, and must be true or false: write false'],
    [flag, 'True', 'is text, and must be true or false: write it without quotes'],
    [flag, 'maybe', 'is text, and must be true or false'],
    [{ type: 'object' }, 'name：wx', 'is text, and must be a mapping: it has a full-width ： at character 5: write :'],
    [{ type: 'integer' }, '5', 'is text, and must be a whole number: write it without quotes'],
    [{ type: 'integer' }, 'five', 'is text, and must be a whole number'],
    [rule, 'post /v3/pay', 'is not a method and a path, such as `POST /v3/pay/*`'],
    [rule, 'GET v3/*', 'is not a method and a path, such as `POST /v3/pay/*`'],
    [rule, 'GET  /v3', 'has a space at character 4; it must be a method and a path, such as `POST /v3/pay/*`'],
  ] as const)
    it(`says of ${value} what to write`, () => {
      assert.deepEqual(
        diagnose(schema, value).map((problem) => problem.message),
        [message],
      );
    });
});
