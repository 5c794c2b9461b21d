// When alerts about expiry fire, and when they do not.
import { always, by, type Case, day, expiry as notAfter, merchant, of, pay, stored } from './series.ts';

function expiryCases(prefix: string, series: typeof of, fires: object): Case[] {
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
            [series(notAfter, merchant)]: always(days * day),
            [series(notAfter, merchant, 'b')]: always(days * day - 60),
          },
        },
        {
          alert,
          title: 'is quiet before',
          at: 61,
          fires: [],
          series: { [series(notAfter, merchant)]: always((days + 0.1) * day) },
        },
        {
          alert,
          title: 'is quiet about retired keys, which are meant to expire',
          at: 61,
          fires: [],
          series: { [series(notAfter, { role: 'merchant-retired' })]: always(0) },
        },
      ];
    }),
    {
      alert: `Paycert${prefix}Expired`,
      title: 'fires when it has',
      at: 20,
      fires: [told],
      series: { [series(notAfter, merchant)]: always(900) },
    },
    {
      alert: `Paycert${prefix}Expired`,
      title: 'is quiet while a second is left',
      at: 15,
      fires: [],
      series: { [series(notAfter, merchant)]: always(901) },
    },
    {
      alert: `Paycert${prefix}Expired`,
      title: 'ends when a renewed one is there',
      at: 20,
      fires: [],
      series: { [series(notAfter, merchant)]: `900x17 ${90 * day}x10` },
    },
  ];
}

export const expiry: readonly Case[] = [
  ...expiryCases('Certificate', of, pay),
  ...expiryCases('StoredCertificate', by, stored),
];
