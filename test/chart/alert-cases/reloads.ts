// When alerts about material, readiness and sidecars fire, and when they do not.
import { always, by, type Case, of, pay, stored } from './series.ts';

const successful = 'paycert_reload_last_successful';
const failing = { [of(successful)]: always(0), [of(successful, {}, 'b')]: always(1) };
const unreadable = { ...failing, [of('paycert_source_errors_total', { reason: 'files-missing' })]: '0+6x200' };
const notDownloaded = 'paycert_platform_certificates_failing';
const ready = 'paycert_credential_ready';
const condition = 'paycert_credential_condition';
const notReady = { condition: 'Ready', status: 'False' };
const isReady = { condition: 'Ready', status: 'True' };
const isExposed = { condition: 'Exposed', status: 'True' };
const up = (pod: string, cluster = ''): string =>
  `up{job="paycert",instance="${pod}",pod="${pod}",namespace="pay",cluster="${cluster}"}`;

const sidecarUp = (pod: string): string =>
  `up{job="paycert",instance="${pod}",pod="${pod}",namespace="pay",container="paycert"}`;
const started = 'process_start_time_seconds{job="paycert",instance="a",pod="a",namespace="pay"}';

const [east, west] = [{ cluster: 'east' }, { cluster: 'west' }];
/** A pod of the same address in two clusters: in one material is rejected, in the other it cannot be read. */
const mixed = {
  [of(successful, east)]: always(0),
  [of(successful, west)]: always(0),
  [of('paycert_source_errors_total', { ...west, reason: 'files-missing' })]: '0+6x200',
};

