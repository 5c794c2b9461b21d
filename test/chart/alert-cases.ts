// When each alert fires, and when it does not: series as promtool writes them, one sample a minute.

export interface Case {
  readonly alert: string;
  readonly title: string;
  readonly series: Readonly<Record<string, string>>;
  /** Minutes from the first sample. */
  readonly at: number;
  /** Labels of each alert that fires, but for level and severity. */
  readonly fires: readonly Readonly<Record<string, string>>[];
}

const day = 86_400;
const pay = { namespace: 'pay', credential: 'wechat-main' } as const;
const stored = { credential_namespace: 'pay', credential: 'wechat-main' } as const;

const labels = (all: object): string => Object.entries(all).map(([name, value]) => `${name}="${String(value)}"`).join(',');
/** A series of a sidecar. */
const of = (metric: string, more: object = {}, pod = 'a'): string =>
  `${metric}{${labels({ ...pay, job: 'paycert', instance: pod, pod, ...more })}}`;
/** A series of the operator. */
const by = (metric: string, more: object = {}, pod = 'o'): string =>
  `${metric}{${labels({ ...stored, job: 'operator', namespace: 'paycert-system', instance: pod, pod, ...more })}}`;

const expiry = 'paycert_certificate_not_after_timestamp_seconds';
const merchant = { role: 'merchant' };
const always = (value: number): string => `${value}x200`;

function expiryCases(prefix: string, series: typeof of, fires: object): Case[] {
  const thresholds = { Expiring30d: 30, Expiring14d: 14, Expiring7d: 7, Expiring1d: 1 };
  const told = { ...fires, ...merchant };
  return [
    ...Object.entries(thresholds).flatMap(([name, days]): Case[] => {
      const alert = `Paycert${prefix}${name}`;
      return [
        { alert, title: 'fires once for all pods', at: 61, fires: [told], series: { [series(expiry, merchant)]: always(days * day), [series(expiry, merchant, 'b')]: always(days * day - 60) } },
        { alert, title: 'is quiet before', at: 61, fires: [], series: { [series(expiry, merchant)]: always((days + 0.1) * day) } },
        { alert, title: 'is quiet about retired keys, which are meant to expire', at: 61, fires: [], series: { [series(expiry, { role: 'merchant-retired' })]: always(0) } },
      ];
    }),
    { alert: `Paycert${prefix}Expired`, title: 'fires when it has', at: 20, fires: [told], series: { [series(expiry, merchant)]: always(900) } },
    { alert: `Paycert${prefix}Expired`, title: 'is quiet while a second is left', at: 15, fires: [], series: { [series(expiry, merchant)]: always(901) } },
    { alert: `Paycert${prefix}Expired`, title: 'ends when a renewed one is there', at: 20, fires: [], series: { [series(expiry, merchant)]: `900x17 ${90 * day}x10` } },
  ];
}

const successful = 'paycert_reload_last_successful';
const failing = { [of(successful)]: always(0), [of(successful, {}, 'b')]: always(1) };
const unreadable = { ...failing, [of('paycert_source_errors_total', { reason: 'files-missing' })]: '0+6x200' };
const ready = 'paycert_credential_ready';
const up = (pod: string): string => `up{job="paycert",instance="${pod}",pod="${pod}",namespace="pay"}`;

const operations = (outcome: string, operation = 'sign', pod = 'a') => of('paycert_operations_total', { operation, outcome }, pod);
const refusals = (kind: string, reason = 'signature-invalid') => of('paycert_verification_failures_total', { kind, reason });
const bucket = (le: string) => `paycert_operation_duration_seconds_bucket{namespace="pay",operation="sign",le="${le}",pod="a"}`;
const slow = (slowPerMinute: number, perMinute: number) => ({
  [bucket('0.1')]: `0+${perMinute - slowPerMinute}x60`,
  [bucket('0.8')]: `0+${perMinute - slowPerMinute}x60`,
  [bucket('2.5')]: `0+${perMinute}x60`,
  [bucket('+Inf')]: `0+${perMinute}x60`,
  'paycert_operation_duration_seconds_count{namespace="pay",operation="sign",pod="a"}': `0+${perMinute}x60`,
});
const leader = (pod: string) => `paycert_leader{job="operator",namespace="paycert-system",instance="${pod}",pod="${pod}"}`;

