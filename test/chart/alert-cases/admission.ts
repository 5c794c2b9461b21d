// When alerts about reviews of writes fire, and when they do not.
import { always, type Case, day, labelled } from './series.ts';

const place = { job: 'operator', namespace: 'paycert-system' };
const series = (metric: string, more: object = {}, pod = 'o') =>
  `${metric}${labelled({ ...place, instance: pod, pod, ...more })}`;
const name = 'secrets.admission.paycert.dev';
/** As an API server counts: it has its own namespace. */
const counted = (metric: string, more: object = {}, instance = 'a') =>
  `apiserver_admission_webhook_${metric}${labelled({ job: 'apiserver', namespace: 'default', instance, name, type: 'validating', ...more })}`;
const failOpen = (instance = 'a', more: object = {}) => counted('fail_open_count', more, instance);
const notCalled = { error_type: 'calling_webhook_error', operation: 'CREATE', rejection_code: '0' };
const unavailable = [{ namespace: 'paycert-system', name }];
const reviews = (outcome: string, pod = 'o') =>
  series('paycert_admission_reviews_total', { kind: 'Secret', outcome, dry_run: 'false' }, pod);
const refusals = (reason = 'key-mismatch') => series('paycert_admission_refusals_total', { kind: 'Secret', reason });
const failures = series('paycert_admission_certificate_failures_total', { reason: 'cluster-forbidden' });
const certificate = (from: number, to: number, pod = 'o') => ({
  [series('paycert_admission_certificate_not_before_timestamp_seconds', {}, pod)]: always(from),
  [series('paycert_admission_certificate_not_after_timestamp_seconds', {}, pod)]: always(to),
});
const authority = (to: number, pod = 'o') => ({
  [series('paycert_admission_authority_not_after_timestamp_seconds', {}, pod)]: always(to),
});

export const admission: readonly Case[] = [
  {
    alert: 'PaycertAdmissionUnavailable',
    title: 'fires for the first write that an API server stored without a review',
    at: 6,
    fires: unavailable,
    series: { [failOpen()]: '_x5 1x60' },
  },
  {
    alert: 'PaycertAdmissionUnavailable',
    title: 'fires once for all API servers, and for what Fail refused for lack of a review',
    at: 20,
    fires: unavailable,
    series: { [failOpen()]: '3x10 4x60', [failOpen('b')]: '_x12 1x60', [counted('rejection_count', notCalled)]: '1x10 2x60' }, // prettier-ignore
  },
  {
    alert: 'PaycertAdmissionUnavailable',
    title: 'fires for a write after a restart of the API server',
    at: 100,
    fires: unavailable,
    series: { [failOpen()]: '7x89 1x60' },
  },
  {
    alert: 'PaycertAdmissionUnavailable',
    title: 'is quiet half an hour later, about refusals by a review, and about webhooks of others',
    at: 80,
    fires: [],
    series: {
      [failOpen()]: '0x30 5x100',
      [failOpen('a', { name: 'pods.example.com' })]: '0+1x100',
      [counted('rejection_count', { ...notCalled, error_type: 'no_error' })]: '0+1x100',
    },
  },
  {
    alert: 'PaycertAdmissionReviewsFailing',
    title: 'fires for the first review that failed, once for two replicas',
    at: 12,
    fires: [{ namespace: 'paycert-system', kind: 'Secret' }],
    series: { [reviews('failed')]: '_x5 1x60', [reviews('failed', 'p')]: '_x8 1x60' },
  },
  {
    alert: 'PaycertAdmissionReviewsFailing',
    title: 'is quiet about every other outcome, and half an hour later',
    at: 80,
    fires: [],
    series: {
      ...Object.fromEntries(['allowed', 'refused', 'overridden'].map((outcome) => [reviews(outcome), '0+2x100'])),
      [reviews('failed')]: '0x30 1x100',
    },
  },
  {
    alert: 'PaycertAdmissionRefusing',
    title: 'fires when a pipeline writes the same bad Secret every few minutes',
    at: 30,
    fires: [{ namespace: 'paycert-system', kind: 'Secret', reason: 'key-mismatch' }],
    series: { [refusals()]: '_x5 1x4 2x4 3x4 4x60' },
  },
  {
    alert: 'PaycertAdmissionRefusing',
    title: 'is quiet about two refusals, and about one of each kind',
    at: 25,
    fires: [],
    series: { [refusals()]: '_x5 1x4 2x60', [refusals('certificate-expired')]: '_x5 1x60' },
  },
  {
    alert: 'PaycertAdmissionCertificateFailing',
    title: 'fires when it could not be written for ten minutes',
    at: 15,
    fires: [{ namespace: 'paycert-system', reason: 'cluster-forbidden' }],
    series: { [failures]: '_x3 1+12x60' },
  },
  {
    alert: 'PaycertAdmissionCertificateFailing',
    title: 'is quiet about an API server that was away for some minutes',
    at: 14,
    fires: [],
    series: { [failures]: '_x3 1+12x3 37x60' },
  },
  {
    alert: 'PaycertAdmissionCertificateExpiring',
    title: 'fires when one replica shows a certificate with less than a quarter of its time left',
    at: 200,
    fires: [{ namespace: 'paycert-system' }],
    series: { ...certificate(-0.8 * day, 0.2 * day), ...certificate(0, day, 'p'), ...authority(365 * day) },
  },
  {
    alert: 'PaycertAdmissionCertificateExpiring',
    title: 'fires for one that has expired',
    at: 60,
    fires: [{ namespace: 'paycert-system' }],
    series: certificate(-2 * day, -day),
  },
  {
    alert: 'PaycertAdmissionCertificateExpiring',
    title: 'fires for an authority that was not replaced four months before',
    at: 15,
    fires: [{ namespace: 'paycert-system' }],
    series: { ...certificate(0, day), ...authority(99 * day) },
  },
  {
    alert: 'PaycertAdmissionCertificateExpiring',
    title:
      'is quiet about a certificate of cert-manager before its renewal, and about the authority that a former leader knew',
    at: 60,
    fires: [],
    series: { ...certificate(-60 * day, 30 * day), ...authority(20 * day), ...authority(300 * day, 'p') },
  },
];
