// Untrusted YAML: one clear error that names the field or the line, and no value.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseConfig } from '../../src/config/load.ts';
import { PaycertError } from '../../src/errors.ts';

const good = `
listen:
  socket: /run/paycert.sock
credentials:
  - name: shop
    provider: { wechatpay: { merchantId: "1900000001" } }
    source: { files: { path: /keys } }
`;
const secret = 'CANARY-5f2c';

/** The error of a document; whatever the canary stands for must not be in it. */
function refusal(text: string): PaycertError {
  try {
    parseConfig(text);
  } catch (error) {
    assert.ok(error instanceof PaycertError, String(error));
    assert.equal(error.kind, 'config');
    assert.ok(!`${error.message} ${error.field ?? ''} ${String(error.cause)}`.includes(secret), error.message);
    return error;
  }
  return assert.fail('accepted');
}
const edited = (from: string, to: string): string => {
  assert.ok(good.includes(from));
  return good.replace(from, to);
};

describe('a configuration', () => {
  it('is frozen all the way down', () => {
    const config = parseConfig(good);
    assert.ok(Object.isFrozen(config) && Object.isFrozen(config.credentials[0]?.source.files));
  });

  it('may start with a byte order mark and hold comments', () => {
    assert.equal(parseConfig(`\ufeff# ours\n${good}`).credentials.length, 1);
  });

  it('may hold 5000 credentials', () => {
    const one = good.slice(good.indexOf('  - name'));
    const all = Array.from({ length: 5000 }, (_, i) => one.replace('shop', `shop-${String(i)}`)).join('');
    assert.equal(parseConfig(good.replace(one, '') + all).credentials.length, 5000);
  });

  it('names a pair of mTLS by any label but ca', () => {
    const named = (pair: string) =>
      edited('wechatpay: { merchantId: "1900000001" }', `mtls: { serverNames: { bank.example: ${pair} } }`);
    for (const pair of ['c', 'a', 'cb', 'caa', 'ca-1', 'bank', `c${'a'.repeat(62)}`]) parseConfig(named(pair));
    for (const pair of ['ca', 'c-', '-ca', 'ca-', `c${'a'.repeat(63)}`])
      assert.match(refusal(named(pair)).field ?? '', /mtls\.serverNames/);
  });

  const documents: [title: string, text: string][] = [
    ['an empty document', ''],
    ['a comment alone', '# nothing'],
    ['null', 'null'],
    ['a list', '- a'],
    ['text', secret],
  ];
  for (const [title, text] of documents) {
    it(`refuses ${title}`, () => {
      const { code, field } = refusal(text);
      assert.deepEqual([code, field], ['config-invalid', 'the document']);
    });
  }

  const fields: [title: string, field: string, text: string][] = [
    ['an unknown field', 'listne', `${good}listne: { socket: ${secret} }`],
    ['an unknown field of a credential', 'credentials[0].sorce', edited('source:', `sorce: ${secret}\n    source:`)],
    ['a __proto__ key', '__proto__', `${good}__proto__: { listen: ${secret} }`],
    [
      'a __proto__ key further down',
      'credentials[0].__proto__',
      edited('name: shop', `name: shop\n    __proto__: { ${secret}: 1 }`),
    ],
    ['a merge key', '<<', `${good}<<: { log: ${secret} }`],
    [
      'two providers',
      'credentials[0].provider',
      edited('"1900000001" }', '"1900000001" }, alipay: { appId: "2021000000000001", mode: key }'),
    ],
    ['two sources', 'credentials[0].source', edited('/keys }', `/keys }, env: { keys: { a: ${secret} } }`)],
    ['no source', 'credentials[0].source', edited('{ files: { path: /keys } }', '{}')],
    ['a duplicate name', 'credentials[1].name', good + good.slice(good.indexOf('  - name'))],
    ['a number for text', 'credentials[0].provider.wechatpay.merchantId', edited('"1900000001"', '1900000001')],
    [
      'a socket with the name of another listener',
      'listen.sockets[0].name',
      edited('socket: /run/paycert.sock', 'sockets: [{ name: tcp, path: /run/a.sock }]'),
    ],
    [
      'two sockets of one name',
      'listen.sockets[1].name',
      edited('socket: /run/paycert.sock', 'sockets: [{ name: a, path: /run/a.sock }, { name: a, path: /run/b.sock }]'),
    ],
    [
      'two sockets of one path, written in two ways',
      'listen.sockets[0].path',
      edited('socket: /run/paycert.sock', 'socket: /run/a.sock\n  sockets: [{ name: a, path: /run//a.sock }]'),
    ],
    [
      'neither socket nor tcp',
      'listen',
      edited('socket: /run/paycert.sock', '{}').replace('listen:\n  {}', 'listen: {}'),
    ],
    [
      'tcp without a token',
      'listen.tcp.tokenFile',
      edited('socket: /run/paycert.sock', 'tcp: { address: "127.0.0.1:8080" }'),
    ],
    [
      'tcp that is explicitly not insecure, and without a token',
      'listen.tcp.tokenFile',
      edited('socket: /run/paycert.sock', 'tcp: { address: "127.0.0.1:8080", insecure: false }'),
    ],
    ['a missing part', 'credentials', good.slice(0, good.indexOf('credentials'))],
  ];
  for (const address of [':0', '0.0.0.0:0', '[::]:0', '192.0.2.1:0', '127.0.0.1.example.com:0', 'a.example:0', '::0'])
    it(`refuses ${address}, which others reach, unless it is meant to be exposed`, () => {
      const text = edited('socket: /run/paycert.sock', `tcp: { address: "${address}", insecure: true }`);
      const { code, field } = refusal(text);
      assert.deepEqual([code, field], ['listener-exposed', 'listen.tcp.address']);
      parseConfig(text.replace('insecure', 'exposed: true, insecure'));
    });

  for (const [title, field, text] of fields) {
    it(`refuses ${title}, naming ${field}`, () => {
      const error = refusal(text);
      assert.deepEqual([error.code, error.field], ['config-invalid', field]);
      assert.ok(error.message.includes(field));
    });
  }

  const lines: [title: string, field: string, text: string][] = [
    ['a tab for indentation', 'line 2', `listen:\n\tsocket: ${secret}`],
    ['a mapping as a key', 'line 8', `${good}? { ${secret}: 1 }\n: 2\n`],
    ['500 keys inside each other', 'line 8', `${good}${'? '.repeat(500)}a\n`],
    ['a key given twice', 'line 8', `${good}listen: { socket: ${secret} }`],
    ['a second document', 'line 8', `${good}---\n${secret}: 1`],
    ['an unknown tag', 'line 5', edited('name: shop', `name: !!js/function ${secret}`)],
    ['an unclosed quote', 'line 8', `${good}log: "${secret}\n`],
    ['an alias', 'line 2', `a: &a ${secret}\nb: *a`],
    ['an alias of nothing', 'line 1', 'a: *a'],
    ['a billion laughs', 'line 2', ['a: &a [x,x]', 'b: &b [*a,*a]', 'c: &c [*b,*b]', 'd: [*c,*c]'].join('\n')],
    ['brackets without end', 'line 1', '['.repeat(100_000)],
    ['5 MB of text', 'the document', `${secret} `.repeat(420_000)],
    ['5 MB of brackets', 'the document', '[{'.repeat(2_500_000)],
    ['5 MB of lines', 'the document', 'a: b\n'.repeat(1_000_000)],
    ['5 MB of zeros', 'the document', '\0'.repeat(5_000_000)],
  ];
  for (const [title, field, text] of lines) {
    it(`refuses ${title} within five seconds of work, naming ${field}`, () => {
      const started = process.cpuUsage();
      const error = refusal(text);
      const misread = [error, ...error.others].find(({ code }) => code === 'config-syntax');
      assert.equal(misread?.field, field);
      // Of this process alone: the machine may be busy.
      assert.ok(process.cpuUsage(started).user < 5_000_000);
    });
  }

  it('that is refused for several reasons names them all, in the order of the file, each with its line', () => {
    const text = `listen: { socket: /s, foo: 1 }
log: { level: loud }
surprise: 1
credentials:
  - { name: "", provider: { wechatpay: { merchantId: x } }, source: { files: { path: /k, poll: 0s } }, grace: 5 }
  - { resource: "" }
`;
    const error = refusal(text);
    assert.deepEqual(
      [error, ...error.others].map(({ message, field }) => [field, /\(line (\d)\)$/.exec(message)?.[1]]),
      [
        ['listen.foo', '1'],
        ['log.level', '2'],
        ['surprise', '3'],
        ['credentials[0].name', '5'],
        ['credentials[0].provider.wechatpay.merchantId', '5'],
        ['credentials[0].source.files.poll', '5'],
        ['credentials[0].grace', '5'],
        ['credentials[1].resource', '6'],
      ],
    );
  });

  it('with more entries than there may be is judged no further than that', () => {
    const error = refusal(`listen: { socket: /s }\ncredentials:\n${'  - x\n'.repeat(20_000)}`);
    assert.equal(error.field, 'credentials');
    assert.equal(error.others.length, 5000);
  });

  it('writes nothing of a document to the console', (t) => {
    const warn = t.mock.method(process, 'emitWarning', () => undefined);
    assert.equal(refusal('? [a, b]\n: 1').code, 'config-syntax');
    assert.equal(warn.mock.callCount(), 0);
  });
});

