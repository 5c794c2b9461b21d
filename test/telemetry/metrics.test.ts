// What a scrape shows: what is current in memory, what was counted, and nothing of what has gone.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import { Limiter } from '../../src/store/limiter.ts';
import { PaycertError } from '../../src/errors.ts';
import { wechatpay } from '../../src/providers/wechatpay/provider.ts';
import { Snapshot } from '../../src/store/snapshot.ts';
import { Store } from '../../src/store/store.ts';
import { createMetrics, type ProcessMetrics } from '../../src/telemetry/metrics.ts';
import type { WechatpayMaterial } from '../../src/testing/wechatpay-material.ts';
import { everyEvent } from '../support/events.ts';
import { makeMaterial, merchantId } from '../support/sidecar.ts';

const standing = { provider: 'wechatpay', isRequired: true, requires: ['sign'] } as const;

interface Setup {
  readonly store: Store;
  readonly metrics: ProcessMetrics;
  /** The sample of a series, by its name and labels as text. */
  readonly value: (series: string) => Promise<number | undefined>;
}

function setUp(...names: readonly string[]): Setup {
  const store = new Store();
  for (const name of names) store.declare(name, standing);
  const metrics = createMetrics({ store, clock: systemClock, version: '1.2.3' });
  const value = async (series: string): Promise<number | undefined> => {
    const line = (await metrics.render()).split('\n').find((text) => text.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length + 1));
  };
  return { store, metrics, value };
}

async function load(store: Store, name: string, material: WechatpayMaterial, generation = 1): Promise<void> {
  const context = await wechatpay({ merchantId }).load(material.files);
  const about = { generation, loadedAt: new Date(1_800_000_000_000), version: undefined, retired: [] };
  const snapshot = new Snapshot(context, about, new Limiter(4));
  store.update(name, (entry) => ({ ...entry, snapshot }));
}

const seconds = (time: Date | undefined): number => (time?.getTime() ?? Number.NaN) / 1000;
const error = new PaycertError('key-mismatch', 'message');

