// When alerts about files of the process and about mounts fire, and when they do not.
import { always, type Case, of, pay } from './series.ts';

const current = (value: string, pod: string, file = 'configuration') => ({
  [`paycert_file_current{namespace="pay",file="${file}",job="paycert",instance="${pod}",pod="${pod}"}`]: value,
});
const fallback = (values: string) => ({ [of('paycert_source_fallback')]: values });
const frozen = { [of('paycert_file_frozen', { file: 'token' })]: always(1) };
const mounts = (value: number) => ({ [of('paycert_frozen_mounts')]: always(value) });

export const files: readonly Case[] = [
  {
    alert: 'PaycertFileRejected',
    title: 'fires once for all pods that refuse it',
    at: 15,
    fires: [{ namespace: 'pay', file: 'configuration' }],
    series: { ...current(always(0), 'a'), ...current(always(0), 'b') },
  },
  {
    alert: 'PaycertFileRejected',
    title: 'is quiet when it is put right within ten minutes',
    at: 30,
    fires: [],
    series: current('1 0x8 1x60', 'a'),
  },
  {
    alert: 'PaycertFileRejected',
    title: 'is quiet about the certificate of the operator, which no payment needs',
    at: 30,
    fires: [],
    series: current(always(0), 'a', 'certificate'),
  },
  { alert: 'PaycertMountFrozen', title: 'fires after ten minutes', at: 11, fires: [pay], series: mounts(2) },
  { alert: 'PaycertMountFrozen', title: 'is quiet about mounts that update', at: 60, fires: [], series: mounts(0) },
  { alert: 'PaycertFileFrozen', title: 'fires for a token file that is a subPath mount', at: 11, fires: [{ namespace: 'pay', file: 'token' }], series: frozen }, // prettier-ignore
  { alert: 'PaycertFileFrozen', title: 'is quiet where nothing is frozen', at: 60, fires: [], series: mounts(0) },
  { alert: 'PaycertSourceFallback', title: 'fires after a quarter of an hour, and as long as it lasts', at: 80, fires: [pay], series: fallback('0x2 1x90') }, // prettier-ignore
  { alert: 'PaycertSourceFallback', title: 'is quiet about a restart of the API server, and when the first source is back', at: 40, fires: [], series: fallback('0x5 1x10 0x60') }, // prettier-ignore
];