export const reloads: readonly Case[] = [
  {
    alert: 'PaycertPlatformCertificatesNotDownloaded',
    title: 'fires after an hour in which one pod of two could not',
    at: 61,
    fires: [pay],
    series: { [of(notDownloaded)]: always(1), [of(notDownloaded, {}, 'b')]: always(0) },
  },
  {
    alert: 'PaycertPlatformCertificatesNotDownloaded',
    title: 'is quiet about an outage of the platform that passes',
    at: 61,
    fires: [],
    series: { [of(notDownloaded)]: '1x50 0x20' },
  },
  {
    alert: 'PaycertReloadFailing',
    title: 'fires when one pod of two has not the newest',
    at: 5,
    fires: [pay],
    series: failing,
  },
  {
    alert: 'PaycertReloadFailing',
    title: 'is quiet about a reload that was late by a minute',
    at: 5,
    fires: [],
    series: { [of(successful)]: '1 0 1x20' },
  },
  { alert: 'PaycertMaterialRejected', title: 'fires after ten minutes', at: 11, fires: [pay], series: failing },
  { alert: 'PaycertMaterialRejected', title: 'is quiet for ten minutes', at: 9, fires: [], series: failing },
  {
    alert: 'PaycertMaterialRejected',
    title: 'leaves an origin that cannot be read to its own alert',
    at: 60,
    fires: [],
    series: unreadable,
  },
  {
    alert: 'PaycertMaterialRejected',
    title: 'fires beside a pod of another cluster that has the same address and cannot read',
    isByCluster: true,
    at: 30,
    fires: [{ ...pay, ...east }],
    series: mixed,
  },
  {
    alert: 'PaycertSourceUnreachable',
    title: 'fires when reads go on failing',
    at: 15,
    fires: [pay],
    series: unreadable,
  },
  {
    alert: 'PaycertSourceUnreachable',
    title: 'is quiet about material that was read and rejected',
    at: 60,
    fires: [],
    series: failing,
  },
  {
    alert: 'PaycertSourceUnreachable',
    title: 'is quiet about a pod of another cluster that has the same address and can read',
    isByCluster: true,
    at: 30,
    fires: [{ ...pay, ...west }],
    series: mixed,
  },
  {
    alert: 'PaycertCredentialNotReady',
    title: 'fires once for two pods',
    at: 3,
    fires: [pay],
    series: { [of(ready)]: always(0), [of(ready, {}, 'b')]: always(0) },
  },
  {
    alert: 'PaycertCredentialNotReady',
    title: 'leaves what is stored to its own alert',
    at: 60,
    fires: [],
    series: { [of(ready)]: always(1), [by(condition, notReady)]: always(1) },
  },
  {
    alert: 'PaycertStoredCredentialNotReady',
    title: 'fires once for two operators',
    at: 6,
    fires: [stored],
    series: { [by(condition, notReady)]: always(1), [by(condition, notReady, 'p')]: always(1) },
  },
  {
    alert: 'PaycertStoredCredentialNotReady',
    title: 'tells a labelled Secret from the PaymentCredential of that name, which is ready',
    at: 6,
    fires: [{ ...stored, kind: 'Secret' }],
    series: { [by(condition, isReady)]: always(1), [by(condition, { ...notReady, kind: 'Secret' })]: always(1) },
  },
  {
    alert: 'PaycertStoredCredentialNotReady',
    title: 'is quiet while what is stored is ready, whatever sidecars say',
    at: 60,
    fires: [],
    series: { [of(ready)]: always(0), [by(condition, isReady)]: always(1) },
  },
  {
    alert: 'PaycertSidecarDown',
    title: 'is quiet about a pod that answers while one of the same address in another cluster does not',
    isByCluster: true,
    at: 20,
    fires: [{ ...pay, ...west }],
    series: {
      [of(ready, east)]: always(1),
      [up('a', 'east')]: always(1),
      [of(ready, west)]: '1x10 stale',
      [up('a', 'west')]: '1x10 0x60',
      [of(ready, west, 'b')]: always(1),
      [up('b', 'west')]: always(1),
    },
  },
  {
    alert: 'PaycertSidecarDown',
    title: 'fires when a pod that is there does not answer',
    at: 20,
    fires: [pay],
    series: {
      [of(ready)]: '1x10 stale',
      [up('a')]: '1x10 0x60',
      [of(ready, {}, 'b')]: always(1),
      [up('b')]: always(1),
    },
  },
  {
    alert: 'PaycertSidecarDown',
    title: 'is quiet when the last sidecar of a credential has gone, since nothing says that it was wanted',
    at: 20,
    fires: [],
    series: { [of(ready)]: '1x10 stale', [up('a')]: '1x10 stale' },
  },
  {
    alert: 'PaycertSidecarNotStarting',
    title: 'fires once for all pods of a namespace that have never answered',
    at: 20,
    fires: [{ namespace: 'pay' }],
    series: { [sidecarUp('a')]: always(0), [sidecarUp('b')]: always(0) },
  },
  {
    alert: 'PaycertSidecarNotStarting',
    title: 'is quiet about other containers, and about a sidecar that has answered',
    at: 20,
    fires: [],
    series: {
      [up('a')]: always(0),
      [of(ready, {}, 'b')]: '1x10 stale',
      [sidecarUp('b')]: '1x10 0x60',
    },
  },
  {
    alert: 'PaycertSidecarRestarting',
    title: 'fires at the third start within 45 minutes',
    at: 40,
    fires: [pay],
    series: { [of(ready)]: always(1), [started]: '0x9 600x9 1200x9 1800x60' },
  },
  {
    alert: 'PaycertSidecarRestarting',
    title: 'is quiet about two',
    at: 40,
    fires: [],
    series: { [of(ready)]: always(1), [started]: '0x9 600x9 1200x60' },
  },
  {
    alert: 'PaycertCredentialExposed',
    title: 'fires once for two operators',
    at: 11,
    fires: [stored],
    series: { [by(condition, isExposed)]: always(1), [by(condition, isExposed, 'p')]: always(1) },
  },
  {
    alert: 'PaycertCredentialExposed',
    title: 'fires for a labelled Secret, and for one that is suspended: its keys are where they are',
    at: 11,
    fires: [stored, { ...stored, kind: 'Secret' }],
    series: {
      [by(condition, isExposed)]: always(1),
      [by(condition, { ...isExposed, kind: 'Secret' })]: always(1),
      [by('paycert_stored_suspended_since_timestamp_seconds')]: always(60),
    },
  },
  {
    alert: 'PaycertCredentialExposed',
    title: 'fires for a copy that sidecars find by API, where no operator knows the credential',
    at: 11,
    fires: [pay],
    series: { [of('paycert_secret_copies')]: always(1), [of('paycert_secret_copies', {}, 'b')]: always(2) },
  },
  {
    alert: 'PaycertCredentialExposed',
    title: 'fires once for what an operator and sidecars say of it',
    at: 11,
    fires: [stored],
    series: { [by(condition, isExposed)]: always(1), [of('paycert_secret_copies')]: always(1) },
  },
  {
    alert: 'PaycertCredentialExposed',
    title: 'is quiet about a Secret that sidecars find without a copy',
    at: 60,
    fires: [],
    series: { [of('paycert_secret_copies')]: always(0) },
  },
  {
    alert: 'PaycertCredentialExposed',
    title: 'keeps firing while no operator is there to say it',
    at: 60,
    fires: [stored],
    series: {
      [by(condition, isExposed)]: '1x20 stale',
      'paycert_operator_queue_length{job="operator",namespace="paycert-system",instance="o",pod="o"}': '0x20 stale',
    },
  },
  {
    alert: 'PaycertCredentialExposed',
    title: 'is quiet while nothing but other conditions are true, and once the annotation is removed',
    at: 40,
    fires: [],
    series: {
      [by(condition, isReady)]: always(1),
      [by(condition, { condition: 'Expiring', status: 'True' })]: always(1),
      [by(condition, isExposed)]: '1x20 stale',
      'paycert_operator_queue_length{job="operator",namespace="paycert-system",instance="o",pod="o"}': always(0),
    },
  },
  {
    alert: 'PaycertCredentialSuspended',
    title: 'fires once for what sidecars and the operator say of it',
    at: 62,
    fires: [pay],
    series: {
      [of('paycert_suspended_since_timestamp_seconds')]: always(60),
      [by('paycert_stored_suspended_since_timestamp_seconds')]: always(60),
    },
  },
  {
    alert: 'PaycertCredentialSuspended',
    title: 'ends when it is not suspended any more',
    at: 90,
    fires: [],
    series: { [of('paycert_suspended_since_timestamp_seconds')]: '60x80 stale' },
  },
];