export const cases: readonly Case[] = [
  ...expiryCases('Certificate', of, pay),
  ...expiryCases('StoredCertificate', by, stored),

  { alert: 'PaycertReloadFailing', title: 'fires when one pod of two has not the newest', at: 5, fires: [pay], series: failing },
  { alert: 'PaycertReloadFailing', title: 'is quiet about a reload that was late by a minute', at: 5, fires: [], series: { [of(successful)]: '1 0 1x20' } },

  { alert: 'PaycertMaterialRejected', title: 'fires after ten minutes', at: 11, fires: [pay], series: failing },
  { alert: 'PaycertMaterialRejected', title: 'is quiet for ten minutes', at: 9, fires: [], series: failing },
  { alert: 'PaycertMaterialRejected', title: 'leaves an origin that cannot be read to its own alert', at: 60, fires: [], series: unreadable },
  { alert: 'PaycertSourceUnreachable', title: 'fires when reads go on failing', at: 15, fires: [pay], series: unreadable },
  { alert: 'PaycertSourceUnreachable', title: 'is quiet about material that was read and rejected', at: 60, fires: [], series: failing },

  { alert: 'PaycertCredentialNotReady', title: 'fires once for two pods', at: 3, fires: [pay], series: { [of(ready)]: always(0), [of(ready, {}, 'b')]: always(0) } },
  { alert: 'PaycertCredentialNotReady', title: 'leaves what is stored to its own alert', at: 60, fires: [], series: { [of(ready)]: always(1), [by(ready)]: always(0) } },
  { alert: 'PaycertStoredCredentialNotReady', title: 'fires once for two operators', at: 6, fires: [stored], series: { [by(ready)]: always(0), [by(ready, {}, 'p')]: always(0) } },
  { alert: 'PaycertStoredCredentialNotReady', title: 'leaves sidecars to their own alert', at: 60, fires: [], series: { [of(ready)]: always(0) } },

  { alert: 'PaycertSidecarDown', title: 'fires when a pod that is there does not answer', at: 20, fires: [pay], series: { [of(ready)]: '1x10 stale', [up('a')]: '1x10 0x60', [of(ready, {}, 'b')]: always(1), [up('b')]: always(1) } },
  { alert: 'PaycertSidecarDown', title: 'fires when the last sidecar of a credential has vanished', at: 20, fires: [pay], series: { [of(ready)]: '1x10 stale', [up('a')]: '1x10 stale' } },
  { alert: 'PaycertSidecarDown', title: 'is quiet about a rollout, which deletes pods', at: 20, fires: [], series: { [of(ready)]: '1x10 stale', [up('a')]: '1x10 stale', [of(ready, {}, 'b')]: always(1), [up('b')]: always(1) } },

  { alert: 'PaycertSigningFailing', title: 'fires above 0.5 %, over all pods', at: 10, fires: [pay], series: { [operations('ok')]: '0+98x60', [operations('error')]: '0+1x60', [operations('ok', 'sign', 'b')]: '0+1x60' } },
  { alert: 'PaycertSigningFailing', title: 'fires when keys are not there', at: 10, fires: [pay], series: { [operations('not-ready', 'authorize')]: '0+100x60' } },
  { alert: 'PaycertSigningFailing', title: 'is quiet below 0.5 %', at: 10, fires: [], series: { [operations('ok')]: '0+997x60', [operations('error')]: '0+4x60' } },
  { alert: 'PaycertSigningFailing', title: 'is quiet when hardly anybody calls', at: 10, fires: [], series: { [operations('error')]: '0+10x60' } },
  { alert: 'PaycertSigningFailing', title: 'is quiet about errors of the callers', at: 10, fires: [], series: { [operations('ok')]: '0+100x60', [operations('caller-error')]: '0+100x60' } },

  { alert: 'PaycertVerificationFailing', title: 'fires above 0.1 % of the answers', at: 15, fires: [pay], series: { [operations('ok', 'verify')]: '0+98x60', [operations('refused', 'verify')]: '0+1x60', [refusals('response')]: '0+1x60' } },
  { alert: 'PaycertVerificationFailing', title: 'is quiet about forged notifications, however many', at: 15, fires: [], series: { [operations('ok', 'verify')]: '0+100x60', [operations('refused', 'notification')]: '0+1000x60', [refusals('notification')]: '0+1000x60' } },
  { alert: 'PaycertVerificationFailing', title: 'is quiet when hardly anybody calls', at: 15, fires: [], series: { [operations('refused', 'verify')]: '0+1x60', [refusals('response')]: '0+1x60' } },
  { alert: 'PaycertVerificationFailing', title: 'is quiet about errors of the callers', at: 15, fires: [], series: { [operations('ok', 'verify')]: '0+100x60', [operations('caller-error', 'verify')]: '0+100x60', [operations('refused', 'verify')]: '0+9x60', [refusals('response', 'answer-unsigned')]: '0+9x60' } },

  { alert: 'PaycertLatencyHigh', title: 'fires when more than one in a hundred is slow', at: 15, fires: [{ namespace: 'pay', operation: 'sign' }], series: slow(2, 100) },
  { alert: 'PaycertLatencyHigh', title: 'is quiet when one in two hundred is', at: 15, fires: [], series: slow(1, 200) },
  { alert: 'PaycertLatencyHigh', title: 'is quiet when hardly anybody calls', at: 15, fires: [], series: slow(5, 5) },

  { alert: 'PaycertOperatorAbsent', title: 'fires when no operator is scraped', at: 11, fires: [{}], series: {} },
  { alert: 'PaycertOperatorAbsent', title: 'is quiet while one is', at: 60, fires: [], series: { [leader('o')]: always(0) } },
  { alert: 'PaycertNoLeader', title: 'fires when none of two leads', at: 6, fires: [{ job: 'operator', namespace: 'paycert-system' }], series: { [leader('o')]: always(0), [leader('p')]: always(0) } },
  { alert: 'PaycertNoLeader', title: 'is quiet during a hand-over', at: 6, fires: [], series: { [leader('o')]: '1x3 0x20', [leader('p')]: '0x4 1x20' } },
];
