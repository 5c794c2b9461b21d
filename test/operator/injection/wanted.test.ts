// What a Pod asks for, by labels and annotations that a tenant writes: bounded, and refused by name.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PaycertError } from '../../../src/errors.ts';
import { mostNames, readWanted } from '../../../src/operator/injection/wanted.ts';
import { labels as table } from '../../../src/operator/labels.ts';

const read = (annotations: Readonly<Record<string, string>>, name = 'wechat-main') =>
  readWanted({ 'paycert.dev/inject': name }, annotations);

/** Every message, in order. */
function refusalsOf(annotations: Readonly<Record<string, string>>, name?: string): string[] {
  try {
    read(annotations, name);
    return [];
  } catch (error) {
    assert.ok(error instanceof PaycertError);
    const all = [error, ...error.others];
    assert.deepEqual(new Set(all.map(({ code }) => code)), new Set(['injection-refused']));
    return all.map(({ message }) => message);
  }
}

/** Of each annotation, what is not one. */
const odd: Readonly<Record<string, readonly string[]>> = {
  'paycert.dev/credentials': [
    ...['', 'a,,b', 'A', 'a/b', '../a', 'a\nb', '$(x)', 'a'.repeat(64)],
    ...[
      Array(mostNames + 1)
        .fill('a')
        .join(),
      `a${',a'.repeat(4096)}`,
    ],
  ],
  'paycert.dev/containers': ['', 'a b', '"', '{}'],
  'paycert.dev/source': ['', 'API', 'file'],
  'paycert.dev/image': ['', ' x', 'x y', '-x', '$(IMAGE)', 'x\ny', 'x'.repeat(513)],
  'paycert.dev/cpu-request': ['', '-1', '1e9', '1Gi', '50m\n', '9999'],
  'paycert.dev/cpu-limit': ['NaN'],
  'paycert.dev/memory-request': ['', '96 Mi', '1e3', '96mi'],
  'paycert.dev/memory-limit': ['-1', '1'.repeat(13)],
  'paycert.dev/log-level': ['trace', 'INFO', ''],
  'paycert.dev/drain': ['5', '5m', '-5s', '5s --config=/x', '999999s'],
  'paycert.dev/otlp-endpoint': [
    '',
    'grpc://c:4317',
    'http://',
    'http://u:p@c',
    'http://c:1/$(X)',
    'http://c\n',
    'http://c/?a=b',
  ],
};

