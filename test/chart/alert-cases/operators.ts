// When alerts about the operator itself fire, and when they do not.
import { always, type Case, labelled, of } from './series.ts';

const place = { job: 'operator', namespace: 'paycert-system' };
const series = (metric: string, pod: string, more: object = {}) =>
  `${metric}${labelled({ ...place, instance: pod, pod, ...more })}`;
const running = {
  [series('paycert_operator_queue_length', 'o')]: always(0),
  [series('paycert_operator_queue_length', 'p')]: always(0),
};
const leading = (pod: string) => series('paycert_leading', pod);

const watches = (values: string, pod: string) => ({
  [of('paycert_watch_failing', { source: 'secret:wechat-main' }, pod)]: values,
});

export const operators: readonly Case[] = [
  { alert: 'PaycertOperatorAbsent', title: 'fires when no operator is scraped', at: 11, fires: [{}], series: {} },
  { alert: 'PaycertOperatorAbsent', title: 'is quiet while one is', at: 60, fires: [], series: running },
  { alert: 'PaycertNoLeader', title: 'fires when none of two has ever led', at: 6, fires: [place], series: running },
  {
    alert: 'PaycertNoLeader',
    title: 'fires when the leader leads no more, and nobody follows',
    at: 10,
    fires: [place],
    series: { ...running, [leading('o')]: '1x3 0x20' },
  },
  {
    alert: 'PaycertNoLeader',
    title: 'is quiet during a hand-over',
    at: 6,
    fires: [],
    series: { ...running, [leading('o')]: '1x3 0x20', [leading('p')]: '_x4 1x20' },
  },
  ...['cluster-forbidden', 'object-invalid'].map((reason): Case => ({
    alert: 'PaycertStatusNotWritten',
    title: `fires when statuses could not be written for ten minutes: ${reason}`,
    at: 12,
    fires: [{ namespace: 'paycert-system', reason }],
    series: { ...running, [series('paycert_operator_status_write_failures', 'o', { reason })]: always(3) },
  })),
  {
    alert: 'PaycertStatusNotWritten',
    title: 'is quiet about a failure that passes, and about none',
    at: 30,
    fires: [],
    series: {
      ...running,
      [series('paycert_operator_status_write_failures', 'o', { reason: 'cluster-failing' })]: '_x3 2x8 _x40',
    },
  },
  {
    alert: 'PaycertWatchFailing',
    title: 'fires once for all watches that have failed for a quarter of an hour',
    at: 20,
    fires: [{ namespace: 'pay' }],
    series: { ...watches('0x3 1x60', 'a'), ...watches('0x3 1x60', 'b') },
  },
  {
    alert: 'PaycertWatchFailing',
    title: 'is quiet after a restart of the API server that ended every watch, however many',
    at: 40,
    fires: [],
    series: {
      [of('paycert_watch_failures_total', { reason: 'cluster-unreachable' })]: '_x20 50x60',
      ...Object.fromEntries(
        Array.from({ length: 50 }, (_, pod) => Object.entries(watches('0x20 1x5 0x60', String(pod)))).flat(),
      ),
    },
  },
  ...(
    [
      ['PaycertClockOff', 61],
      ['PaycertClockOff', -600],
      ['PaycertClockWrong', 241],
      ['PaycertClockWrong', -200_000_000],
    ] as const
  ).map(([alert, seconds]): Case => ({
    alert,
    title: `fires when a clock is ${String(seconds)} s ahead of the API server's`,
    at: 10,
    fires: [{ namespace: 'paycert-system', instance: 'o', pod: 'o' }],
    series: { ...running, [series('paycert_clock_ahead_seconds', 'o')]: always(seconds) },
  })),
  ...(
    [
      ['PaycertClockOff', 59],
      ['PaycertClockWrong', -239],
    ] as const
  ).map(([alert, seconds]): Case => ({
    alert,
    title: `is quiet about ${String(seconds)} s`,
    at: 60,
    fires: [],
    series: { ...running, [series('paycert_clock_ahead_seconds', 'o')]: always(seconds) },
  })),
  {
    alert: 'PaycertEventsNotRecorded',
    title: 'fires while the last Event could not be created',
    at: 12,
    fires: [{ namespace: 'paycert-system' }],
    series: { ...running, [series('paycert_operator_events_recorded', 'o')]: always(0) },
  },
  {
    alert: 'PaycertEventsNotRecorded',
    title: 'is quiet about one that was created when it was tried again',
    at: 30,
    fires: [],
    series: { ...running, [series('paycert_operator_events_recorded', 'o')]: '1x5 0x5 1x60' },
  },
];
