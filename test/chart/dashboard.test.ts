// The dashboard against a real Prometheus that has scraped a real sidecar: every panel of the sidecar returns data, every query is understood.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { stringify } from 'yaml';
import { marks, panels } from '../../scripts/chart/queries.ts';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import { startWechatpayGateway } from '../../src/testing/wechatpay-gateway.ts';
import { exchange } from '../support/http-client.ts';
import { Prometheus } from '../support/prometheus.ts';
import { call, configuration, credential, makeDirectory, makeMaterial, startSidecar } from '../support/sidecar.ts';
import { chart, lacks, noHelm, one, render, root, run } from './helm.ts';

/** As Grafana fills in "All", and the step at which it asks. */
const filled = (query: string, step = '1m'): string =>
  query.replaceAll(/\$(namespace|credential)\b/g, '.*').replaceAll('$__interval', step);
const route = (operation: string) => `/v1/credentials/wechat-main/${operation}`;
const patience = 240_000;

describe('the dashboard', () => {
  it('names each panel once, and lets people choose namespace and credential', () => {
    const { panels: made, templating } = JSON.parse(readFileSync(`${root}${chart}/files/dashboard.json`, 'utf8')) as {
      panels: { title: string; gridPos: { x: number; w: number } }[];
      templating: { list: { name: string }[] };
    };
    assert.equal(new Set(made.map(({ title }) => title)).size, made.length);
    for (const { gridPos } of made) assert.ok(gridPos.x + gridPos.w <= 24);
    assert.deepEqual(
      templating.list.map(({ name }) => name),
      ['datasource', 'namespace', 'credential'],
    );
  });
});

describe('the marks of the dashboard', () => {
  it('stand where the value says for swaps, and at the step for rejections', () => {
    const { annotations } = JSON.parse(readFileSync(`${root}${chart}/files/dashboard.json`, 'utf8')) as {
      annotations: { list: { name: string; expr: string; useValueForTime: boolean }[] };
    };
    assert.deepEqual(
      annotations.list.map(({ name, expr, useValueForTime }) => [name, expr, useValueForTime]),
      [
        ['Swaps', marks.swaps, true],
        ['Rejections', marks.rejections, false],
      ],
    );
  });
});

