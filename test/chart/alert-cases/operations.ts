// When alerts about signing, verifying and latency fire, and when they do not.
import { type Case, of, pay } from './series.ts';

const ops = (outcome: string, operation = 'sign', pod = 'a') =>
  of('paycert_operations_total', { operation, outcome }, pod);
const refusals = (kind: string, reason = 'signature-invalid') =>
  of('paycert_verification_failures_total', { kind, reason });
const bucket = (le: string) =>
  `paycert_operation_duration_seconds_bucket{namespace="pay",operation="sign",le="${le}",pod="a"}`;
const slow = (slowPerMinute: number, perMinute: number) => ({
  [bucket('0.1')]: `0+${perMinute - slowPerMinute}x60`,
  [bucket('0.8')]: `0+${perMinute - slowPerMinute}x60`,
  [bucket('2.5')]: `0+${perMinute}x60`,
  [bucket('+Inf')]: `0+${perMinute}x60`,
  'paycert_operation_duration_seconds_count{namespace="pay",operation="sign",pod="a"}': `0+${perMinute}x60`,
});

export const operations: readonly Case[] = [
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
