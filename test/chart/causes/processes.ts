// Incidents of sidecars and operators: they end, do not start, refuse, are slow, do not lead, or may not do what they must.
import { of, pay } from '../alert-cases/series.ts';
import { loop, scraped, type Series, sidecar, type Span } from '../incident.ts';
import {
  begins,
  type Cause,
  counting,
  during,
  happened,
  how,
  isNow,
  minute,
  ofOperator,
  ofSidecar,
  over,
} from './cause.ts';

const operations = (operation: string, bad: string, per: readonly [bad: number, ok: number]): Series => ({
  [of('paycert_operations_total', { operation, outcome: bad })]: counting(per[0], 0),
  [of('paycert_operations_total', { operation, outcome: 'ok' })]: counting(per[1], 200),
});
const bucket = (le: string) => ofSidecar('paycert_operation_duration_seconds_bucket', { operation: 'sign', le });
/** Sent again after 15 s, 15 s, 30 s, 3, 10, 20 and 30 minutes, as WeChat Pay does; nothing opens before the key is right. */
const unopened = (kind: string): Cause => ({
  series: {
    [of('paycert_unopened_total', { kind, reason: 'decryption-failed' })]: happened(0, 0.25, 0.5, 1, 4, 14, 34, 64, 94),
    [of('paycert_unopened', { kind, reason: 'decryption-failed' })]: scraped(how, (at) => (isNow(at) ? 3 : undefined)),
  },
  labels: { ...pay, kind },
  within: 1,
  after: 10,
});
const clock = (seconds: number): Cause => ({
  series: { [ofOperator('paycert_clock_ahead_seconds')]: during(seconds, 0) },
  labels: { namespace: 'paycert-system', pod: 'o' },
  within: 6,
  after: 0,
});
const heldBack = (reason: string, within: number, after: number): Cause => ({
  series: {
    [of('paycert_gateway_held_back_total', { host: 'api.mch.weixin.qq.com', reason })]: counting(50, 0),
  },
  labels: { ...pay, host: 'api.mch.weixin.qq.com' },
  within,
  after,
});
const platformClock = (seconds: number): Cause => ({
  series: { [of('paycert_platform_clock_ahead_seconds', { host: 'api.mch.weixin.qq.com' })]: during(seconds, 0) },
  labels: { namespace: 'pay', host: 'api.mch.weixin.qq.com' },
  within: 11,
  after: 0,
});
/** Of a counter that grows once a minute while the cause lasts, and is not there before. */
const growing = scraped(how, (at) => (at < begins ? undefined : Math.ceil((Math.min(at, over) - begins) / minute) + 1));
const expiring: Series = {
  [ofOperator('paycert_admission_certificate_not_before_timestamp_seconds')]: during(-86_400, 0),
  [ofOperator('paycert_admission_certificate_not_after_timestamp_seconds')]: during(14_400, 86_400),
};
const killedEveryTenMinutes: Span[] = Array.from({ length: 9 }, (_, index) => {
  const from = begins + index * 10 * minute;
  return [from + 5, from + 10 * minute];
});

const looping = sidecar(how, { pod: 'a', lives: [[0, begins], ...loop(60, [begins + 10, over]), [over, Infinity]] });

