// Whole incidents of ninety minutes: each alert fires in time, lasts as long as its cause, and is quiet about what somebody wanted.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { always, by, day, labelled, merchant, of, pay, stored } from './alert-cases/series.ts';
import { at, lacks, noHelm, one, render } from './helm.ts';
import {
  type Firing,
  firedOf,
  type Groups,
  loop,
  replay,
  scraped,
  type Series,
  sidecar,
  type Span,
  spansOf,
  texts,
} from './incident.ts';

const how = { minutes: 90, scrape: 30 };
const second = 1;
const minute = 60 * second;
const whole: Span = [0, 2 * 60 * minute];
const up = (pod: string, values: string, more: object = {}) => ({
  [`up${labelled({ namespace: 'pay', job: 'pay/paycert-sidecars', instance: `${pod}:9464`, pod, container: 'paycert', ...more })}`]:
    values,
});
const kube = (metric: string, labels: object, values: string) => ({
  [`${metric}${labelled({ namespace: 'pay', ...labels })}`]: values,
});
const operatorSeries = (metric: string) =>
  `${metric}${labelled({ job: 'operator', namespace: 'paycert-system', instance: 'o', pod: 'o' })}`;
/** What an operator serves of itself, while it is there. */
const operator = (isThere: (at: number) => boolean = () => true): Record<string, string> => ({
  [operatorSeries('paycert_operator_queue_length')]: scraped(how, (at) => (isThere(at) ? 0 : undefined)),
  [operatorSeries('paycert_leading')]: scraped(how, (at) => (isThere(at) ? 1 : undefined)),
});

