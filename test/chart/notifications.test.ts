// What people are told of an incident: the alerts of a whole incident, through a real Alertmanager with the documented routing, counted.
import assert from 'node:assert/strict';
import { before, describe, it, type TestContext } from 'node:test';
import { codeBlocks } from '../agreement/documents.ts';
import { Alertmanager, scaledMinute, scaledRound } from '../support/alertmanager.ts';
import { makeDirectory } from '../support/sidecar.ts';
import { by, day, merchant, of } from './alert-cases/series.ts';
import { at, lacks, noHelm, one, render } from './helm.ts';
import { type Firing, type Groups, loop, replay, scraped, type Series, sidecar } from './incident.ts';

const program = lacks('alertmanager') === false ? 'alertmanager' : 'prometheus-alertmanager';
const [routing] = codeBlocks('docs/alerts.md').filter(({ text }) => text.includes('receivers:'));
const how = { minutes: 90, scrape: 30 };
const minute = 60;
const [from, to] = [15 * minute, 60 * minute];
const during = (bad: number, good: number) => (at: number) => (at >= from && at < to ? bad : good);
const condition = (status: string, isNow: (at: number) => boolean) => ({
  [by('paycert_credential_condition', { condition: 'Ready', status })]: scraped(how, (at) =>
    isNow(at) ? 1 : undefined,
  ),
});
const conditions = {
  ...condition('True', (at) => at < from || at >= to),
  ...condition('False', (at) => at >= from && at < to),
};
const operator = {
  'paycert_operator_queue_length{job="operator",namespace="paycert-system",instance="o",pod="o"}': '0x200',
  'paycert_leading{job="operator",namespace="paycert-system",instance="o",pod="o"}': '1x200',
};
const both = (life: (pod: string) => Parameters<typeof sidecar>[1]): Series => ({
  ...sidecar(how, life('a')),
  ...sidecar(how, life('b')),
});
const whole = [0, 2 * 90 * minute] as const;

const incidents: Readonly<Record<string, Series>> = {
  'a bad Secret that sidecars and the operator both see': {
    ...both((pod) => ({ pod, lives: [whole], successful: during(0, 1) })),
    ...conditions,
  },
  'a crash loop of every sidecar': both((pod) => ({
    pod,
    lives: [[0, from], ...loop(60, [from + 10, to]), [to, whole[1]]],
  })),
  'a sidecar that is down, of a credential that is not ready as it is stored': {
    ...sidecar(how, {
      pod: 'a',
      lives: [
        [0, from],
        [to, whole[1]],
      ],
    }),
    ...conditions,
  },
  'a certificate in its last hours, in memory and in the Secret, that is renewed': {
    ...both((pod) => ({ pod, lives: [whole] })),
    [of('paycert_certificate_not_after_timestamp_seconds', merchant)]: scraped(how, during(day / 2, 90 * day)),
    [by('paycert_stored_certificate_not_after_timestamp_seconds', merchant)]: scraped(how, during(day / 2, 90 * day)),
  },
};

const failing = (isNow: (at: number) => boolean): Series => {
  const counted = (outcome: string, valueAt: (at: number) => number) => {
    let total = 0;
    const next = (at: number) => (total += valueAt(at));
    return { [of('paycert_operations_total', { operation: 'sign', outcome })]: scraped(how, next) };
  };
  return { ...counted('not-ready', (at) => (isNow(at) ? 50 : 0)), ...counted('ok', (at) => (isNow(at) ? 0 : 50)) };
};
const isWrong = (at: number) => at >= from && at < to;

/** Several alerts of level 1 about one credential, one after the other. */
const chains: Readonly<Record<string, Series>> = {
  'a certificate that expires in use, so that nothing is ready, nothing is signed, and the Secret is the same': {
    ...both((pod) => ({ pod, lives: [whole], ready: during(0, 1), successful: () => 1 })),
    ...conditions,
    ...failing(isWrong),
    [of('paycert_certificate_not_after_timestamp_seconds', merchant)]: scraped(how, (at) =>
      at < to ? from : 90 * day,
    ),
    [by('paycert_stored_certificate_not_after_timestamp_seconds', merchant)]: scraped(how, (at) =>
      at < to ? from : 90 * day,
    ),
  },
  'a Secret that is rejected, and sidecars that are restarted on it half an hour later': {
    ...both((pod) => ({
      pod,
      lives: [[0, 30 * minute], ...loop(60, [30 * minute + 10, to]), [to, whole[1]]],
      ready: (at) => Number(at < 30 * minute || at >= to),
      successful: during(0, 1),
    })),
    ...conditions,
  },
};

