// When alerts about the age of keys fire, and when they do not.
import { always, by, type Case, day, of, pay, stored } from './series.ts';

const apiv3 = { role: 'apiv3' };
const current = (pod?: string) => of('paycert_key_replace_by_timestamp_seconds', apiv3, pod);
const kept = (pod?: string) => by('paycert_stored_key_replace_by_timestamp_seconds', apiv3, pod);
const toldOfCurrent = { ...pay, ...apiv3 };
const toldOfStored = { ...stored, ...apiv3 };
/** Reached after 15 minutes, and told an hour later. */
const reached = always(900);
const other = current().replace('"wechat-main"', '"other"');

export const ages: readonly Case[] = [
  {
    alert: 'PaycertKeyTooOld',
    title: 'fires once for all pods, as soon as the one that has run the longest knows it',
    at: 76,
    fires: [toldOfCurrent],
    series: { [current()]: reached, [current('b')]: always(80 * day) },
  },
  {
    alert: 'PaycertKeyTooOld',
    title: 'is quiet until maxAge has passed',
    at: 74,
    fires: [],
    series: { [current()]: reached },
  },
  {
    alert: 'PaycertKeyTooOld',
    title: 'leaves to the operator what the operator knows, and no other credential',
    at: 90,
    fires: [{ ...toldOfCurrent, credential: 'other' }],
    series: { [current()]: reached, [other]: reached, [kept()]: always(80 * day) },
  },
  {
    alert: 'PaycertStoredKeyTooOld',
    title: 'fires once for all replicas of the operator',
    at: 76,
    fires: [toldOfStored],
    series: { [kept()]: reached, [kept('p')]: always(901) },
  },
  {
    alert: 'PaycertStoredKeyTooOld',
    title: 'is quiet until maxAge has passed',
    at: 74,
    fires: [],
    series: { [kept()]: reached },
  },
  {
    alert: 'PaycertStoredKeyTooOld',
    title: 'ends when the key is replaced',
    at: 90,
    fires: [],
    series: { [kept()]: `900x80 ${90 * day}x20` },
  },
];
