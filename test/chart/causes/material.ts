// Incidents of material: it expires, grows too old, is rejected, cannot be read, waits, or comes from elsewhere.
import { by, day, merchant, of, pay, stored } from '../alert-cases/series.ts';
import { scraped, sidecar } from '../incident.ts';
import { begins, type Cause, during, how, isNow, ofSidecar, over } from './cause.ts';

const successful = (value: (isBad: boolean) => number) =>
  sidecar(how, { pod: 'a', lives: [[0, Infinity]], ready: () => 1, successful: (at) => value(isNow(at)) });
const refused = successful((isBad) => (isBad ? 0 : 1));

/** A time that comes within so many days when the cause begins, and is put off when it ends. */
const due = (days: number) => scraped(how, (at) => (at < over ? begins : 400 * day) + days * day);

const expiring = (days: number, within: number): Record<string, Cause> => {
  const name = days === 0 ? 'Expired' : `Expiring${String(days)}d`;
  const metric = 'certificate_not_after_timestamp_seconds';
  return {
    [`PaycertCertificate${name}`]: {
      series: { [of(`paycert_${metric}`, merchant)]: due(days) },
      labels: { ...pay, ...merchant },
      within,
      after: 0,
    },
    [`PaycertStoredCertificate${name}`]: {
      series: { [by(`paycert_stored_${metric}`, merchant)]: due(days) },
      labels: { ...stored, ...merchant },
      within,
      after: 0,
    },
  };
};

const suspended = scraped(how, (at) => (isNow(at) ? begins : undefined));
const condition = (status: string, isBad: boolean) => ({
  [by('paycert_credential_condition', { condition: 'Ready', status })]: scraped(how, (at) =>
    isNow(at) === isBad ? 1 : undefined,
  ),
});

export const material: Readonly<Record<string, Cause>> = {
  ...expiring(30, 61),
  ...expiring(14, 61),
  ...expiring(7, 61),
  ...expiring(1, 6),
  ...expiring(0, 0),
  PaycertKeyTooOld: {
    series: { [of('paycert_key_replace_by_timestamp_seconds', { role: 'apiv3' })]: due(0) },
    labels: { ...pay, role: 'apiv3' },
    within: 61,
    after: 0,
  },
  PaycertStoredKeyTooOld: {
    series: { [by('paycert_stored_key_replace_by_timestamp_seconds', { role: 'apiv3' })]: due(0) },
    labels: { ...stored, role: 'apiv3' },
    within: 61,
    after: 0,
  },
  PaycertStoredCredentialNotReady: {
    series: { ...condition('False', true), ...condition('True', false) },
    labels: stored,
    within: 6,
    after: 0,
  },
  PaycertCredentialExposed: {
    series: { [by('paycert_credential_condition', { condition: 'Exposed', status: 'True' })]: during(1, undefined) },
    labels: stored,
    within: 11,
    after: 0,
  },
  PaycertCredentialSuspended: {
    series: {
      [by('paycert_stored_suspended_since_timestamp_seconds')]: suspended,
      [of('paycert_suspended_since_timestamp_seconds')]: suspended,
    },
    labels: pay,
    within: 61,
    after: 0,
  },
  PaycertReloadFailing: { series: refused, labels: pay, within: 3, after: 0 },
  PaycertMaterialRejected: { series: refused, labels: pay, within: 11, after: 0 },
  PaycertStagedInvalid: {
    series: { [of('paycert_staged', { active: 'false', valid: 'false' })]: during(1, undefined) },
    labels: pay,
    within: 11,
    after: 0,
  },
  PaycertCanaryRejected: {
    series: { [of('paycert_canary_rejected')]: during(1, 0) },
    labels: pay,
    within: 2,
    after: 0,
  },
  PaycertMaterialRestored: {
    series: { [of('paycert_restored_since_timestamp_seconds')]: during(1_800_000_000, undefined) },
    labels: pay,
    within: 6,
    after: 0,
  },
  PaycertLastGoodNotKept: {
    series: { [of('paycert_last_good_kept')]: during(0, 1) },
    labels: pay,
    within: 11,
    after: 0,
  },
  PaycertSourceUnreachable: {
    series: {
      ...refused,
      // Every poll fails, and counts.
      [of('paycert_source_errors_total', {
        reason: 'cluster-unreachable',
        job: 'pay/paycert-sidecars',
        instance: 'a:9464',
      })]: scraped(how, (at) => (at < begins ? undefined : (Math.min(at, over) - begins) / 10 + 1)),
    },
    labels: pay,
    within: 11,
    after: 0,
  },
  PaycertMaterialDeferred: {
    series: {
      ...successful(() => 1),
      [of('paycert_deferred_until_timestamp_seconds')]: scraped(how, (at) => (isNow(at) ? over : undefined)),
    },
    labels: pay,
    within: 11,
    after: 0,
  },
  PaycertSourceFallback: {
    series: { [of('paycert_source_fallback')]: during(1, 0) },
    labels: pay,
    within: 16,
    after: 0,
  },
  PaycertPlatformCertificatesNotDownloaded: {
    series: { [of('paycert_platform_certificates_failing')]: during(1, 0) },
    labels: pay,
    within: 61,
    after: 0,
  },
  PaycertMountFrozen: { series: { [of('paycert_frozen_mounts')]: during(2, 0) }, labels: pay, within: 11, after: 0 },
  // A pod that mounts it whole replaces the one that does not.
  PaycertFileFrozen: {
    series: { [ofSidecar('paycert_file_frozen', { file: 'token' })]: during(1, undefined) },
    labels: { namespace: 'pay', file: 'token' },
    within: 11,
    after: 0,
  },
  PaycertFileRejected: {
    series: { [ofSidecar('paycert_file_current', { file: 'configuration' })]: during(0, 1) },
    labels: { namespace: 'pay', file: 'configuration' },
    within: 11,
    after: 0,
  },
};
