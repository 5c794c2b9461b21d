// When the one alert that a pager is called for fires, and when it does not.
import { type Case, labelled, pay } from './series.ts';

const alert = 'PaycertIncident';
const firing = (alertname: string, level: string, labels: object = pay) =>
  `ALERTS${labelled({ alertname, alertstate: 'firing', level, ...labels })}`;

export const incidents: readonly Case[] = [
  {
    alert,
    title: 'fires once for all alerts of level 1 about a credential, and bridges ten minutes between two',
    at: 38,
    fires: [pay],
    series: {
      [firing('PaycertCertificateExpired', 'L1')]: '_x5 1x10 _x60',
      [firing('PaycertSigningFailing', 'L1')]: '_x8 1x20 _x60',
      [firing('PaycertSidecarDown', 'L1')]: '_x36 1x60',
    },
  },
  {
    alert,
    title: 'fires about a namespace where no credential is named',
    at: 12,
    fires: [{ namespace: 'pay' }],
    series: {
      [firing('PaycertClockWrong', 'L1', { namespace: 'pay', pod: 'a' })]: '_x5 1x20',
      [firing('PaycertClockWrong', 'L1', { namespace: 'pay', pod: 'b' })]: '_x9 1x20',
    },
  },
  {
    alert,
    title: 'is quiet about lesser levels, what is pending, alerts of others, itself, and what ended ten minutes ago',
    at: 40,
    fires: [],
    series: {
      [firing('PaycertReloadFailing', 'L2')]: '1x60',
      [firing('PaycertSidecarDown', 'L1').replace('firing', 'pending')]: '1x60',
      [firing('KubePodCrashLooping', 'L1')]: '1x60',
      [firing(alert, 'L1')]: '1x60',
      [firing('PaycertMaterialRejected', 'L1')]: '1x29 _x60',
    },
  },
];
