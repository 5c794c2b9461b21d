// What a process said last, while it ends and starts again and again: no alert begins and ends with each of its lives.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { by, day, labelled, merchant, pay, stored } from './alert-cases/series.ts';
import { at, lacks, noHelm, one, render } from './helm.ts';
import { type Groups, loop, replay, scraped, sidecar, type Span, spansOf } from './incident.ts';

const minute = 60;
const how = { minutes: 150, scrape: 30 };
const begins = 75 * minute;
const end = how.minutes * minute + 1;

/** What a sidecar serves of a credential, or of itself, while something is wrong. */
const served = {
  PaycertCertificateExpired: ['paycert_certificate_not_after_timestamp_seconds', { ...pay, ...merchant }, 60],
  PaycertCertificateExpiring1d: ['paycert_certificate_not_after_timestamp_seconds', { ...pay, role: 'tls' }, day / 2],
  PaycertKeyTooOld: ['paycert_key_replace_by_timestamp_seconds', { ...pay, role: 'apiv3' }, 60],
  PaycertCredentialExposed: ['paycert_secret_copies', pay, 1],
  PaycertStagedInvalid: ['paycert_staged', { ...pay, active: 'false', valid: 'false' }, 1],
  PaycertMaterialRestored: ['paycert_restored_since_timestamp_seconds', pay, 60],
  PaycertLastGoodNotKept: ['paycert_last_good_kept', pay, 0],
  PaycertMaterialDeferred: ['paycert_deferred_until_timestamp_seconds', pay, 9 * day],
  PaycertSourceFallback: ['paycert_source_fallback', pay, 1],
  PaycertPlatformCertificatesNotDownloaded: ['paycert_platform_certificates_failing', pay, 1],
  PaycertCanaryRejected: ['paycert_canary_rejected', pay, 1],
  PaycertMountFrozen: ['paycert_frozen_mounts', pay, 2],
  PaycertFileRejected: ['paycert_file_current', { namespace: 'pay', file: 'configuration' }, 0],
  PaycertFileFrozen: ['paycert_file_frozen', { namespace: 'pay', file: 'token' }, 1],
  PaycertGatewayOnSpare: ['paycert_gateway_on_spare', { namespace: 'pay', host: 'api.mch.weixin.qq.com' }, 1],
  PaycertDedupeFailing: ['paycert_dedupe_failing', { namespace: 'pay' }, 1],
  PaycertAuditIncomplete: ['paycert_audit_failing', { namespace: 'pay' }, 1],
  PaycertClockOff: ['paycert_clock_ahead_seconds', { namespace: 'pay' }, 600],
  PaycertClockWrong: ['paycert_clock_ahead_seconds', { namespace: 'pay' }, 600],
  PaycertPlatformClockOff: ['paycert_platform_clock_ahead_seconds', { namespace: 'pay', host: 'a.example' }, -90],
  PaycertPlatformClockWrong: ['paycert_platform_clock_ahead_seconds', { namespace: 'pay', host: 'a.example' }, -90],
} as const satisfies Readonly<Record<string, readonly [metric: string, labels: object, value: number]>>;

/** What an operator serves. */
const ofOperator = (metric: string, more: object = {}): string =>
  `${metric}${labelled({ namespace: 'paycert-system', job: 'operator', instance: 'o', pod: 'o', ...more })}`;
const said = {
  PaycertStatusNotWritten: ofOperator('paycert_operator_status_write_failures', { reason: 'cluster-forbidden' }),
  PaycertInjectionMissing: ofOperator('paycert_injection_pods', { state: 'missing' }),
  PaycertAuditCut: ofOperator('paycert_fleet_audits_cut', { credential_namespace: 'pay' }),
  PaycertFleetNotRolledOut: by('paycert_fleet_pods', { state: 'old' }),
  PaycertPlatformCertificatesNotStored: by('paycert_credential_condition', {
    ...{ condition: 'CertificatesCurrent', status: 'False' },
  }),
  PaycertStoredCredentialNotReady: by('paycert_credential_condition', {
    ...{ credential: 'other', condition: 'Ready', status: 'Unknown' },
  }),
};

