// When alerts about expiry fire, and when they do not.
import { replacedPattern } from '../../../src/providers/roles.ts';
import { always, by, type Case, day, merchant, of, pay, stored } from './series.ts';

const replaced = replacedPattern.split('|');

function expiryCases(prefix: string, series: (more: object, pod?: string) => string, fires: object): Case[] {
  const thresholds = { Expiring30d: 30, Expiring14d: 14, Expiring7d: 7, Expiring1d: 1 };
  const told = { ...fires, ...merchant };
  return [
    ...Object.entries(thresholds).flatMap(([name, days]): Case[] => {
      const alert = `Paycert${prefix}${name}`;
      return [
        {
          alert,
          title: 'fires once for all pods',
          at: 61,
          fires: [told],
          series: {
            [series(merchant)]: always(days * day),
            [series(merchant, 'b')]: always(days * day - 60),
          },
        },
        {
          alert,
          title: 'is quiet before',
          at: 61,
          fires: [],
          series: { [series(merchant)]: always((days + 0.1) * day) },
        },
        {
          alert,
          title: 'is quiet about replaced keys, which are meant to expire',
          at: 61,
          fires: [],
          series: Object.fromEntries(replaced.map((role) => [series({ role }), always(0)])),
        },
      ];
    }),
    {
      alert: `Paycert${prefix}Expired`,
      title: 'fires when it has',
      at: 20,
      fires: [told],
      series: { [series(merchant)]: always(900) },
    },
    {
      alert: `Paycert${prefix}Expired`,
      title: 'is quiet while a second is left',
      at: 15,
      fires: [],
      series: { [series(merchant)]: always(901) },
    },
    {
      alert: `Paycert${prefix}Expired`,
      title: 'ends when a renewed one is there',
      at: 20,
      fires: [],
      series: { [series(merchant)]: `900x17 ${90 * day}x10` },
    },
  ];
}

export const expiry: readonly Case[] = [
  ...expiryCases('Certificate', (more, pod) => of('paycert_certificate_not_after_timestamp_seconds', more, pod), pay),
  ...expiryCases(
    'StoredCertificate',
    (more, pod) => by('paycert_stored_certificate_not_after_timestamp_seconds', more, pod),
    stored,
  ),
];
