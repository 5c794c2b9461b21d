// When alerts about the operator itself fire, and when they do not.
import { always, type Case } from './series.ts';

const place = { job: 'operator', namespace: 'paycert-system' };
const series = (metric: string, pod: string) =>
  `${metric}{job="operator",namespace="paycert-system",instance="${pod}",pod="${pod}"}`;
const running = {
  [series('paycert_operator_queue_length', 'o')]: always(0),
  [series('paycert_operator_queue_length', 'p')]: always(0),
};
const leading = (pod: string) => series('paycert_leading', pod);

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
];