describe('what is read of a server that keeps keys', () => {
  const files = 'files: { path: /keys }';
  const at = 'address: "https://a.example"';
  const token = 'token: { tokenFile: /t }';
  const vault = (more: string, auth = token) => `vault: { ${at}, auth: { ${auth} }, ${more} }`;

  for (const part of ['.', '..'])
    for (const [source, field] of [
      [vault(`path: a/${part}/b`), 'vault.path'],
      [vault(`path: ${part}`), 'vault.path'],
      [vault(`path: a, mount: ${part}/kv`), 'vault.mount'],
      [vault('path: a', `appRole: { roleIdFile: /r, secretIdFile: /s, mount: a/${part} }`), 'vault.auth.appRole.mount'],
      [`consul: { ${at}, prefix: a/${part} }`, 'consul.prefix'],
      [`pki: { ${at}, auth: { ${token} }, role: a, commonName: a, mount: ${part} }`, 'pki.mount'],
      [`merge: [{ ${vault(`path: a/${part}`)} }]`, 'merge[0].vault.path'],
    ] as const)
      it(`has no part ${part}: ${source} is refused`, () => {
        const { code, message, field: named } = refusal(edited(files, source));
        assert.deepEqual([code, named], ['config-invalid', `credentials[0].source.${field}`]);
        assert.match(message, /has a part \. or \.\., which names nothing; write the whole path \(line \d+\)$/);
      });

  it('may have parts that begin with dots', () => {
    for (const path of ['...', '.a', 'a/..b', 'a./b'])
      assert.equal(parseConfig(edited(files, vault(`path: ${path}`))).credentials.length, 1);
  });

  it('in transit has no part . or ..', () => {
    const transit = `keyServices: { hashivault: { ${at}, auth: { ${token} }, mount: a/.. } }\n`;
    assert.equal(refusal(`${transit}${good}`).field, 'keyServices.hashivault.mount');
  });

  it('is no pinned version of an engine that keeps none', () => {
    const { code, message, field } = refusal(edited(files, vault('path: a, engine: 1, version: 3')));
    assert.deepEqual([code, field], ['config-invalid', 'credentials[0].source.vault.version']);
    assert.match(message, /version pins a version, and engine 1 keeps none; remove it, or use engine: 2/);
    for (const more of ['engine: 2, version: 3', 'version: 3', 'engine: 1'])
      assert.equal(parseConfig(edited(files, vault(`path: a, ${more}`))).credentials.length, 1);
  });
});

