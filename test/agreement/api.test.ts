// docs/api.md, the operations and the OpenAPI document say the same; every example is what the schemas allow.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { systemClock as clock } from '../../src/clock.ts';
import { defaults } from '../../src/config/defaults.ts';
import { Limiter } from '../../src/store/limiter.ts';
import { type ErrorCode, errorTable } from '../../src/errors.ts';
import { wechatpay } from '../../src/providers/wechatpay/provider.ts';
import { type Api, apiRoutes, createApi } from '../../src/server/http.ts';
import { listenOnPort } from '../../src/server/listeners.ts';
import { openApiDocument } from '../../src/server/openapi.ts';
import { operations } from '../../src/server/operations.ts';
import { maxBatch, Problem } from '../../src/server/schema.ts';
import { material } from '../../src/sources/source.ts';
import { aroundEach } from '../../src/store/call.ts';
import { attempt } from '../../src/store/attempt.ts';
import { Store } from '../../src/store/store.ts';
import { createWechatpayMaterial } from '../../src/testing/wechatpay-material.ts';
import { codeBlocks, read, sections } from './documents.ts';

const path = 'docs/api.md';
const text = read(path);

interface Call {
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: TSchema } } };
  readonly responses: {
    readonly 200: { readonly content: { readonly 'application/json': { readonly schema: TSchema } } };
  };
}
const store = new Store();
const observe = (): undefined => undefined;
const api: Api = {
  store,
  clock,
  observe,
  around: aroundEach({ observe, milliseconds: () => performance.now(), most: 1024 }),
  maxBodyBytes: defaults.maxBodyBytes,
  version: '0.0.0',
  startedAt: new Date(),
};
const { paths } = openApiDocument('0.0.0', apiRoutes(api, 'socket')) as { paths: Record<string, Record<string, Call>> };
const routes = Object.entries(paths).flatMap(([route, methods]) =>
  Object.entries(methods).map(([method, call]) => ({ route: `${method.toUpperCase()} ${route}`, call })),
);
const callOf = (route: string): Call => {
  const found = routes.find((candidate) => candidate.route === route);
  assert.ok(found, `${route} is no route`);
  return found.call;
};

/** `json request POST /v1/…`, `json answer POST /v1/…`, `json problem` */
const examples = codeBlocks(path).flatMap(({ info, text: json }) => {
  const [, kind, route = ''] = /^json (request|answer|problem) ?(.*)$/.exec(info) ?? [];
  return kind === undefined ? [] : [{ kind, route, value: JSON.parse(json) as unknown }];
});

const schemaOf = (kind: string, route: string): TSchema => {
  if (kind === 'problem') return Problem;
  const { requestBody, responses } = callOf(route);
  const schema =
    kind === 'request'
      ? requestBody?.content['application/json'].schema
      : responses[200].content['application/json'].schema;
  assert.ok(schema, `${route} takes no body`);
  return schema;
};

function assertFits(schema: TSchema, value: unknown, what: string): void {
  const compiled = Compile(schema);
  assert.ok(compiled.Check(value), `${what}: ${JSON.stringify(compiled.Errors(value))}`);
}

describe('docs/api.md', () => {
  it('names every route of the OpenAPI document, and no other', () => {
    const named = [...text.matchAll(/^(?:### |- `)((?:GET|POST) \/[^\s`]+)/gm)].map(([, route]) => route);
    assert.deepEqual(named.sort(), routes.map(({ route }) => route).sort());
  });

  it('has a section for every operation, in the order of the table', () => {
    const titles = sections(path)
      .map(({ title }) => title)
      .filter((title) => title.startsWith('POST '));
    assert.deepEqual(
      titles,
      operations.map(({ name }) => `POST /v1/credentials/{name}/${name}`),
    );
  });

  it('has an example of a request and of an answer for every operation', () => {
    for (const { name } of operations) {
      for (const kind of ['request', 'answer']) {
        const route = `POST /v1/credentials/{name}/${name}`;
        assert.ok(
          examples.some((example) => example.kind === kind && example.route === route),
          `${kind} ${route}`,
        );
      }
    }
  });

  it('marks every block of JSON as an example of something', () => {
    const marked = codeBlocks(path).filter(({ info }) => info.startsWith('json'));
    assert.equal(marked.length, examples.length);
  });

  for (const [index, { kind, route, value }] of examples.entries()) {
    it(`example ${index + 1} fits its schema: ${kind} ${route}`, () => assertFits(schemaOf(kind, route), value, route));
  }

  it('quotes problems as the table of errors has them', () => {
    const problems = JSON.stringify(examples).matchAll(
      /"title":"([a-z-]+)","status":(\d+),"detail":"[^"]*","hint":"([^"]*)"/g,
    );
    const seen = [...problems].map(([, code = '', status, hint]) => {
      const row = errorTable[code as ErrorCode];
      assert.deepEqual({ hint, status }, { hint: row.hint, status: String(row.status ?? 400) });
      return code;
    });
    assert.ok(seen.length >= 2);
  });

  it('gives the limits that are in the code', () => {
    assert.ok(text.includes(`| 1 to ${maxBatch} |`));
    assert.ok(text.includes(`${defaults.maxBodyBytes / 1024 / 1024} MiB by default`));
  });
});

describe('examples that need no signature of WeChat Pay', async () => {
  const merchantId = '1900000001';
  store.declare('wechat-main', { provider: 'wechatpay', isRequired: true, requires: ['sign'] });
  const { files } = await createWechatpayMaterial({ merchantId, now: clock.now(), platformCertificates: 1 });
  const credential = {
    name: 'wechat-main',
    provider: wechatpay({ merchantId }),
    older: 'accept',
    graceMilliseconds: 0,
  } as const;
  assert.equal(
    await attempt(credential, material(files), { store, clock, limiter: new Limiter(2), observe }),
    undefined,
  );
  const listener = await listenOnPort('127.0.0.1:0', createApi(api, 'tcp'));
  after(() => listener.close());

  const answerable = /\/(?:authorize|sign|sign\/batch|encrypt|payment-parameters)$/;
  const requests = examples.filter(({ kind, route }) => kind === 'request' && answerable.test(route));

  /** Names of members, all the way down: what an example and a real answer must share. */
  const shape = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(shape);
    if (typeof value !== 'object' || value === null) return typeof value;
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, shape(member)]));
  };

  for (const request of requests) {
    const answer = examples[examples.indexOf(request) + 1]!;
    it(`${request.route} answers as documented to ${JSON.stringify(request.value).slice(0, 40)}`, async () => {
      const [, route = ''] = request.route.replace('{name}', 'wechat-main').split(' ');
      const response = await fetch(`http://${listener.address}${route}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(request.value),
      });
      assert.equal(response.status, 200);
      const body: unknown = await response.json();
      assertFits(schemaOf('answer', request.route), body, request.route);
      assert.deepEqual(shape(body), shape(answer.value));
    });
  }
});