describe('what a Pod asks for', () => {
  it('is one credential for a label alone, with the defaults of the table', () => {
    assert.deepEqual(read({}), {
      credentials: ['wechat-main'],
      containers: undefined,
      usesApi: false,
      image: undefined,
      cpu: { request: '50m', limit: undefined },
      memory: { request: '96Mi', limit: '256Mi' },
      logLevel: undefined,
      drain: undefined,
      otlpEndpoint: undefined,
      warnings: [],
    });
    assert.match(table['paycert.dev/cpu-request'].meaning, /`50m`/);
    assert.match(table['paycert.dev/memory-request'].meaning, /`96Mi`/);
    assert.match(table['paycert.dev/memory-limit'].meaning, /`256Mi`/);
  });

  it('is more credentials, containers, resources, image, log level, drain and collector by annotations', () => {
    const image = 'registry.example:5000/pay/paycert:0.1.0@sha256:00ff';
    const wanted = read({
      'paycert.dev/credentials': 'alipay-main, wechat-main',
      'paycert.dev/containers': 'shop',
      'paycert.dev/source': 'api',
      'paycert.dev/image': image,
      'paycert.dev/cpu-request': '0.5',
      'paycert.dev/cpu-limit': '2',
      'paycert.dev/memory-request': '128Mi',
      'paycert.dev/memory-limit': '1Gi',
      'paycert.dev/log-level': 'debug',
      'paycert.dev/drain': '5s',
      'paycert.dev/otlp-endpoint': 'http://collector.observability:4318/otlp',
    });
    assert.deepEqual(wanted, {
      credentials: ['wechat-main', 'alipay-main'],
      containers: ['shop'],
      usesApi: true,
      image,
      cpu: { request: '0.5', limit: '2' },
      memory: { request: '128Mi', limit: '1Gi' },
      logLevel: 'debug',
      drain: '5s',
      otlpEndpoint: 'http://collector.observability:4318/otlp',
      warnings: [],
    });
  });

  for (const [name, values] of Object.entries(odd))
    it(`is refused by the name of ${name}, without its value`, () => {
      for (const value of values) {
        const [message = '', ...others] = refusalsOf({ [name]: value });
        assert.ok(message.startsWith(`annotation ${name} is not `), `${JSON.stringify(value)}: ${message}`);
        assert.deepEqual(others, []);
        assert.ok(value.length <= 12 || !message.includes(value));
      }
    });

  it('has a request no larger than its limit where it names one of the two, and a word about that', () => {
    const low = read({ 'paycert.dev/cpu-limit': '20m', 'paycert.dev/memory-limit': '64Mi' });
    assert.deepEqual([low.cpu, low.memory], [{ request: '20m', limit: '20m' }, { request: '64Mi', limit: '64Mi' }]); // prettier-ignore
    assert.match(
      low.warnings[0]!,
      /^Annotation paycert\.dev\/cpu-limit is below the 50m that a sidecar asks for: it asks for 20m/,
    );
    assert.match(low.warnings[1]!, /^Annotation paycert\.dev\/memory-limit is below the 96Mi .*: it asks for 64Mi/);
    const high = read({ 'paycert.dev/memory-request': '1Gi', 'paycert.dev/cpu-request': '2' });
    assert.deepEqual([high.cpu, high.memory], [{ request: '2', limit: undefined }, { request: '1Gi', limit: '1Gi' }]); // prettier-ignore
    assert.deepEqual(high.warnings, ['Annotation paycert.dev/memory-request is above the default limit of 256Mi: the limit of the sidecar is 1Gi.']); // prettier-ignore
  });

  it('compares quantities of all units, and is refused where both are named and the request is larger', () => {
    const pairs = [
      ['1000k', '1M', true],
      ['1Ki', '1k', false],
      ['1024Mi', '1Gi', true],
      ['97Mi', '101711872', true],
      ['97Mi', '101711871', false],
    ] as const;
    for (const [request, limit, isFine] of pairs) {
      const said = refusalsOf({ 'paycert.dev/memory-request': request, 'paycert.dev/memory-limit': limit });
      const refused = ['annotation paycert.dev/memory-request is larger than paycert.dev/memory-limit'];
      assert.deepEqual(said, isFine ? [] : refused, `${request} ${limit}`);
    }
    assert.deepEqual(refusalsOf({ 'paycert.dev/cpu-request': '0.5', 'paycert.dev/cpu-limit': '500m' }), []);
    assert.deepEqual(refusalsOf({ 'paycert.dev/cpu-request': '501m', 'paycert.dev/cpu-limit': '0.5' }), [
      'annotation paycert.dev/cpu-request is larger than paycert.dev/cpu-limit',
    ]);
  });

  it('is refused for a label that names no credential, and for everything at once', () => {
    for (const name of ['', 'Wechat', 'a_b', 'true.'])
      assert.match(refusalsOf({}, name).join(), /^label paycert\.dev\/inject is not a name/);
    assert.equal(refusalsOf({ 'paycert.dev/image': '', 'paycert.dev/drain': 'x' }, 'X').length, 3);
  });

  it('never becomes more than short texts of harmless characters, whatever is written', () => {
    const names = Object.entries(table).flatMap(([name, { on }]) => (on === 'Pod' ? name : []));
    const annotations = fc.dictionary(fc.constantFrom(...names), fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(annotations, (written) => {
        try {
          const { credentials, containers = [], cpu, memory, ...rest } = read(written);
          const { image = '', logLevel = '', drain = '', otlpEndpoint = '' } = rest;
          const texts = [...credentials, ...containers, cpu.request, cpu.limit, memory.request, memory.limit];
          for (const text of [...texts, image, logLevel, drain, otlpEndpoint])
            assert.match(text ?? '', /^[\w.:/@-]{0,512}$/);
          assert.ok(credentials.length <= mostNames + 1);
        } catch (error) {
          assert.ok(error instanceof PaycertError, String(error));
        }
      }),
    );
  });
});