/** What is told where posts were no further apart than minutes of the incident are: a machine that is slower tells another story, and begins again. */
async function tell(t: TestContext, firings: readonly Firing[]) {
  for (;;) {
    const told = await tellOnce(t, firings);
    if (told !== undefined) return told;
    t.diagnostic('the machine was too slow: once more');
  }
}

/** Posts what fires at each minute at which that changes, as Prometheus does; five minutes apart or more, all that is due is told first. Undefined: some posts were late. */
async function tellOnce(t: TestContext, firings: readonly Firing[]) {
  const alertmanager = await Alertmanager.start(program, await makeDirectory(t), routing!.text);
  t.after(() => alertmanager.stop());
  const later = new Date(Date.now() + 3_600_000);
  const known = new Map<string, { labels: Record<string, string>; startsAt: Date }>();
  let told = 0;
  let since = { at: 0, now: performance.now() };
  let before: typeof since | undefined;
  for (let at = 0; at <= how.minutes; at += 1) {
    const now = new Map(
      firings
        .filter((firing) => firing.minute === at)
        .map(({ alert, labels }) => [JSON.stringify([alert, labels]), { alertname: alert, ...labels }]),
    );
    const began = [...now].filter(([key]) => !known.has(key));
    const ended = [...known].filter(([key]) => !now.has(key));
    if (began.length + ended.length === 0) continue;
    if (at - told >= 5) {
      await alertmanager.settle();
      since = { at, now: performance.now() };
      before = undefined;
    }
    told = at;
    const posting = { at, now: performance.now() };
    for (const [key, labels] of began) known.set(key, { labels, startsAt: new Date() });
    for (const [key] of ended) known.delete(key);
    await alertmanager.post([
      ...[...known.values()].map((alert) => ({ ...alert, endsAt: later })),
      ...ended.map(([, alert]) => ({ ...alert, endsAt: new Date() })),
    ]);
    const posted = performance.now();
    const isLate = posted - since.now > Math.max(scaledRound, (at - since.at) * scaledMinute);
    // Two minutes after the first alert it is too late to silence its page.
    const isApart = before !== undefined && posted - before.now > Math.max(1.5, at - before.at) * scaledMinute;
    before = posting;
    if (isLate || isApart) {
      await alertmanager.stop();
      return undefined;
    }
  }
  await alertmanager.settle();
  const count = (receiver: string, status: string) =>
    alertmanager.notifications.filter((each) => each.receiver === receiver && each.status === status).length;
  /** As a pager counts, which knows an incident by the key of its group: what joins it later is the same page. */
  const open = new Set<string>();
  let [opened, closed] = [0, 0];
  for (const { receiver, status, groupKey } of alertmanager.notifications) {
    if (receiver !== 'pager') continue;
    if (status === 'firing' && !open.has(groupKey)) [opened] = [opened + 1, open.add(groupKey)];
    if (status === 'resolved' && open.delete(groupKey)) closed += 1;
  }
  const said = alertmanager.notifications
    .filter(({ receiver, status }) => receiver === 'chat' && status === 'firing')
    .flatMap(({ alerts }) => alerts.map(({ labels }) => `${labels['alertname'] ?? ''} ${labels['pod'] ?? ''}`));
  return {
    incidents: [opened, closed],
    pages: [count('pager', 'firing'), count('pager', 'resolved')],
    chat: { count: count('chat', 'firing'), alerts: [...new Set(said)].sort() },
  };
}

const firing = (alert: string, level: string, labels: object): Firing[] =>
  Array.from({ length: 60 }, (_, at) => ({ minute: at + 10, alert, labels: { namespace: 'pay', level, ...labels } }));