export const processes: Readonly<Record<string, Cause>> = {
  PaycertIncident: { series: looping, labels: pay, within: 11, after: 21 },
  PaycertCredentialNotReady: {
    series: sidecar(how, { pod: 'a', lives: [[0, Infinity]], ready: (at) => (isNow(at) ? 0 : 1) }),
    labels: pay,
    within: 3,
    after: 0,
  },
  PaycertSidecarDown: { series: looping, labels: pay, within: 10, after: 11 },
  PaycertSidecarNotStarting: {
    series: {
      [`up{namespace="pay",job="pay/paycert-sidecars",instance="a:9464",pod="a",container="paycert"}`]: scraped(
        how,
        (at) => (at < begins ? undefined : Number(at >= over)),
      ),
    },
    labels: { namespace: 'pay' },
    within: 6,
    after: 0,
  },
  PaycertSidecarRestarting: {
    series: sidecar(how, { pod: 'a', lives: [[0, begins], ...killedEveryTenMinutes, [over + 5, Infinity]] }),
    labels: pay,
    within: 31,
    after: 15,
  },
  PaycertSigningFailing: { series: operations('sign', 'error', [3, 197]), labels: pay, within: 5, after: 5 },
  PaycertVerificationFailing: {
    series: {
      ...operations('verify', 'refused', [3, 197]),
      [of('paycert_verification_failures_total', { kind: 'response', reason: 'signature-invalid' })]: counting(3, 0),
    },
    labels: pay,
    within: 10,
    after: 5,
  },
  // One, which its platform sends again more and more rarely.
  PaycertNotificationUndelivered: {
    series: {
      ...sidecar(how, { pod: 'a', lives: [[0, Infinity]] }),
      [of('paycert_deliveries_total', { outcome: 'refused' })]: happened(0, 0.25, 0.5, 1, 4, 14, 34, 64),
      [of('paycert_deliveries_total', { outcome: 'accepted' })]: counting(0, 2),
    },
    labels: pay,
    within: 13,
    after: 1,
  },
  PaycertNotificationUnopened: unopened('notification'),
  PaycertDecryptionFailing: unopened('ciphertext'),
  PaycertLatencyHigh: {
    series: {
      [bucket('0.1')]: counting(190, 200),
      [bucket('0.8')]: counting(190, 200),
      [bucket('2.5')]: counting(200, 200),
      [bucket('+Inf')]: counting(200, 200),
      [ofSidecar('paycert_operation_duration_seconds_count', { operation: 'sign' })]: counting(200, 200),
    },
    labels: { namespace: 'pay', operation: 'sign' },
    within: 11,
    after: 5,
  },
  PaycertGatewayOnSpare: {
    series: { [ofSidecar('paycert_gateway_on_spare', { host: 'api.mch.weixin.qq.com' })]: during(1, 0) },
    labels: { namespace: 'pay', host: 'api.mch.weixin.qq.com' },
    within: 11,
    after: 0,
  },
  PaycertDedupeFailing: {
    series: { [ofSidecar('paycert_dedupe_failing')]: during(1, 0) },
    labels: { namespace: 'pay' },
    within: 11,
    after: 0,
  },
  PaycertAuditIncomplete: {
    series: { [ofSidecar('paycert_audit_failing')]: during(1, 0) },
    labels: { namespace: 'pay' },
    within: 3,
    after: 0,
  },
  PaycertKeyServiceFailing: {
    series: { [ofSidecar('paycert_remote_signatures_total', { service: 'hashivault', outcome: 'held-back' })]: counting(50, 0) }, // prettier-ignore
    labels: { namespace: 'pay', service: 'hashivault' },
    within: 3,
    after: 2,
  },
  PaycertKeyServiceThrottled: {
    series: { [ofSidecar('paycert_key_service_throttled_total', { service: 'awskms' })]: counting(50, 0) },
    labels: { namespace: 'pay', service: 'awskms' },
    within: 8,
    after: 5,
  },
  PaycertAccessKeyKept: {
    series: { [ofSidecar('paycert_access_key_kept', { service: 'awskms' })]: during(1, 0) },
    labels: { namespace: 'pay', service: 'awskms' },
    within: 11,
    after: 0,
  },
  PaycertBreakerOpen: heldBack('breaker', 3, 10),
  PaycertBulkheadFull: heldBack('bulkhead', 8, 5),
  PaycertPlatformClockOff: platformClock(3),
  PaycertPlatformClockWrong: platformClock(-90),
  PaycertOperatorAbsent: {
    series: { [ofOperator('paycert_operator_queue_length')]: during(undefined, 0) },
    labels: {},
    within: 11,
    after: 0,
  },
  PaycertNoLeader: {
    series: {
      [ofOperator('paycert_operator_queue_length')]: during(0, 0),
      [ofOperator('paycert_leading')]: during(0, 1),
    },
    labels: { namespace: 'paycert-system', job: 'operator' },
    within: 6,
    after: 0,
  },
  PaycertStatusNotWritten: {
    series: { [ofOperator('paycert_operator_status_write_failures', { reason: 'cluster-forbidden' })]: during(3, 0) },
    labels: { namespace: 'paycert-system', reason: 'cluster-forbidden' },
    within: 11,
    after: 0,
  },
  PaycertEventsNotRecorded: {
    series: { [ofOperator('paycert_operator_events_recorded')]: during(0, 1) },
    labels: { namespace: 'paycert-system' },
    within: 11,
    after: 0,
  },
  PaycertWatchFailing: {
    series: {
      // The same failure again is no news, and counts once.
      [ofOperator('paycert_watch_failures_total', { reason: 'cluster-forbidden' })]: happened(0),
      [ofOperator('paycert_watch_failing', { source: 'secrets/pay' })]: during(1, 0),
    },
    labels: { namespace: 'paycert-system' },
    within: 16,
    after: 0,
  },
  PaycertAdmissionUnavailable: {
    series: {
      'apiserver_admission_webhook_fail_open_count{job="apiserver",namespace="default",instance="a",name="secrets.admission.paycert.dev",type="validating"}':
        growing,
    },
    labels: { namespace: 'paycert-system', name: 'secrets.admission.paycert.dev' },
    within: 1,
    after: 31,
  },
  PaycertAuditCut: {
    series: { [ofOperator('paycert_fleet_audits_cut', { credential_namespace: 'pay' })]: during(1, undefined) },
    labels: { namespace: 'pay' },
    within: 2,
    after: 1,
  },
  PaycertFleetNotRolledOut: {
    series: {
      [ofOperator('paycert_fleet_pods', {
        ...{ credential_namespace: 'pay', kind: 'PaymentCredential', credential: 'wechat-main', state: 'old' },
      })]: during(2, 0),
    },
    labels: { namespace: 'pay', kind: 'PaymentCredential', credential: 'wechat-main' },
    within: 16,
    after: 1,
  },
  PaycertPlatformCertificatesNotStored: {
    series: {
      [ofOperator('paycert_credential_condition', {
        ...{ credential_namespace: 'pay', kind: 'PaymentCredential', credential: 'wechat-main' },
        ...{ condition: 'CertificatesCurrent', status: 'False' },
      })]: during(1, undefined),
    },
    labels: { namespace: 'pay', kind: 'PaymentCredential', credential: 'wechat-main' },
    within: 61,
    after: 1,
  },
  PaycertInjectionMissing: {
    series: { [ofOperator('paycert_injection_pods', { state: 'missing' })]: during(3, 0) },
    labels: { namespace: 'paycert-system' },
    within: 11,
    after: 0,
  },
  PaycertAdmissionReviewsFailing: {
    series: { [ofOperator('paycert_admission_reviews_total', { kind: 'Secret', outcome: 'failed' })]: growing },
    labels: { namespace: 'paycert-system', kind: 'Secret' },
    within: 1,
    after: 31,
  },
  PaycertAdmissionRefusing: {
    series: { [ofOperator('paycert_admission_refusals_total', { kind: 'Secret', reason: 'key-mismatch' })]: growing },
    labels: { namespace: 'paycert-system', kind: 'Secret', reason: 'key-mismatch' },
    within: 8,
    after: 31,
  },
  PaycertAdmissionCertificateFailing: {
    series: { [ofOperator('paycert_admission_certificate_failures_total', { reason: 'cluster-forbidden' })]: growing },
    labels: { namespace: 'paycert-system', reason: 'cluster-forbidden' },
    within: 11,
    after: 6,
  },
  PaycertAdmissionCertificateExpiring: {
    series: expiring,
    labels: { namespace: 'paycert-system' },
    within: 11,
    after: 0,
  },
  PaycertClockOff: clock(90),
  PaycertClockWrong: clock(-600),
};
