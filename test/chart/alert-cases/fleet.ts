// When the alert about a rotation that is not everywhere fires, and when it does not.
import { always, by, type Case, stored } from './series.ts';

const pods = (state: string, pod?: string) => by('paycert_fleet_pods', { state }, pod);
const other = { credential: 'other' };
const notReady = by('paycert_credential_condition', { ...other, condition: 'Ready', status: 'False' });
const alert = 'PaycertFleetNotRolledOut';
const firing = [{ ...stored }];
const knows = { [by('paycert_operator_queue_length')]: always(0) };

export const fleet: readonly Case[] = [
  ...['old', 'rejected', 'unknown'].map((state) => ({
    alert,
    title: `fires once for two replicas when pods are ${state} for a quarter of an hour`,
    at: 40,
    fires: firing,
    series: { ...knows, [pods(state)]: '0x10 2x60', [pods(state, 'p')]: '0x11 2x60' },
  })),
  {
    alert,
    title: 'is quiet while a rotation takes its time',
    at: 24,
    fires: [],
    series: { ...knows, [pods('old')]: '0x10 48-4x11 0x60', [pods('current')]: '48x10 0+4x11 48x60' },
  },
  {
    alert,
    title: 'is quiet about pods that wait for the time of what is stored, and about what the operator rejects itself',
    at: 60,
    fires: [],
    series: {
      ...knows,
      [pods('deferred')]: always(48),
      [by('paycert_fleet_pods', { ...other, state: 'rejected' })]: always(3),
      [notReady]: always(1),
    },
  },
  {
    alert,
    title: 'stays while no operator answers: that is no rotation that is done',
    at: 60,
    fires: firing,
    series: { [pods('old')]: '2x30 _x60', [by('paycert_operator_queue_length')]: '0x30 _x60' },
  },
];
