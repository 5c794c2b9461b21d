// The environment variables of OpenTelemetry: which count, which are ignored and why, and that none of them gets into a message.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Environment, resourceOf, targetOf } from '../../src/otlp/variables.ts';

/** What it says, and which variables were ignored. */
function read(environment: Environment, signal: 'traces' | 'logs' = 'traces') {
  const ignored: string[] = [];
  const target = targetOf(signal, environment, (variable, why) => ignored.push(`${variable}: ${why}`));
  return { target, ignored, url: target?.url.href, names: ignored.map((one) => one.split(':')[0]) };
}

const base = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };

describe('the endpoint', () => {
  it('of all signals has a path for each', () => {
    assert.equal(read(base).url, 'http://collector:4318/v1/traces');
    assert.equal(read(base, 'logs').url, 'http://collector:4318/v1/logs');
    assert.equal(
      read({ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://c.example/otlp/' }).url,
      'https://c.example/otlp/v1/traces',
    );
  });

  it('of one signal is taken as it is, and counts more', () => {
    const environment = { ...base, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://other:9/take' };
    assert.equal(read(environment).url, 'http://other:9/take');
    assert.equal(read(environment, 'logs').url, 'http://collector:4318/v1/logs');
  });

  it('that is absent or empty, or that something switches off, exports nothing', () => {
    for (const environment of [
      {},
      { OTEL_EXPORTER_OTLP_ENDPOINT: ' ' },
      { ...base, OTEL_SDK_DISABLED: 'TRUE' },
      { ...base, OTEL_TRACES_EXPORTER: 'none' },
    ])
      assert.deepEqual(read(environment), { target: undefined, ignored: [], url: undefined, names: [] });
    assert.ok(
      read({ ...base, OTEL_SDK_DISABLED: 'false', OTEL_TRACES_EXPORTER: 'otlp', OTEL_LOGS_EXPORTER: 'none' }).target,
    );
  });

  it('that is no address of HTTP is ignored by name', () => {
    for (const endpoint of ['collector:4318', 'grpc://collector:4317', 'http://', '/v1/traces'])
      assert.deepEqual(
        read({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }).names,
        ['OTEL_EXPORTER_OTLP_ENDPOINT'],
        endpoint,
      );
  });
});

describe('the other variables', () => {
  it('give headers, percent-decoded, of the signal before those of all', () => {
    const headers = 'Authorization=Bearer%20a%2Cb, X-Scope = shop';
    assert.deepEqual(read({ ...base, OTEL_EXPORTER_OTLP_HEADERS: headers }).target?.headers, {
      authorization: 'Bearer a,b',
      'x-scope': 'shop',
    });
    const own = { ...base, OTEL_EXPORTER_OTLP_HEADERS: headers, OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'a=1' };
    assert.deepEqual(read(own).target?.headers, { a: '1' });
  });

  it('of headers drop what may not be sent, and say nothing of what it was', () => {
    const secret = 'a-secret-of-the-collector';
    for (const member of [
      secret,
      `=${secret}`,
      `x y=${secret}`,
      `x=${secret}%0d%0a`,
      `x=${secret}%zz`,
      `Host=${secret}`,
    ]) {
      const { target, ignored } = read({ ...base, OTEL_EXPORTER_OTLP_HEADERS: `a=1,${member}` });
      assert.deepEqual(target?.headers, { a: '1' }, member);
      assert.equal(ignored.length, 1);
      assert.ok(!ignored.join().includes(secret));
    }
  });

  it('bound the time of a batch', () => {
    for (const [timeout, milliseconds] of [
      ['500', 500],
      ['999999999', 60_000],
      [undefined, 10_000],
      ['', 10_000],
    ] as const)
      assert.equal(read({ ...base, OTEL_EXPORTER_OTLP_TIMEOUT: timeout }).target?.timeoutMilliseconds, milliseconds);
    for (const timeout of ['0', '-1', '1.5', '10s', 'NaN']) {
      const { target, names } = read({ ...base, OTEL_EXPORTER_OTLP_TIMEOUT: timeout });
      assert.deepEqual([target?.timeoutMilliseconds, names], [10_000, ['OTEL_EXPORTER_OTLP_TIMEOUT']]);
    }
  });

  it('that ask for what is not spoken here are ignored by name', () => {
    for (const protocol of ['grpc', 'http/protobuf'])
      assert.deepEqual(read({ ...base, OTEL_EXPORTER_OTLP_PROTOCOL: protocol }).names, ['OTEL_EXPORTER_OTLP_PROTOCOL']);
    assert.deepEqual(read({ ...base, OTEL_TRACES_EXPORTER: 'zipkin' }).names, ['OTEL_TRACES_EXPORTER']);
    assert.deepEqual(read({ ...base, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' }).names, []);
  });
});

describe('what exports', () => {
  const about = (environment: Environment) => {
    const ignored: string[] = [];
    const resource = resourceOf(environment, { 'service.version': '1.2.3' }, (variable) => ignored.push(variable));
    return { resource, ignored };
  };

  it('is called paycert, unless a variable says otherwise', () => {
    assert.deepEqual(about({}).resource, { 'service.name': 'paycert', 'service.version': '1.2.3' });
    const named = {
      OTEL_RESOURCE_ATTRIBUTES: 'service.name=shop,k8s.namespace.name=pay%20ments',
      OTEL_SERVICE_NAME: '',
    };
    assert.deepEqual(about(named).resource, {
      'service.name': 'shop',
      'service.version': '1.2.3',
      'k8s.namespace.name': 'pay ments',
    });
    assert.equal(about({ ...named, OTEL_SERVICE_NAME: 'signer' }).resource['service.name'], 'signer');
  });

  it('keeps the attributes that are well formed', () => {
    const { resource, ignored } = about({ OTEL_RESOURCE_ATTRIBUTES: 'a=1,b,c=%zz' });
    assert.equal(resource['a'], '1');
    assert.deepEqual(ignored, ['OTEL_RESOURCE_ATTRIBUTES', 'OTEL_RESOURCE_ATTRIBUTES']);
  });
});
