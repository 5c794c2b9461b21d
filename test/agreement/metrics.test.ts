// docs/metrics.md, src/telemetry/ and src/events.ts say the same, both ways.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import { errorTable, PaycertError } from '../../src/errors.ts';
import { Store } from '../../src/store/store.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { everyEvent } from '../support/events.ts';
import { codeBlocks, quoted, sections, tableRows } from './documents.ts';

const path = 'docs/metrics.md';
const create = () => {
  const store = new Store();
  for (const name of ['a', 'wechat-main'])
    store.declare(name, { provider: 'wechatpay', isRequired: false, requires: [] });
  return createMetrics({ store, clock: systemClock, version: '0.0.0' });
};

interface Row {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
  readonly meaning: string;
}

const documented: Row[] = sections(path).flatMap(({ body }) =>
  tableRows(body).flatMap(([name = '', type = '', labels = '', meaning = '']) =>
    /^`(paycert|process)_/.test(name) ? [{ name: quoted(name).join(), type, labels: quoted(labels), meaning }] : [],
  ),
);

/** By `# TYPE` lines: what a scrape says of itself. */
async function types(): Promise<Map<string, string>> {
  const text = await create().render();
  return new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => [name, type]));
}

const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);

describe('docs/metrics.md', () => {
  it('has every metric with its type and labels, and no other', async () => {
    const typeOf = await types();
    const inCode = create()
      .describe()
      .map(({ name, labels }) => ({ name, type: typeOf.get(name), labels: [...labels].sort() }));
    assert.deepEqual(
      documented.map(({ name, type, labels }) => ({ name, type, labels: [...labels].sort() })).sort(byName),
      inCode.sort(byName),
    );
  });

  it('says what every metric means', () => {
    for (const { name, meaning } of documented) assert.ok(meaning.length > 10, name);
  });

  it('queries metrics that exist, by labels that they have', () => {
    const labelsOf = new Map(documented.map(({ name, labels }) => [name, labels]));
    const queries = codeBlocks(path).filter(({ info }) => info === 'promql');
    assert.ok(queries.length > 5);
    for (const { text } of queries) {
      for (const [, name = '', , selectors = ''] of text.matchAll(
        /\b(paycert_\w+?)(_bucket|_count)?(?:\{([^}]*)\}|(?![\w{]))/g,
      )) {
        const labels = labelsOf.get(name);
        assert.ok(labels, `${name} is no metric`);
        for (const [, label = ''] of selectors.matchAll(/(\w+)\s*(?:=~|!=|!~|=)/g))
          assert.ok(labels.includes(label) || label === 'le', `${name} has no label ${label}`);
      }
    }
  });

  it('has an edge of the buckets at 0.8 s, where a payment page stops waiting', async () => {
    const metrics = create();
    metrics.observe({
      type: 'operated',
      call: '1',
      listener: 'socket',
      credential: 'a',
      operation: 'sign',
      outcome: 'ok',
      seconds: 0.1,
    });
    assert.match(await metrics.render(), /paycert_operation_duration_seconds_bucket\{le="0\.8",operation="sign"\}/);
  });
});

const credential = 'wechat-main';
const error = new PaycertError('signature-invalid', 'text');

const eventRows = new Map(
  tableRows(sections(path).find(({ title }) => title === 'Events')?.body ?? '').map(
    ([name = '', level, counted = '']) => [quoted(name).join(), { level: level ?? '', counted }],
  ),
);

/** Our own series; those of the process change by themselves. */
const series = (text: string): string[] => text.split('\n').filter((line) => /^paycert_(?!build_info)/.test(line));

describe('every event', () => {
  it('has a row in docs/metrics.md, and no other has', () => {
    assert.deepEqual([...eventRows.keys()], Object.keys(everyEvent));
  });

  for (const event of Object.values(everyEvent)) {
    const { level = '', counted = '' } = eventRows.get(event.type) ?? {};

    it(`${event.type} is logged as documented: ${level}`, () => {
      const lines: string[] = [];
      createLog('debug', { write: (line) => void lines.push(line) }, () => new Date(0))(event);
      const levels = lines.map((line) => (JSON.parse(line) as { level: string }).level);
      if (level === '–') assert.deepEqual(levels, []);
      else assert.ok(levels.length === 1 && level.split(/\W+/).includes(levels[0]!), `${String(levels)}, not ${level}`);
    });

    it(`${event.type} is counted as documented: ${counted}`, async () => {
      const metrics = create();
      const before = series(await metrics.render());
      metrics.observe(event);
      const changed = series(await metrics.render()).filter((line) => !before.includes(line));
      if (counted.startsWith('not counted')) assert.deepEqual(changed, []);
      else
        assert.ok(
          changed.some((line) => line.startsWith(quoted(counted)[0]!)),
          String(changed),
        );
    });
  }
});

describe('a credential that is removed', () => {
  it('takes all its series with it', async () => {
    const store = new Store();
    store.declare(credential, { provider: 'wechatpay', isRequired: false, requires: [] });
    const metrics = createMetrics({ store, clock: systemClock, version: '0.0.0' });
    for (const event of Object.values(everyEvent)) if (event.type !== 'credential-removed') metrics.observe(event);
    const probe = new PaycertError('signature-probe', 'text');
    metrics.observe({ type: 'unverified', credential, kind: 'notification', error: probe });
    assert.match(await metrics.render(), /credential="wechat-main"/);
    store.remove(credential);
    metrics.observe(everyEvent['credential-removed']);
    await new Promise((resolve) => setImmediate(resolve));
    assert.doesNotMatch(await metrics.render(), /credential="wechat-main"/);
  });
});

describe('reasons', () => {
  it('are error codes, which the label table says', () => {
    assert.ok(Object.hasOwn(errorTable, error.code));
    const labels = tableRows(sections(path)[0]?.body ?? '');
    assert.ok(labels.some(([name = '']) => quoted(name).includes('reason')));
  });
});