describe('at a scrape a minute', { skip: lacks('promtool') }, () => {
  const pay = { namespace: 'pay', credential: 'wechat-main' };
  const labels = (all: object): string =>
    `{${Object.entries(all)
      .map(([name, value]) => `${name}="${String(value)}"`)
      .join(', ')}}`;
  const of = (metric: string, more: object, pod = 'a'): string =>
    `${metric}${labels({ ...pay, job: 'paycert', instance: pod, pod, ...more })}`;
  const rejected = { outcome: 'rejected', reason: 'CERT_EXPIRED' };
  const rejections = of('paycert_reloads_total', rejected);
  const reloads = panels.find(({ title }) => title === 'Reloads')!.queries[0]!.expr;
  const swap = (pod: string, generation: string, times: string) => ({
    [of('paycert_generation', {}, pod)]: generation,
    [of('paycert_reload_last_success_timestamp_seconds', {}, pod)]: times,
  });

  interface Case {
    readonly series: Readonly<Record<string, string>>;
    readonly expr: string;
    readonly step?: string;
    /** Minute → label and value of all that is there then. */
    readonly wanted: Readonly<Record<number, readonly (readonly [object, number])[]>>;
  }
  const mark = [[{ ...pay, reason: rejected.reason }, 1]] as const;
  const line = (value: number) => [[{ credential: pay.credential, ...rejected }, value]] as const;

  const cases: Readonly<Record<string, Case>> = {
    'a swap is marked at its second, however long it is ago': {
      series: swap('a', '1x9 2x200', '100x9 615x200'),
      expr: marks.swaps,
      wanted: { 9: [], 10: [[pay, 615_000]], 100: [[pay, 615_000]] },
    },
    'a pod that starts is no swap': {
      series: { ...swap('a', '2x200', '100x200'), ...swap('b', '_x10 1x200', '_x10 615x200') },
      expr: marks.swaps,
      wanted: { 20: [[pay, 100_000]] },
    },
    'the first rejection of a pod is marked, and not for ever': {
      series: { [rejections]: '_x10 1x200' },
      expr: marks.rejections,
      wanted: { 9: [], 10: mark, 11: [], 100: [] },
    },
    'a later rejection is marked, and not for ever': {
      series: { [rejections]: '1x9 2x200' },
      expr: marks.rejections,
      wanted: { 9: [], 10: mark, 11: [] },
    },
    'a rejection is marked once at steps of a quarter of an hour': {
      series: { [rejections]: '_x10 1x20 2x200' },
      expr: marks.rejections,
      step: '15m',
      wanted: { 0: [], 15: mark, 30: [], 45: mark, 60: [] },
    },
    'a rejection after a restart is marked': {
      series: { [rejections]: '2x9 1x200' },
      expr: marks.rejections,
      wanted: { 9: [], 10: mark, 11: [] },
    },
    'ten minutes without a scrape are no rejection': {
      series: { [rejections]: '1x30 _x10 1x200' },
      expr: marks.rejections,
      wanted: { 39: [], 40: [], 41: [] },
    },
    'the first rejection of a pod is in the panel “Reloads” for an hour': {
      series: { [rejections]: '_x10 1x200' },
      expr: reloads,
      wanted: { 9: [], 10: line(1), 68: line(1), 80: line(0) },
    },
    'the first opening of a breaker is in its panel for an hour': {
      series: { [of('paycert_gateway_breaker_openings_total', { host: 'api.example' })]: '_x10 1x200' },
      expr: panels.find(({ title }) => title === 'Proxy: breakers that opened')!.queries[0]!.expr,
      wanted: {
        9: [],
        10: [[{ credential: pay.credential, host: 'api.example' }, 1]],
        80: [[{ credential: pay.credential, host: 'api.example' }, 0]],
      },
    },
    'the load at the start of a pod is no reload': {
      series: { [of('paycert_reloads_total', { outcome: 'swapped', reason: '' })]: '_x10 1x200' },
      expr: reloads,
      wanted: { 11: [[{ credential: pay.credential, outcome: 'swapped' }, 0]] },
    },
  };

  for (const [title, { series, expr, step, wanted }] of Object.entries(cases))
    it(title, async (t) => {
      const path = join(await makeDirectory(t), 'test.yaml');
      const test = {
        interval: '1m',
        input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
        promql_expr_test: Object.entries(wanted).map(([minute, samples]) => ({
          expr: filled(expr, step),
          eval_time: `${minute}m`,
          exp_samples: samples.map(([all, value]) => ({ labels: labels(all), value })),
        })),
      };
      await writeFile(path, stringify({ evaluation_interval: '1m', tests: [test] }));
      const { code, stdout, stderr } = await run('promtool', ['test', 'rules', path]);
      assert.equal(code, 0, stdout + stderr);
    });
});

