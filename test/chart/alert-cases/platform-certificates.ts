// When the alert about certificates that the operator does not get, or does not get stored, fires, and when it does not.
import { always, by, type Case, stored } from './series.ts';

const alert = 'PaycertPlatformCertificatesNotStored';
const condition = (status: string, pod?: string) =>
  by('paycert_credential_condition', { condition: 'CertificatesCurrent', status }, pod);
const knows = { [by('paycert_operator_queue_length')]: always(0) };

export const platformCertificates: readonly Case[] = [
  {
    alert,
    title: 'fires once for two replicas after an hour',
    at: 61,
    fires: [{ ...stored }],
    series: { ...knows, [condition('False')]: always(1), [condition('False', 'p')]: always(1) },
  },
  {
    alert,
    title: 'is quiet about an outage of the platform that passes',
    at: 90,
    fires: [],
    series: { ...knows, [condition('False')]: '1x50 _x60', [condition('True')]: '_x50 1x60' },
  },
  {
    alert,
    title: 'is quiet while nothing is known, of which other alerts speak',
    at: 90,
    fires: [],
    series: { ...knows, [condition('Unknown')]: always(1) },
  },
];
