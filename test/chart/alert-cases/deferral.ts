// When alerts about material that is not valid yet fire, and when they do not.
import { always, by, type Case, of, pay, stored } from './series.ts';

const [deferredUntil, successful] = ['paycert_deferred_until_timestamp_seconds', 'paycert_reload_last_successful'];
const inTwoHours = { [of(deferredUntil)]: always(7200) };
/** The current set lasts until then. */
const bridged = { ...inTwoHours, [of(successful)]: always(1) };
/** It ends before, or there is none. */
const unbridged = { ...inTwoHours, [of(successful)]: always(0) };

const stagedSet = (valid: 'true' | 'false') => ({ [of('paycert_staged', { active: 'false', valid })]: always(1) });

/** Of an operator: the Secret as it is stored. */
const isNotReady = { condition: 'Ready', status: 'False' };
const notReady = { [by('paycert_credential_condition', isNotReady)]: always(1) };
const waiting = (bridged: 'true' | 'false') => ({
  [by('paycert_stored_deferred_until_timestamp_seconds', { bridged })]: always(7200),
});

export const deferral: readonly Case[] = [
  { alert: 'PaycertMaterialDeferred', title: 'fires after ten minutes', at: 11, fires: [pay], series: bridged },
  {
    alert: 'PaycertMaterialDeferred',
    title: 'fires once for all pods, by the last of their times',
    at: 60,
    fires: [pay],
    series: { ...bridged, [of(deferredUntil, {}, 'b')]: always(60) },
  },
  {
    alert: 'PaycertMaterialDeferred',
    title: 'is quiet when it has become current',
    at: 130,
    fires: [],
    series: { [of(deferredUntil)]: '7200x119 _x80', [of(successful)]: always(1) },
  },
  { alert: 'PaycertStagedInvalid', title: 'fires after ten minutes', at: 11, fires: [pay], series: stagedSet('false') },
  {
    alert: 'PaycertStagedInvalid',
    title: 'is quiet about a set that is valid',
    at: 60,
    fires: [],
    series: stagedSet('true'),
  },
  {
    alert: 'PaycertCanaryRejected',
    title: 'fires after a minute for what pods say, and stays for what the operator says',
    at: 30,
    fires: [pay],
    series: {
      [of('paycert_canary_rejected')]: '1x4 0x100',
      [by('paycert_credential_condition', { condition: 'CanaryRejected', status: 'True' })]: always(1),
    },
  },
  {
    alert: 'PaycertCanaryRejected',
    title: 'is quiet while the next set is tried and not refused',
    at: 60,
    fires: [],
    series: { [of('paycert_canary_rejected')]: always(0) },
  },
  ...['PaycertReloadFailing', 'PaycertMaterialRejected'].flatMap((alert): Case[] => [
    {
      alert,
      title: 'is quiet while a current set lasts until deferred material is valid',
      at: 100,
      fires: [],
      series: bridged,
    },
    {
      alert,
      title: 'fires for deferred material if no current set lasts until it is valid',
      at: 15,
      fires: [pay],
      series: unbridged,
    },
  ]),
  {
    alert: 'PaycertStoredCredentialNotReady',
    title: 'is quiet while what is stored waits for its time and what was accepted lasts until then',
    at: 100,
    fires: [],
    series: { ...notReady, ...waiting('true') },
  },
  {
    alert: 'PaycertStoredCredentialNotReady',
    title: 'fires for what waits for its time if nothing that was accepted lasts until then',
    at: 6,
    fires: [stored],
    series: { ...notReady, ...waiting('false') },
  },
  {
    alert: 'PaycertStoredCredentialNotReady',
    title: 'fires if what waited is not ready at its time either',
    at: 136,
    fires: [stored],
    series: { ...notReady, ...waiting('true') },
  },
  {
    alert: 'PaycertStoredCredentialNotReady',
    title: 'is quiet if one operator knows what was accepted and the other has just begun',
    at: 60,
    fires: [],
    series: {
      ...notReady,
      ...waiting('true'),
      [by('paycert_credential_condition', isNotReady, 'p')]: always(1),
      [by('paycert_stored_deferred_until_timestamp_seconds', { bridged: 'false' }, 'p')]: always(7200),
    },
  },
];