describe('in a Prometheus that scraped a sidecar', { skip: lacks('prometheus'), timeout: 900_000 }, () => {
  let prometheus: Prometheus;
  const stops: (() => unknown)[] = [];
  after(async () => {
    for (const stop of stops.reverse()) await stop();
  });

  before(async () => {
    // What a test context would do at the end of one test, these tests share until the last.
    const t = { after: (stop: () => unknown) => stops.push(stop) } as unknown as Parameters<typeof makeDirectory>[0];
    const directory = await makeDirectory(t);
    const material = await makeMaterial();
    const volume = await createSecretVolume(join(directory, 'material'), material.files);
    await createSecretVolume(join(directory, 'next'), (await makeMaterial(2)).files);
    const at = (name: string) => `{ files: { path: ${JSON.stringify(join(directory, name))} } }`;
    const staged = `  - name: staged
    provider: { wechatpay: { merchantId: "1900000001" } }
    source: { staged: { current: ${at('material')}, next: ${at('next')}, activate: { percent: 0 } } }
`;
    const platform = await startWechatpayGateway();
    stops.push(() => platform.close());
    platform.admit(material);
    const sidecar = await startSidecar(
      t,
      directory,
      configuration(
        directory,
        [credential({ path: join(directory, 'material') }), staged],
        `proxy: { listen: { socket: ${JSON.stringify(join(directory, 'proxy.sock'))} }, attempts: 1, breaker: { failurePercent: 1, minimumCalls: 1, openFor: 1h }, routes: [{ credential: wechat-main, double: "${platform.url}" }] }\n`,
      ),
    );
    prometheus = await Prometheus.start([
      { job: 'sidecars', address: sidecar.admin, labels: { namespace: 'pay', pod: 'shop-1' } },
    ]);
    stops.push(() => prometheus[Symbol.asyncDispose]());

    const traffic = async () => {
      await call(sidecar.socket, route('sign'), { body: { message: 'x' } });
      await call(sidecar.socket, route('sign'), { body: {} });
      for (let index = 0; index < 3; index += 1)
        await exchange(join(directory, 'proxy.sock'), { path: '/wechat-main/v3/certificates' });
    };
    await traffic();
    assert.ok(await prometheus.ask('paycert_operations_total{outcome="caller-error"}', patience), 'the first scrape');
    await traffic();
    await volume.write((await makeMaterial(1)).files);
    await sidecar.event('swapped', { generation: 2 });
    await call(sidecar.socket, route('decrypt'), { body: { ciphertext: Buffer.alloc(256, 1).toString('base64') } });
    assert.ok(await prometheus.ask('paycert_generation == 2', patience), 'a scrape after the swap');
    await platform.close();
    // The first opens the breaker; the second is not sent.
    for (let index = 0; index < 2; index += 1)
      await exchange(join(directory, 'proxy.sock'), { path: '/wechat-main/v3/certificates' });
    assert.ok(await prometheus.ask('paycert_gateway_held_back_total', patience), 'a scrape after the breaker opened');
    await volume.write(new Map([['apiclient_key.pem', Buffer.from('no key')]]));
    await sidecar.event('rejected');
    assert.ok(await prometheus.ask('paycert_reload_last_successful == 0', patience), 'a scrape after the rejection');
  });

  for (const { title, from, queries } of panels) {
    it(
      from === 'sidecar' ? `the panel “${title}” returns data` : `the panel “${title}”, of the ${from}, is understood`,
      async () => {
        for (const { expr } of queries) {
          assert.ok(!filled(expr).includes('$'), expr);
          if (from === 'sidecar') assert.ok(await prometheus.ask(filled(expr), patience), expr);
          else await prometheus.query(filled(expr));
        }
      },
    );
  }

  it('the marks of swaps return data', async () => {
    assert.ok(await prometheus.ask(filled(marks.swaps), patience));
  });

  it('the marks of rejections return data', async () => {
    assert.ok(await prometheus.ask(filled(marks.rejections, '15m'), patience));
  });

  it('alerts find the series that they ask for', { skip: noHelm }, async () => {
    const rule = one(
      await render({
        values: {
          admission: { enabled: true },
          fleet: { enabled: true },
          prometheusRule: { renderMode: 'alwaysRender' },
        },
      }),
      'PrometheusRule',
    );
    const { groups } = rule['spec'] as { groups: { rules: { expr: string }[] }[] };
    for (const { expr } of groups.flatMap(({ rules }) => rules)) await prometheus.query(expr);
    assert.ok(
      await prometheus.ask('count by (namespace, credential) (paycert_reload_last_successful == 0) > 0', patience),
    );
    assert.ok(
      await prometheus.ask('max_over_time(paycert_credential_ready[1h]) and on (job, instance) up == 1', patience),
    );
  });
});
