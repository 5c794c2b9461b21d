// When alerts about signing, verifying and latency fire, and when they do not.
import { type Case, of, pay } from './series.ts';

const ops = (outcome: string, operation = 'sign', pod = 'a') =>
  of('paycert_operations_total', { operation, outcome }, pod);
const refusals = (kind: string, reason = 'signature-invalid') =>
  of('paycert_verification_failures_total', { kind, reason });
const unopened = (kind: string, pod = 'a', reason = 'decryption-failed') =>
  of('paycert_unopened_total', { kind, reason }, pod);
const stillUnopened = (kind: string) => of('paycert_unopened', { kind, reason: 'decryption-failed' });
const deliveries = (outcome: string) => of('paycert_deliveries_total', { outcome });
const bucket = (le: string) =>
  `paycert_operation_duration_seconds_bucket{namespace="pay",operation="sign",le="${le}",pod="a"}`;
const slow = (slowPerMinute: number, perMinute: number) => ({
  [bucket('0.1')]: `0+${perMinute - slowPerMinute}x60`,
  [bucket('0.8')]: `0+${perMinute - slowPerMinute}x60`,
  [bucket('2.5')]: `0+${perMinute}x60`,
  [bucket('+Inf')]: `0+${perMinute}x60`,
  'paycert_operation_duration_seconds_count{namespace="pay",operation="sign",pod="a"}': `0+${perMinute}x60`,
});

const dedupeFailing = (values: string) => ({ 'paycert_dedupe_failing{namespace="pay",pod="a"}': values });
const onSpare = (values: string) => ({ 'paycert_gateway_on_spare{namespace="pay",host="api.mch.weixin.qq.com",pod="a"}': values }); // prettier-ignore

const heldBack = (reason: string, values: string) => ({ [of('paycert_gateway_held_back_total', { host: 'api.mch.weixin.qq.com', reason })]: values }); // prettier-ignore
const unsigned = (outcome: string, values: string) => ({ [`paycert_remote_signatures_total{namespace="pay",service="hashivault",outcome="${outcome}",pod="a"}`]: values }); // prettier-ignore
const limited = (values: string) => ({ 'paycert_key_service_throttled_total{namespace="pay",service="awskms",pod="a"}': values }); // prettier-ignore
const keptKey = (values: string) => ({ 'paycert_access_key_kept{namespace="pay",service="awskms",pod="a"}': values }); // prettier-ignore
const ofKeyService = [{ namespace: 'pay', service: 'hashivault' }];

const atPlatform = [{ ...pay, host: 'api.mch.weixin.qq.com' }];

const platformClock = (values: string) => ({ 'paycert_platform_clock_ahead_seconds{namespace="pay",host="api.mch.weixin.qq.com",pod="a"}': values }); // prettier-ignore
const ofPlatformClock = [{ namespace: 'pay', pod: 'a', host: 'api.mch.weixin.qq.com' }];

