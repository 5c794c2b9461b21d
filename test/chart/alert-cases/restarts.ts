// When alerts about what is kept for a restart fire, and when they do not.
import { always, type Case, of, pay } from './series.ts';

const restored = (values: string) => ({ [of('paycert_restored_since_timestamp_seconds')]: values });
const kept = (values: string) => ({ [of('paycert_last_good_kept')]: values });

export const restarts: readonly Case[] = [
  { alert: 'PaycertMaterialRestored', title: 'fires after five minutes', at: 6, fires: [pay], series: restored(always(60)) }, // prettier-ignore
  { alert: 'PaycertMaterialRestored', title: 'is quiet when the source was read soon after the start', at: 30, fires: [], series: restored('60x3 stale') }, // prettier-ignore
  { alert: 'PaycertLastGoodNotKept', title: 'fires after ten minutes', at: 11, fires: [pay], series: kept(always(0)) },
  { alert: 'PaycertLastGoodNotKept', title: 'is quiet where it is kept, or kept again', at: 40, fires: [], series: kept('0x8 1x60') }, // prettier-ignore
];