describe(
  'of a process that ends and starts again and again',
  { skip: noHelm || lacks('promtool'), timeout: 900_000 },
  () => {
    let groups: Groups;
    before(async () => {
      const features = { admission: { enabled: true }, fleet: { enabled: true }, injection: { enabled: true }, platformCertificates: { enabled: true } }; // prettier-ignore
      const values = { ...features, prometheusRule: { renderMode: 'alwaysRender' } };
      groups = at(one(await render({ values }), 'PrometheusRule'), 'spec.groups') as Groups;
    });

    for (const life of [60, 240, 570])
      it(`alerts about a sidecar stay as they were, if it lives for ${life} s`, async (t) => {
        const lives: Span[] = [[0, begins], ...loop(life, [begins + 10, end])];
        const isAlive = (second: number) => lives.some(([from, to]) => second >= from && second < to);
        const place = { job: 'pay/paycert-sidecars', instance: 'a:9464', pod: 'a', container: 'paycert' };
        const wrong = Object.values(served).map(([metric, labels, value]) => [
          `${metric}${labelled({ ...labels, ...place })}`,
          scraped(how, (second) => (isAlive(second) ? value : undefined)),
        ]);
        const series = {
          ...sidecar(how, { pod: 'a', lives, successful: () => 0 }),
          ...(Object.fromEntries(wrong) as object),
        };
        const firings = await replay(t, groups, series, how);
        for (const alert of [...Object.keys(served), 'PaycertReloadFailing', 'PaycertMaterialRejected']) {
          const spans = spansOf(firings, alert);
          assert.equal(spans.length, 1, `${alert}: ${JSON.stringify(spans)}`);
          assert.equal(spans[0]![1], how.minutes, alert);
        }
      });

    it('alerts about what an operator has seen stay, though it lists nothing before it ends', async (t) => {
      const lives: Span[] = [[0, begins], ...loop(60, [begins + 10, end])];
      const bornAt = (second: number) => lives.find(([from, to]) => second >= from && second < to)?.[0];
      const listed = (value: number) => scraped(how, (second) => (second < begins ? value : undefined));
      const firings = await replay(
        t,
        groups,
        {
          [ofOperator('paycert_operator_queue_length')]: scraped(how, (second) => bornAt(second) && 0),
          [ofOperator('process_start_time_seconds')]: scraped(how, bornAt),
          ...Object.fromEntries(Object.values(said).map((series) => [series, listed(1)])),
          [ofOperator('paycert_admission_certificate_not_before_timestamp_seconds')]: listed(-day),
          [ofOperator('paycert_admission_certificate_not_after_timestamp_seconds')]: listed(day / 8),
          [ofOperator('paycert_admission_refusals_total', { kind: 'Secret', reason: 'key-mismatch' })]: scraped(
            how,
            (second) => (second < begins ? Math.floor(second / 300) || undefined : undefined),
          ),
        },
        how,
      );
      for (const alert of [...Object.keys(said), 'PaycertAdmissionCertificateExpiring']) {
        const spans = spansOf(firings, alert);
        assert.equal(spans.length, 1, `${alert}: ${JSON.stringify(spans)}`);
        assert.equal(spans[0]![1], how.minutes, alert);
      }
      assert.deepEqual(spansOf(firings, 'PaycertFleetNotRolledOut', stored).length, 1);
      // What was counted within half an hour is counted, whether the process is there or not.
      const [[from, to] = [0, 0], ...others] = spansOf(firings, 'PaycertAdmissionRefusing');
      assert.deepEqual(others, []);
      assert.ok(from <= 21 && to >= begins / minute + 10, `${from} to ${to}`);
    });
  },
);
