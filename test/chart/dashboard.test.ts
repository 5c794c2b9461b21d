// The dashboard against a real Prometheus that has scraped a real sidecar: every panel of the sidecar returns data, every query is understood.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { marks, panels } from '../../scripts/chart/queries.ts';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import { Prometheus } from '../support/prometheus.ts';
import { call, configuration, credential, makeDirectory, makeMaterial, startSidecar } from '../support/sidecar.ts';
import { chart, lacks, noHelm, one, render, root } from './helm.ts';

/** As Grafana fills in "All". */
const filled = (query: string): string => query.replaceAll(/\$(namespace|credential)\b/g, '.*');
const route = (operation: string) => `/v1/credentials/wechat-main/${operation}`;
const patience = 30_000;

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

describe('in a Prometheus that scraped a sidecar', { skip: lacks('prometheus'), timeout: 180_000 }, () => {
  let prometheus: Prometheus;
  const stops: (() => unknown)[] = [];
  after(async () => {
    for (const stop of stops.reverse()) await stop();
  });

  before(async () => {
    // What a test context would do at the end of one test, these tests share until the last.
    const t = { after: (stop: () => unknown) => stops.push(stop) } as unknown as Parameters<typeof makeDirectory>[0];
    const directory = await makeDirectory(t);
    const volume = await createSecretVolume(join(directory, 'material'), (await makeMaterial()).files);
    const sidecar = await startSidecar(
      t,
      directory,
      configuration(directory, [credential({ path: join(directory, 'material') })]),
    );
    prometheus = await Prometheus.start([
      { job: 'sidecars', address: sidecar.admin, labels: { namespace: 'pay', pod: 'shop-1' } },
    ]);
    stops.push(() => prometheus[Symbol.asyncDispose]());

    const traffic = async () => {
      await call(sidecar.socket, route('sign'), { body: { message: 'x' } });
      await call(sidecar.socket, route('sign'), { body: {} });
    };
    await traffic();
    assert.ok(await prometheus.ask('paycert_operations_total{outcome="caller-error"}', patience), 'the first scrape');
    await traffic();
    await volume.write((await makeMaterial(1)).files);
    await sidecar.event('swapped', { generation: 2 });
    assert.ok(await prometheus.ask('paycert_generation == 2', patience), 'a scrape after the swap');
    await volume.write(new Map([['apiclient_key.pem', Buffer.from('no key')]]));
    await sidecar.event('rejected');
    assert.ok(await prometheus.ask('paycert_reload_last_successful == 0', patience), 'a scrape after the rejection');
  });

  for (const { title, from, queries } of panels) {
    it(
      from === 'sidecar' ? `the panel “${title}” returns data` : `the panel “${title}”, of the operator, is understood`,
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

  it('the marks of rejections are understood', async () => {
    await prometheus.query(filled(marks.rejections));
  });

  it('alerts find the series that they ask for', { skip: noHelm }, async () => {
    const rule = one(await render({ values: { prometheusRule: { renderMode: 'alwaysRender' } } }), 'PrometheusRule');
    const { groups } = rule['spec'] as { groups: { rules: { expr: string }[] }[] };
    for (const { expr } of groups.flatMap(({ rules }) => rules)) await prometheus.query(expr);
    assert.ok(
      await prometheus.ask('count by (namespace, credential) (paycert_reload_last_successful == 0) > 0', patience),
    );
    assert.ok(
      await prometheus.ask(
        'max_over_time(paycert_credential_ready{credential_namespace=""}[1h]) and on (job, instance) up == 1',
        patience,
      ),
    );
  });
});