describe('incidents', { skip: noHelm || lacks('promtool'), timeout: 900_000 }, () => {
  let groups: Groups;
  before(async () => {
    const values = { prometheusRule: { renderMode: 'alwaysRender' } };
    groups = at(one(await render({ values }), 'PrometheusRule'), 'spec.groups') as Groups;
  });
  /** With the alert on the operator away, since most incidents are not about it. */
  const play = async (t: Parameters<typeof replay>[0], series: Series, replayed = how): Promise<Firing[]> =>
    replay(t, groups, { ...operator(), ...series }, replayed);
  /** But for the one that sums up the others. */
  const causesOf = (alerts: readonly string[]) => alerts.filter((alert) => alert !== 'PaycertIncident');
  const paged = (firings: readonly Firing[]) => causesOf(firedOf(firings, 'L1'));
  const disturbed = (firings: readonly Firing[]) => causesOf(firedOf(firings, 'L1', 'L2'));

  for (const scrape of [15, 30, 60])
    it(`a crash loop of every sidecar pages within ten minutes and until it is over, scraped every ${scrape} s`, async (t) => {
      const replayed = { minutes: 110, scrape };
      const [from, to] = [20 * minute, 85 * minute];
      const lives = (shift: number): Span[] => [
        [0, from + shift],
        ...loop(60, [from + shift + 10, to + shift]),
        [to + shift, whole[1]],
      ];
      const firings = await play(
        t,
        { ...sidecar(replayed, { pod: 'a', lives: lives(0) }), ...sidecar(replayed, { pod: 'b', lives: lives(15) }) },
        replayed,
      );
      const [span, ...others] = spansOf(firings, 'PaycertSidecarDown', pay);
      assert.deepEqual(others, []);
      assert.ok(span && span[0] <= 30 && span[1] >= 85 && span[1] < 100, String(span));
      assert.deepEqual(paged(firings), ['PaycertSidecarDown']);
    });

  it('a crash loop that begins with the pod pages within ten minutes and until it is over', async (t) => {
    const firings = await play(t, sidecar(how, { pod: 'a', lives: loop(60, whole) }));
    const spans = spansOf(firings, 'PaycertSidecarDown', pay);
    assert.equal(spans.length, 1);
    assert.ok(spans[0]![0] <= 10 && spans[0]![1] === 90, String(spans));
  });

  it('a loop of longer lives pages without a break, whatever their length', async (t) => {
    for (const life of [120, 240, 420, 570]) {
      const firings = await play(t, sidecar(how, { pod: 'a', lives: loop(life, whole) }));
      const spans = spansOf(firings, 'PaycertSidecarDown', pay);
      assert.equal(spans.length, 1, `${life} s: ${JSON.stringify(spans)}`);
      assert.equal(spans[0]![1], 90);
    }
  });

  it('a sidecar that stays down pages within five minutes and for as long as it is down', async (t) => {
    const firings = await play(t, sidecar(how, { pod: 'a', lives: [[0, 5 * minute]] }));
    const spans = spansOf(firings, 'PaycertSidecarDown', pay);
    assert.equal(spans.length, 1);
    assert.ok(spans[0]![0] <= 10 && spans[0]![1] === 90, String(spans));
  });

  it('one sidecar of three that hangs pages until it answers again', async (t) => {
    const hung: Span[] = [
      [0, 20 * minute],
      [60 * minute, whole[1]],
    ];
    const firings = await play(t, {
      ...sidecar(how, { pod: 'a', lives: [whole] }),
      ...sidecar(how, { pod: 'b', lives: hung }),
      ...sidecar(how, { pod: 'c', lives: [whole] }),
    });
    const spans = spansOf(firings, 'PaycertSidecarDown', pay);
    assert.equal(spans.length, 1, JSON.stringify(spans));
    assert.ok(spans[0]![0] <= 25 && spans[0]![1] >= 60 && spans[0]![1] <= 71, String(spans));
    assert.deepEqual(paged(firings), ['PaycertSidecarDown']);
  });

  it('a sidecar whose image cannot be pulled on its new node pages until it can', async (t) => {
    const waits = (reason: string, isNow: (at: number) => boolean) =>
      kube(
        'kube_pod_init_container_status_waiting_reason',
        { pod: 'b', container: 'paycert', reason },
        scraped(how, (at) => (at >= 20 * minute && at < 60 * minute && isNow(at) ? 1 : undefined)),
      );
    const firings = await play(t, {
      ...sidecar(how, { pod: 'a', lives: [[0, 20 * minute]], target: [0, 20 * minute] }),
      ...kube(
        'kube_pod_init_container_info',
        { pod: 'b', container: 'paycert' },
        scraped(how, (at) => (at >= 20 * minute ? 1 : undefined)),
      ),
      ...waits('ErrImagePull', (at) => at % 360 < 60),
      ...waits('ImagePullBackOff', (at) => at % 360 >= 60),
      ...sidecar(how, { pod: 'b', lives: [[60 * minute, whole[1]]], target: [60 * minute, whole[1]] }),
    });
    const spans = spansOf(firings, 'PaycertSidecarNotStarting', { namespace: 'pay' });
    assert.equal(spans.length, 1, JSON.stringify(spans));
    assert.ok(spans[0]![0] <= 26 && spans[0]![1] >= 59 && spans[0]![1] <= 70, String(spans));
    assert.deepEqual(paged(firings), ['PaycertSidecarNotStarting']);
  });

  it('a sidecar that is away for half a minute pages nobody', async (t) => {
    const firings = await play(
      t,
      sidecar(how, {
        pod: 'a',
        lives: [
          [0, 600],
          [635, whole[1]],
        ],
      }),
    );
    assert.deepEqual(disturbed(firings), []);
  });

  it('a sidecar that is killed for its memory every ten minutes is a warning until it is over', async (t) => {
    const lives = Array.from({ length: 9 }, (_, index): Span => [index * 600, index * 600 + 597]);
    const firings = await play(t, sidecar(how, { pod: 'a', lives }));
    const spans = spansOf(firings, 'PaycertSidecarRestarting', pay);
    assert.equal(spans.length, 1);
    assert.ok(spans[0]![0] <= 31 && spans[0]![1] === 90, String(spans));
    assert.deepEqual(paged(firings), []);
  });

  it('a sidecar that never gets ready, and is restarted for it, pages once and until it is over', async (t) => {
    const firings = await play(t, sidecar(how, { pod: 'a', lives: loop(60, whole), ready: () => 0 }));
    const spans = spansOf(firings, 'PaycertCredentialNotReady', pay);
    assert.equal(spans.length, 1);
    assert.ok(spans[0]![0] <= 5 && spans[0]![1] === 90, String(spans));
  });

  it('a sidecar that never answers pages for its namespace', async (t) => {
    const firings = await play(t, up('a', always(0)));
    assert.deepEqual(spansOf(firings, 'PaycertSidecarNotStarting', { namespace: 'pay' }), [[5, 90]]);
  });

  const inLoop = {
    ...kube('kube_pod_init_container_info', { pod: 'a', container: 'paycert' }, '1x200'),
    ...kube(
      'kube_pod_init_container_status_waiting_reason',
      { pod: 'a', container: 'migrate', reason: 'CrashLoopBackOff' },
      // It runs for a minute between two waits of five.
      scraped(how, (at) => (at % 360 < 300 ? 1 : undefined)),
    ),
  };
  it('an init container that loops before a sidecar pages, where there is kube-state-metrics', async (t) => {
    const firings = await play(t, inLoop);
    const spans = spansOf(firings, 'PaycertSidecarNotStarting', { namespace: 'pay' });
    assert.equal(spans.length, 1);
    assert.ok(spans[0]![0] <= 10 && spans[0]![1] === 90, String(spans));
  });

  it('an init container that loops in a pod without a sidecar is nothing of ours', async (t) => {
    const { [Object.keys(inLoop)[0]!]: _, ...others } = inLoop;
    assert.deepEqual(disturbed(await play(t, others)), []);
  });

  const wanted: Readonly<Record<string, () => Series>> = {
    'a Job that has finished': () => sidecar(how, { pod: 'a', lives: [[0, 20 * minute]], target: [0, 20.5 * minute] }),
    'a Job that has finished and is scraped on': () => ({
      ...sidecar(how, { pod: 'a', lives: [[0, 20 * minute]] }),
      ...kube(
        'kube_pod_status_phase',
        { pod: 'a', phase: 'Succeeded' },
        scraped(how, (at) => Number(at >= 20 * minute)),
      ),
    }),
    'a CronJob that runs every ten minutes': () =>
      Object.assign(
        {},
        ...Array.from({ length: 8 }, (_, index) => {
          const start = index * 10 * minute;
          return sidecar(how, { pod: `run-${index}`, lives: [[start, start + 90]], target: [start, start + 120] });
        }),
      ) as Series,
    'a namespace that is deleted': () => ({
      ...sidecar(how, { pod: 'a', lives: [[0, 20 * minute]], target: [0, 21 * minute] }),
      ...sidecar(how, { pod: 'b', lives: [[0, 20 * minute]], target: [0, 21 * minute] }),
    }),
    'a Deployment that is scaled to zero, and drains for five minutes': () => ({
      ...sidecar(how, { pod: 'a', lives: [[0, 20 * minute]], target: [0, 25 * minute] }),
      ...kube(
        'kube_pod_deletion_timestamp',
        { pod: 'a' },
        scraped(how, (at) => (at >= 20 * minute && at < 25 * minute ? 20 * minute : undefined)),
      ),
    }),
    'a Deployment that is scaled to zero at night and back': () =>
      sidecar(how, {
        pod: 'a',
        lives: [
          [0, 20 * minute],
          [70 * minute, whole[1]],
        ],
        target: [0, 20.5 * minute],
      }),
    'a credential that is renamed': () => ({
      ...sidecar(how, { pod: 'a', lives: [whole], ready: (at) => (at < 20 * minute ? 1 : undefined) }),
      ...sidecar(how, {
        pod: 'a',
        lives: [whole],
        ready: (at) => (at < 20 * minute ? undefined : 1),
        credential: 'renamed',
      }),
    }),
    'a rollout': () => ({
      ...sidecar(how, { pod: 'a', lives: [[0, 20 * minute]], target: [0, 20.5 * minute] }),
      ...sidecar(how, { pod: 'b', lives: [[19 * minute, whole[1]]], target: [19 * minute, whole[1]] }),
    }),
  };
  for (const [what, series] of Object.entries(wanted))
    it(`${what} disturbs nobody`, async (t) => {
      assert.deepEqual(disturbed(await play(t, series())), []);
    });

  const suspended = (from: number) => ({
    [by('paycert_stored_suspended_since_timestamp_seconds')]: scraped(how, (at) => (at >= from ? from : undefined)),
    [of('paycert_suspended_since_timestamp_seconds')]: scraped(how, (at) => (at >= from ? from : undefined)),
  });
  const notReady = { [by('paycert_credential_condition', { condition: 'Ready', status: 'False' })]: always(1) };

  it('a credential that is suspended while its Secret is bad pages nobody, and is said to be suspended since when', async (t) => {
    const series = {
      ...sidecar(how, { pod: 'a', lives: [whole], ready: () => 0 }),
      ...notReady,
      ...suspended(0),
    };
    const firings = await play(t, series);
    assert.deepEqual(disturbed(firings), []);
    assert.deepEqual(spansOf(firings, 'PaycertCredentialSuspended', pay), [[60, 90]]);
    const [text = ''] = await texts(t, groups, series, { ...how, alert: 'PaycertCredentialSuspended', minute: 61 });
    assert.match(text, /pay\/wechat-main is suspended since 1970-01-01 00:00:00/);
  });

  it('a credential that is suspended pages nobody, whatever else is wrong with its material', async (t) => {
    const series = {
      ...sidecar(how, { pod: 'a', lives: [whole], ready: () => 0, successful: () => 0 }),
      ...notReady,
      ...suspended(0),
      [of('paycert_certificate_not_after_timestamp_seconds', merchant)]: always(300),
      [by('paycert_stored_certificate_not_after_timestamp_seconds', merchant)]: always(300),
      [of('paycert_key_replace_by_timestamp_seconds', { role: 'apiv3' })]: always(300),
      [of('paycert_reloads_total', { outcome: 'rejected', reason: 'key-mismatch' })]: '0 1x200',
      [of('paycert_deferred_until_timestamp_seconds')]: always(100 * day),
      [of('paycert_staged', { active: 'false', valid: 'false' })]: always(1),
      [of('paycert_restored_since_timestamp_seconds')]: always(60),
      [of('paycert_last_good_kept')]: always(0),
    };
    const firings = await play(t, series);
    assert.deepEqual(disturbed(firings), []);
    assert.deepEqual(firedOf(firings, 'L3'), ['PaycertCredentialSuspended']);
  });

  it('signatures that fail because a credential is suspended page, and say since when it is', async (t) => {
    const series = {
      ...suspended(10 * minute),
      [of('paycert_operations_total', { operation: 'sign', outcome: 'not-ready' })]: '0+50x200',
      [of('paycert_operations_total', { operation: 'sign', outcome: 'ok' })]: '0+50x200',
    };
    const firings = await play(t, series);
    assert.deepEqual(paged(firings), ['PaycertSigningFailing']);
    const [text = ''] = await texts(t, groups, series, { ...how, alert: 'PaycertSigningFailing', minute: 61 });
    assert.match(text, /suspended since 1970-01-01 00:10:00/);
  });

  const notAfter = by('paycert_stored_certificate_not_after_timestamp_seconds', merchant);
  const away = (at: number) => at < 20 * minute || at >= 60 * minute;
  const served = (valueAt: (at: number) => number | undefined) =>
    scraped(how, (at) => (away(at) ? valueAt(at) : undefined));

  it('alerts about what is stored outlast an operator that goes away', async (t) => {
    const firings = await replay(
      t,
      groups,
      {
        ...operator(away),
        [notAfter]: served(() => 300),
        [by('paycert_credential_condition', { condition: 'Ready', status: 'False' })]: served(() => 1),
        [by('paycert_stored_key_replace_by_timestamp_seconds', { role: 'apiv3' })]: served(() => 60),
      },
      how,
    );
    assert.deepEqual(spansOf(firings, 'PaycertStoredCertificateExpired', stored), [[5, 90]]);
    assert.deepEqual(spansOf(firings, 'PaycertStoredCredentialNotReady', stored), [[5, 90]]);
    assert.deepEqual(spansOf(firings, 'PaycertStoredKeyTooOld', stored), [[61, 90]]);
    assert.deepEqual(spansOf(firings, 'PaycertOperatorAbsent').length, 1);
  });

  it('alerts about what is stored outlast an operator that ends again and again, before it has listed anything', async (t) => {
    const [from, to] = [20 * minute, 70 * minute];
    const lives: Span[] = [[0, from], ...loop(60, [from + 10, to]), [to, whole[1]]];
    const aliveSince = (at: number) => lives.find(([begin, end]) => at >= begin && at < end)?.[0];
    const listed = (value: number) =>
      scraped(how, (at) => (aliveSince(at) !== undefined && (at < from || at >= to + minute) ? value : undefined));
    const firings = await replay(
      t,
      groups,
      {
        ...operator((at) => aliveSince(at) !== undefined),
        [operatorSeries('process_start_time_seconds')]: scraped(how, aliveSince),
        [notAfter]: listed(300),
        [by('paycert_credential_condition', { condition: 'Ready', status: 'False' })]: listed(1),
        [by('paycert_credential_condition', { condition: 'Exposed', status: 'True' })]: listed(1),
      },
      how,
    );
    for (const alert of [
      'PaycertStoredCertificateExpired',
      'PaycertStoredCredentialNotReady',
      'PaycertCredentialExposed',
    ]) {
      const spans = spansOf(firings, alert, stored);
      assert.equal(spans.length, 1, `${alert}: ${JSON.stringify(spans)}`);
      assert.equal(spans[0]![1], 90, alert);
    }
  });

  it('what expires while the operator is away is said all the same', async (t) => {
    const firings = await replay(t, groups, { ...operator(away), [notAfter]: served(() => 40 * minute) }, how);
    assert.deepEqual(spansOf(firings, 'PaycertStoredCertificateExpired', stored), [[40, 90]]);
  });

  it('what was renewed while the operator was away is over as soon as it is back', async (t) => {
    const renewed = served((at) => (at < 20 * minute ? 300 : 90 * day));
    const firings = await replay(t, groups, { ...operator(away), [notAfter]: renewed }, how);
    assert.deepEqual(spansOf(firings, 'PaycertStoredCertificateExpired', stored), [[5, 59]]);
  });

  it('what was deleted while the operator was away is over when it has looked at everything', async (t) => {
    const deleted = served((at) => (at < 20 * minute ? 300 : undefined));
    const firings = await replay(t, groups, { ...operator(away), [notAfter]: deleted }, how);
    assert.deepEqual(spansOf(firings, 'PaycertStoredCertificateExpired', stored), [[5, 64]]);
  });

  it('what is deleted while an operator knows is over at once', async (t) => {
    const series = { [notAfter]: scraped(how, (at) => (at < 30 * minute ? 300 : undefined)) };
    assert.deepEqual(spansOf(await play(t, series), 'PaycertStoredCertificateExpired', stored), [[5, 29]]);
  });

  it('a certificate that passes its end is never said to expire in a negative time', async (t) => {
    const end = 45 * minute;
    const series = {
      ...sidecar(how, { pod: 'a', lives: [whole] }),
      [of('paycert_certificate_not_after_timestamp_seconds', merchant)]: scraped(how, () => end),
      [notAfter]: scraped(how, () => end),
    };
    const firings = await play(t, series);
    assert.deepEqual(spansOf(firings, 'PaycertCertificateExpiring1d', pay), [[5, 44]]);
    assert.deepEqual(spansOf(firings, 'PaycertCertificateExpired', pay), [[45, 90]]);
    assert.deepEqual(spansOf(firings, 'PaycertStoredCertificateExpiring1d', stored), [[5, 44]]);
    assert.deepEqual(spansOf(firings, 'PaycertStoredCertificateExpired', stored), [[45, 90]]);
  });
});