export const operations: readonly Case[] = [
  { alert: 'PaycertKeyServiceFailing', title: 'fires while signatures are held back', at: 4, fires: ofKeyService, series: unsigned('held-back', '0+100x60') }, // prettier-ignore
  { alert: 'PaycertKeyServiceFailing', title: 'is quiet about one, about what is signed, and once it signs again', at: 40, fires: [], series: { ...unsigned('ok', '0+100x60'), ...unsigned('unavailable', '0+9x5 45x60'), ...unsigned('timed-out', '0x38 1x60') } }, // prettier-ignore
  { alert: 'PaycertKeyServiceThrottled', title: 'fires while a key service limits the account, and names it', at: 12, fires: [{ namespace: 'pay', service: 'awskms' }], series: limited('0+20x60') }, // prettier-ignore
  { alert: 'PaycertKeyServiceThrottled', title: 'is quiet about a peak, about one now and then, and once it takes all again', at: 40, fires: [], series: limited('0+100x5 500+1x60') }, // prettier-ignore
  { alert: 'PaycertAccessKeyKept', title: 'fires while the files of an access key are away, and names its service', at: 12, fires: [{ namespace: 'pay', service: 'awskms' }], series: keptKey('0 1x60') }, // prettier-ignore
  { alert: 'PaycertAccessKeyKept', title: 'is quiet about a moment, and once they are read again', at: 40, fires: [], series: keptKey('0 1x8 0x60') }, // prettier-ignore
  { alert: 'PaycertBreakerOpen', title: 'fires while calls are refused at once', at: 4, fires: atPlatform, series: heldBack('breaker', '0+100x60') }, // prettier-ignore
  { alert: 'PaycertBreakerOpen', title: 'is quiet once the host responds, and about a bulkhead', at: 40, fires: [], series: { ...heldBack('breaker', '0+100x5 500x60'), ...heldBack('bulkhead', '0+100x60') } }, // prettier-ignore
  { alert: 'PaycertBulkheadFull', title: 'fires while calls are refused since too many are under way', at: 10, fires: atPlatform, series: heldBack('bulkhead', '0+3x60') }, // prettier-ignore
  { alert: 'PaycertBulkheadFull', title: 'is quiet about a peak, and about a breaker', at: 40, fires: [], series: { ...heldBack('bulkhead', '0 50x60'), ...heldBack('breaker', '0+100x60') } }, // prettier-ignore
  { alert: 'PaycertPlatformClockOff', title: 'fires when a clock is two seconds behind a platform', at: 12, fires: ofPlatformClock, series: platformClock('0 -2x60') }, // prettier-ignore
  { alert: 'PaycertPlatformClockOff', title: 'is quiet about one second, and about what was put right', at: 40, fires: [], series: platformClock('90x5 1x60') }, // prettier-ignore
  { alert: 'PaycertPlatformClockWrong', title: 'fires when a clock is 61 s ahead of a platform', at: 4, fires: ofPlatformClock, series: platformClock('0 61x60') }, // prettier-ignore
  { alert: 'PaycertPlatformClockWrong', title: 'is quiet about a minute', at: 40, fires: [], series: platformClock('-60x60') }, // prettier-ignore
  { alert: 'PaycertGatewayOnSpare', title: 'fires while a host cannot be connected to', at: 12, fires: [{ namespace: 'pay', host: 'api.mch.weixin.qq.com' }], series: onSpare('0 1x60') }, // prettier-ignore
  { alert: 'PaycertGatewayOnSpare', title: 'is quiet about a short absence, and once the host is back', at: 40, fires: [], series: onSpare('0 1x8 0x60') }, // prettier-ignore
  {
    alert: 'PaycertSigningFailing',
    title: 'fires above 0.5 %, over all pods',
    at: 10,
    fires: [pay],
    series: {
      [ops('ok')]: '0+98x60',
      [ops('error')]: '0+1x60',
      [ops('ok', 'sign', 'b')]: '0+1x60',
    },
  },
  {
    alert: 'PaycertSigningFailing',
    title: 'fires when keys are not there',
    at: 10,
    fires: [pay],
    series: { [ops('not-ready', 'authorize')]: '0+100x60' },
  },
  {
    alert: 'PaycertSigningFailing',
    title: 'is quiet below 0.5 %',
    at: 10,
    fires: [],
    series: { [ops('ok')]: '0+997x60', [ops('error')]: '0+4x60' },
  },
  {
    alert: 'PaycertSigningFailing',
    title: 'is quiet when hardly anybody calls',
    at: 10,
    fires: [],
    series: { [ops('error')]: '0+10x60' },
  },
  {
    alert: 'PaycertSigningFailing',
    title: 'is quiet about errors of the callers',
    at: 10,
    fires: [],
    series: { [ops('ok')]: '0+100x60', [ops('caller-error')]: '0+100x60' },
  },
  {
    alert: 'PaycertVerificationFailing',
    title: 'fires above 0.1 % of the answers',
    at: 15,
    fires: [pay],
    series: {
      [ops('ok', 'verify')]: '0+98x60',
      [ops('refused', 'verify')]: '0+1x60',
      [refusals('response')]: '0+1x60',
    },
  },
  {
    alert: 'PaycertVerificationFailing',
    title: 'is quiet about forged notifications, however many',
    at: 15,
    fires: [],
    series: {
      [ops('ok', 'verify')]: '0+100x60',
      [ops('refused', 'notification')]: '0+1000x60',
      [refusals('notification')]: '0+1000x60',
    },
  },
  {
    alert: 'PaycertVerificationFailing',
    title: 'is quiet when hardly anybody calls',
    at: 15,
    fires: [],
    series: { [ops('refused', 'verify')]: '0+1x60', [refusals('response')]: '0+1x60' },
  },
  {
    alert: 'PaycertVerificationFailing',
    title: 'is quiet about errors of the callers',
    at: 15,
    fires: [],
    series: {
      [ops('ok', 'verify')]: '0+100x60',
      [ops('caller-error', 'verify')]: '0+100x60',
      [ops('refused', 'verify')]: '0+9x60',
      [refusals('response', 'response-unsigned')]: '0+9x60',
    },
  },
  ...(['notification', 'ciphertext'] as const).flatMap((kind): Case[] => {
    const alert = kind === 'notification' ? 'PaycertNotificationUnopened' : 'PaycertDecryptionFailing';
    const fires = [{ ...pay, kind }];
    return [
      {
        alert,
        title: 'fires at the second within ten minutes, which two pods may have met first',
        at: 9,
        fires,
        series: { [unopened(kind, 'a')]: '_x2 1x60', [unopened(kind, 'b')]: '_x8 1x60' },
      },
      {
        alert,
        title: 'fires at two that come after a restart, and at two that many came before',
        at: 61,
        fires,
        series: { [unopened(kind, 'a')]: '7x58 1x60', [unopened(kind, 'b')]: '70x59 71x60' },
      },
      {
        alert,
        title: 'lasts while WeChat Pay sends again more and more rarely, and nothing opens',
        at: 100,
        fires,
        series: { [unopened(kind)]: '_x2 1 3x200', [stillUnopened(kind)]: '_x2 1 3x200' },
      },
      {
        alert,
        title: 'ends when one is opened',
        at: 25,
        fires: [],
        series: { [unopened(kind)]: '_x2 1 3x200', [stillUnopened(kind)]: '_x2 1 3x10 _x200' },
      },
      {
        alert,
        title: 'is quiet one, and about two within half an hour',
        at: 70,
        fires: [],
        series: { [unopened(kind, 'a')]: '_x5 1x30 2x200', [stillUnopened(kind)]: '_x5 1x30 2x200' },
      },
      {
        alert,
        title: 'is quiet about many that are long past',
        at: 70,
        fires: [],
        series: { [unopened(kind, 'a')]: '500x200', [unopened(kind, 'b')]: '3x30 _x12 3x200' },
      },
      {
        alert,
        title: 'is quiet about what another key would not open either',
        at: 9,
        fires: [],
        series: { [unopened(kind, 'a', 'notification-misdirected')]: '0+1x60' },
      },
    ];
  }),
  {
    alert: 'PaycertNotificationUndelivered',
    title: 'fires when the application takes less than half of them',
    at: 15,
    fires: [pay],
    series: {
      [deliveries('accepted')]: '0+1x60',
      [deliveries('refused')]: '0+2x60',
      [deliveries('timed-out')]: '1x60',
    },
  },
  {
    alert: 'PaycertNotificationUndelivered',
    title: 'fires when few come, and none is taken',
    at: 12,
    fires: [pay],
    series: { [deliveries('unreachable')]: '_x2 1 2 3 3 3 3 4x60' },
  },
  {
    alert: 'PaycertNotificationUndelivered',
    title: 'is quiet when most are taken, and about one that is not',
    at: 15,
    fires: [],
    series: { [deliveries('accepted')]: '0+4x60', [deliveries('refused')]: '0+1x60' },
  },
  {
    alert: 'PaycertNotificationUndelivered',
    title: 'is quiet about one that was not taken at first, and once the application is back',
    at: 40,
    fires: [],
    series: { [deliveries('timed-out')]: '0+2x10 20x60', [deliveries('accepted')]: '0x12 0+1x60' },
  },
  { alert: 'PaycertDedupeFailing', title: 'fires while Redis does not answer', at: 12, fires: [{ namespace: 'pay' }], series: dedupeFailing('0 1x60') }, // prettier-ignore
  { alert: 'PaycertDedupeFailing', title: 'is quiet about a short absence, and once Redis is back', at: 40, fires: [], series: dedupeFailing('0 1x8 0x60') }, // prettier-ignore
  {
    alert: 'PaycertLatencyHigh',
    title: 'fires when more than one in a hundred is slow',
    at: 15,
    fires: [{ namespace: 'pay', operation: 'sign' }],
    series: slow(2, 100),
  },
  {
    alert: 'PaycertLatencyHigh',
    title: 'is quiet when one in two hundred is',
    at: 15,
    fires: [],
    series: slow(1, 200),
  },
  { alert: 'PaycertLatencyHigh', title: 'is quiet when hardly anybody calls', at: 15, fires: [], series: slow(5, 5) },
];
