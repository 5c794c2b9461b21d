// When alerts about the operator itself fire, and when they do not.
import { always, type Case } from './series.ts';

const leader = (pod: string) =>
  `paycert_leader{job="operator",namespace="paycert-system",instance="${pod}",pod="${pod}"}`;

export const operators: readonly Case[] = [
  { alert: 'PaycertOperatorAbsent', title: 'fires when no operator is scraped', at: 11, fires: [{}], series: {} },
  {
    alert: 'PaycertOperatorAbsent',
    title: 'is quiet while one is',
    at: 60,
    fires: [],
    series: { [leader('o')]: always(0) },
  },
  {
    alert: 'PaycertNoLeader',
    title: 'fires when none of two leads',
    at: 6,
    fires: [{ job: 'operator', namespace: 'paycert-system' }],
    series: { [leader('o')]: always(0), [leader('p')]: always(0) },
  },
  {
    alert: 'PaycertNoLeader',
    title: 'is quiet during a hand-over',
    at: 6,
    fires: [],
    series: { [leader('o')]: '1x3 0x20', [leader('p')]: '0x4 1x20' },
  },
];