describe('metrics', () => {
  it('show the dates of what is current in memory, of platform certificates the latest', async () => {
    const { store, value } = setUp('a');
    for (const [index, material] of [await makeMaterial(0), await makeMaterial(1)].entries()) {
      await load(store, 'a', material, index + 1);
      const [older, newer] = material.platformKeys.map(({ issued }) => issued);
      assert.ok(seconds(older?.notAfter) < seconds(newer?.notAfter));
      const at = (edge: string, role: string) =>
        value(`paycert_certificate_${edge}_timestamp_seconds{credential="a",role="${role}"}`);
      assert.equal(await at('not_after', 'merchant'), seconds(material.merchant.notAfter));
      assert.equal(await at('not_before', 'merchant'), seconds(material.merchant.notBefore));
      assert.equal(await at('not_after', 'platform'), seconds(newer?.notAfter));
      assert.equal(await at('not_after', 'apiv3'), undefined);
      assert.equal(await value('paycert_generation{credential="a"}'), index + 1);
    }
    assert.equal(await value('paycert_reload_last_success_timestamp_seconds{credential="a"}'), 1_800_000_000);
    assert.equal(await value('paycert_apiv3_key_proven{credential="a"}'), 0);
  });

  it('say by when a secret should be replaced, while there is one and its maxAge is known', async () => {
    const { store, value } = setUp('a');
    const [material, series] = [
      await makeMaterial(),
      'paycert_key_replace_by_timestamp_seconds{credential="a",role="apiv3"}',
    ];
    await load(store, 'a', material);
    assert.equal(await value(series), undefined);
    store.declare('a', { ...standing, maxAge: { milliseconds: 60_000, isGiven: false } });
    assert.equal(await value(series), 1_800_000_060);
    assert.equal(await value(series.replace('apiv3', 'merchant')), undefined);
    await load(store, 'a', {
      ...material,
      files: new Map([...material.files].filter(([name]) => name !== 'apiv3_key')),
    });
    assert.equal(await value(series), undefined);
  });

  it('are written in several turns of the event loop where there are many, all as of one moment', async () => {
    const names = Array.from({ length: 2000 }, (_, index) => `merchant-${String(index)}`);
    const { store, metrics } = setUp(...names);
    let turns = 0;
    let isOver = false;
    const nextTurn = () => {
      turns += 1;
      if (turns === 1) store.declare('late', standing);
      if (!isOver) setImmediate(nextTurn);
    };
    setImmediate(nextTurn);
    const text = await metrics.render();
    isOver = true;
    assert.ok(turns >= 4, String(turns));
    assert.ok(!text.includes('credential="late"'));
    assert.ok((await metrics.render()).includes('paycert_credential_ready{credential="late"} 0'));
  });

  it('say of a credential without material that it is not ready and not loaded', async () => {
    const { value } = setUp('a');
    assert.equal(await value('paycert_credential_ready{credential="a"}'), 0);
    assert.equal(await value('paycert_generation{credential="a"}'), 0);
    assert.equal(await value('paycert_reload_last_successful{credential="a"}'), 0);
    assert.equal(await value('paycert_reload_last_success_timestamp_seconds{credential="a"}'), undefined);
  });

  it('say that the newest material is not current while it is rejected or unreadable', async () => {
    const { store, value } = setUp('a');
    await load(store, 'a', await makeMaterial());
    const series = 'paycert_reload_last_successful{credential="a"}';
    assert.equal(await value(series), 1);
    store.update('a', (entry) => ({ ...entry, rejection: { at: new Date(), error } }));
    assert.equal(await value(series), 0);
    store.update('a', ({ rejection, ...entry }) => ({ ...entry, sourceError: { at: new Date(), error } }));
    assert.equal(await value(series), 0);
  });

  it('say when deferred material becomes current, and call a reload unsuccessful only if the current set ends before', async () => {
    const { store, value } = setUp('a');
    const material = await makeMaterial();
    await load(store, 'a', material);
    const end = material.merchant.notAfter;
    for (const [until, successful] of [
      [end, 1],
      [new Date(end.getTime() + 1000), 0],
    ] as const) {
      store.update('a', (entry) => ({ ...entry, deferral: { at: new Date(), until, error } }));
      assert.equal(await value('paycert_reload_last_successful{credential="a"}'), successful);
      assert.equal(await value('paycert_deferred_until_timestamp_seconds{credential="a"}'), until.getTime() / 1000);
    }
    store.update('a', ({ deferral, ...entry }) => entry);
    assert.equal(await value('paycert_deferred_until_timestamp_seconds{credential="a"}'), undefined);
  });

  it('say of each followed file whether its newest content is used, until it is put right', async () => {
    const { metrics, value } = setUp('a');
    const current = async () => [
      await value('paycert_file_current{file="configuration"}'),
      await value('paycert_file_current{file="token"}'),
    ];
    metrics.observe({ type: 'configured', credentials: 1, needsRestart: false });
    assert.deepEqual(await current(), [1, undefined]);
    for (const file of ['configuration', 'token'] as const) metrics.observe({ type: 'config-rejected', file, error });
    assert.deepEqual(await current(), [0, 0]);
    metrics.observe({ type: 'configured', credentials: 1, needsRestart: false });
    assert.deepEqual(await current(), [1, 0]);
    metrics.observe({ type: 'token-replaced', file: 'token' });
    assert.deepEqual(await current(), [1, 1]);
  });

  it('say of each watch that fails for how long it does, and nothing of files, which are polled', async () => {
    const { metrics, value } = setUp();
    const source = 'secret:wechat-main';
    const failing = () => value(`paycert_watch_failing{source="${source}"}`);
    for (const [end, becomes] of [
      ['watch-restarted', 0],
      ['watch-ended', undefined],
    ] as const) {
      metrics.observe({ type: 'watch-failed', source, reason: error.code, error });
      assert.equal(await failing(), 1);
      metrics.observe({ type: end, source });
      assert.equal(await failing(), becomes);
    }
    metrics.observe({ type: 'watch-failed', source: 'files:/etc/paycert', reason: 'ENOSPC' });
    metrics.observe({ type: 'watch-failed', source: 'secret:other', reason: 'missed-event' });
    assert.doesNotMatch(await metrics.render(), /paycert_watch_failing\{source="(files|secret:other)/);
  });

  it('count a deferral once per revision and code', async () => {
    const { metrics, value } = setUp('a');
    const until = new Date();
    for (const isNew of [true, false, true])
      metrics.observe({ type: 'deferred', credential: 'a', error, until, isBridged: true, seconds: 0, isNew });
    assert.equal(await value('paycert_reloads_total{credential="a",outcome="deferred",reason="key-mismatch"}'), 2);
  });

  it('count a rejection once per revision and code', async () => {
    const { metrics, value } = setUp('a');
    for (const isNew of [true, false, false])
      metrics.observe({ type: 'rejected', credential: 'a', error, seconds: 0, isNew });
    const series = 'paycert_reloads_total{credential="a",outcome="rejected",reason="key-mismatch"}';
    assert.equal(await value(series), 1);
    metrics.observe({ type: 'rejected', credential: 'a', error, seconds: 0, isNew: true });
    assert.equal(await value(series), 2);
  });

  it('count probes apart from signatures that are really wrong', async () => {
    const { metrics, value } = setUp('a');
    const probe = new PaycertError('signature-probe', 'message');
    metrics.observe({ type: 'unverified', credential: 'a', kind: 'response', error: probe });
    assert.equal(await value('paycert_signature_probes_total{credential="a",kind="response"}'), 1);
    assert.ok(!(await metrics.render()).includes('paycert_verification_failures_total{'));
  });

  it('count every event of a credential in a series with its name', async () => {
    for (const type of [
      'swapped',
      'rejected',
      'found-by-poll',
      'source-failed',
      'operated',
      'unverified',
      'unopened',
      'decrypted',
    ] as const) {
      const { metrics } = setUp('wechat-main');
      metrics.observe(everyEvent[type]);
      assert.match(await metrics.render(), /^paycert_\w+_total\{credential="wechat-main".*\} 1$/m, type);
    }
  });

  it('drop every series of a credential that goes, counters too, and leave the others', async () => {
    const { store, metrics } = setUp('wechat-main', 'other');
    await load(store, 'wechat-main', await makeMaterial());
    for (const event of Object.values(everyEvent)) if (event.type !== 'credential-removed') metrics.observe(event);
    metrics.observe({ ...everyEvent.operated, credential: 'other' });
    assert.match(await metrics.render(), /"wechat-main"/);
    store.remove('wechat-main');
    metrics.observe(everyEvent['credential-removed']);
    const scrape = await metrics.render();
    assert.ok(!scrape.includes('wechat-main'));
    assert.match(scrape, /paycert_operations_total\{credential="other",operation="sign",outcome="ok"\} 1/);
  });

  it('count nothing for an operation that ends after its credential has gone', async () => {
    const { store, metrics } = setUp('wechat-main');
    store.remove('wechat-main');
    metrics.observe(everyEvent['credential-removed']);
    for (const type of ['operated', 'unverified', 'unopened', 'decrypted'] as const) metrics.observe(everyEvent[type]);
    assert.ok(!(await metrics.render()).includes('wechat-main'));
  });

  it('count a credential that comes back under its name from the start', async () => {
    const { store, metrics, value } = setUp('wechat-main');
    const series = 'paycert_operations_total{credential="wechat-main",operation="sign",outcome="ok"}';
    metrics.observe(everyEvent.operated);
    store.remove('wechat-main');
    metrics.observe(everyEvent['credential-removed']);
    store.declare('wechat-main', standing);
    assert.equal(await value(series), undefined);
    metrics.observe(everyEvent.operated);
    assert.equal(await value(series), 1);
  });

  it('have a label set and a help text each, and no secret in any label', async () => {
    const { store, metrics } = setUp('a');
    const material = await makeMaterial();
    await load(store, 'a', material);
    for (const { name, help, labels } of metrics.describe()) {
      assert.match(help, /^[A-Z].*\.$/, name);
      for (const label of labels) assert.match(label, /^[a-z_]+$/);
    }
    const scrape = await metrics.render();
    assert.ok(!scrape.includes(material.apiV3Key));
    assert.ok(!scrape.includes('PRIVATE'));
  });

  it('scrape a thousand credentials', async () => {
    const names = Array.from({ length: 1000 }, (_, index) => `merchant-${index}`);
    const { store, metrics, value } = setUp(...names);
    const material = await makeMaterial();
    await load(store, 'merchant-0', material);
    const { snapshot } = store.entry('merchant-0');
    for (const name of names) store.update(name, (entry) => ({ ...entry, snapshot: snapshot! }));
    const scrape = await metrics.render();
    assert.equal(scrape.match(/^paycert_generation\{/gm)?.length, 1000);
    assert.equal(scrape.match(/^paycert_certificate_not_after_timestamp_seconds\{/gm)?.length, 2000);
    assert.equal(await value('paycert_credential_ready{credential="merchant-999"}'), 1);
  });
});