describe('the address of a server that keeps keys', () => {
  const files = 'files: { path: /keys }';
  const vault = (address: string, more = '') =>
    `vault: { address: "${address}", path: a, auth: { token: { tokenFile: /t } }${more} }`;

  it('is https, or this machine, unless somebody says that it need not be', () => {
    for (const source of [
      vault('https://vault.example:8200'),
      vault('http://127.0.0.1:8200'),
      vault('http://[::1]:8200'),
      vault('http://localhost:8200'),
      vault('http://vault.example:8200', ', insecure: true'),
    ])
      assert.equal(parseConfig(edited(files, source)).credentials.length, 1);
  });

  for (const [source, field] of [
    [vault('http://vault.example:8200'), 'source.vault'],
    [`merge: [{ ${vault('http://10.0.0.1:8200')} }]`, 'source.merge[0].vault'],
    [`fallback: [{ ${files} }, { ${vault('http://vault.example')} }]`, 'source.fallback[1].vault'],
    [`unwrap: { source: { ${vault('http://vault.example')} }, with: { local: {} } }`, 'source.unwrap.source.vault'],
  ] as const) {
    it(`is refused in ${field} where keys could be read on the way`, () => {
      const { code, message, field: named } = refusal(edited(files, source));
      assert.deepEqual([code, named], ['config-invalid', `credentials[0].${field}.address`]);
      assert.match(message, /is http:\/\/ on another host; use https:\/\/, or say insecure: true/);
    });
  }

  it('that no connection could be made to is refused', () => {
    for (const address of [
      'https://vault.example:99999',
      'https://999.1.1.1',
      'https://user:secret@host',
      'https://h/v1',
    ])
      assert.equal(refusal(edited(files, vault(address))).code, 'config-invalid', address);
  });
});
