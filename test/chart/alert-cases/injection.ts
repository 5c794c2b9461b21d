// When the alert about Pods without their sidecar fires, and when it does not.
import { always, by, type Case, labelled } from './series.ts';

const pods = (state: string, pod = 'o') =>
  `paycert_injection_pods${labelled({ job: 'operator', namespace: 'paycert-system', instance: pod, pod, state })}`;

export const injections: readonly Case[] = [
  {
    alert: 'PaycertInjectionMissing',
    title: 'fires once for two replicas when Pods have been without their sidecar for ten minutes',
    at: 16,
    fires: [{ namespace: 'paycert-system' }],
    series: { [pods('missing')]: '0x4 3x60', [pods('missing', 'p')]: '0x4 3x60' },
  },
  {
    alert: 'PaycertInjectionMissing',
    title: 'stays while no operator answers: that gives no Pod its sidecar',
    at: 60,
    fires: [{ namespace: 'paycert-system' }],
    series: { [pods('missing')]: '3x30 _x60', [by('paycert_operator_queue_length')]: '0x30 _x60' },
  },
  {
    alert: 'PaycertInjectionMissing',
    title: 'is quiet about Pods that are recreated within minutes, and about those that cannot have one',
    at: 40,
    fires: [],
    series: {
      [by('paycert_operator_queue_length')]: always(0),
      [pods('missing')]: '0x4 3x6 0x60',
      [pods('skipped')]: '5x60',
      [pods('injected')]: '9x60',
    },
  },
];