describe('an alert that names no credential', { skip: lacks(program), timeout: 900_000 }, () => {
  it('silences nothing but the lesser one of the same clock', async (t) => {
    const { chat } = await tell(t, [
      ...firing('PaycertFileRejected', 'L1', { file: 'configuration' }),
      ...firing('PaycertClockWrong', 'L1', { pod: 'a' }),
      ...firing('PaycertClockOff', 'L2', { pod: 'a' }),
      ...firing('PaycertClockOff', 'L2', { pod: 'b' }),
      ...firing('PaycertPlatformClockWrong', 'L1', { pod: 'a', host: 'one.example' }),
      ...firing('PaycertPlatformClockOff', 'L2', { pod: 'a', host: 'one.example' }),
      ...firing('PaycertPlatformClockOff', 'L2', { pod: 'c', host: 'other.example' }),
      ...firing('PaycertLatencyHigh', 'L2', { operation: 'sign' }),
    ]);
    assert.deepEqual(chat.alerts, ['PaycertClockOff b', 'PaycertLatencyHigh ', 'PaycertPlatformClockOff c']);
  });
});

const skip = noHelm || lacks('promtool') || lacks(program);

// Nine incidents, one after the other.
describe('of an incident', { skip, timeout: 3_600_000 }, () => {
  let groups: Groups;
  before(async () => {
    const values = { prometheusRule: { renderMode: 'alwaysRender' } };
    groups = at(one(await render({ values }), 'PrometheusRule'), 'spec.groups') as Groups;
  });

  for (const [what, series] of Object.entries(incidents))
    it(`such as ${what}, one page says that it is there and one that it is over`, async (t) => {
      const { pages, chat } = await tell(t, await replay(t, groups, { ...operator, ...series }, how));
      t.diagnostic(`pages: ${pages.join(' + ')}; in the channel: ${chat.count}`);
      assert.deepEqual(pages, [1, 1]);
      assert.ok(chat.count <= 1, `${chat.count} messages in the channel`);
    });

  for (const [what, series] of Object.entries(chains))
    it(`such as ${what}, a plain webhook is called once that it is there and once that it is over, however many alerts join it`, async (t) => {
      const firings = await replay(t, groups, { ...operator, ...series }, how);
      const { incidents: known, pages, chat } = await tell(t, firings);
      t.diagnostic(`incidents: ${known.join(' + ')}; calls: ${pages.join(' + ')}; in the channel: ${chat.count}`);
      assert.ok(new Set(firings.filter(({ labels }) => labels['level'] === 'L1').map(({ alert }) => alert)).size > 2);
      assert.deepEqual(
        [known, pages],
        [
          [1, 1],
          [1, 1],
        ],
      );
    });

  it('whose alerts reach Alertmanager an evaluation before the one that sums them up, one page says that it is there', async (t) => {
    const about = { credential: 'wechat-main' };
    const { pages } = await tell(t, [
      ...firing('PaycertMaterialRejected', 'L1', about),
      ...firing('PaycertIncident', 'L1', about).slice(1),
      ...firing('PaycertSidecarDown', 'L1', about).slice(20),
    ]);
    assert.deepEqual(pages, [1, 1]);
  });

  it('that nothing sums up, pages all the same', async (t) => {
    const { pages } = await tell(t, firing('PaycertMaterialRejected', 'L1', { credential: 'wechat-main' }));
    assert.deepEqual(pages, [1, 1]);
  });

  it('about a credential that is suspended while everything about it is wrong, nobody is paged', async (t) => {
    const suspendedSince = scraped(how, (at) => (at >= from && at < to ? from : undefined));
    const series = {
      ...both((pod) => ({ pod, lives: [whole], ready: during(0, 1) })),
      ...conditions,
      [of('paycert_suspended_since_timestamp_seconds')]: suspendedSince,
      [by('paycert_stored_suspended_since_timestamp_seconds')]: suspendedSince,
    };
    const { pages, chat } = await tell(t, await replay(t, groups, { ...operator, ...series }, how));
    assert.deepEqual([pages, chat.alerts], [[0, 0], []]);
  });
});
