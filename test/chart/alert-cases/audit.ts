// When the alerts about the audit fire, and when they do not.
import { always, by, labelled, type Case } from './series.ts';

const of = (metric: string, values: string, more: object = {}, pod = 'a') => ({
  [`${metric}${labelled({ namespace: 'pay', job: 'paycert', instance: pod, pod, ...more })}`]: values,
});
const failing = (values: string, pod?: string) => of('paycert_audit_failing', values, {}, pod);
const incomplete = (values: string) => of('paycert_audit_incomplete_total', values, { reason: 'lost' });
const fires = [{ namespace: 'pay' }];
const alert = 'PaycertAuditIncomplete';

const cut = (values: string, pod = 'o') => ({
  [`paycert_fleet_audits_cut${labelled({ namespace: 'paycert-system', job: 'operator', instance: pod, pod, credential_namespace: 'pay' })}`]: values,
}); // prettier-ignore
const knows = { [by('paycert_operator_queue_length')]: always(0) };
const isCut = 'PaycertAuditCut';

export const audit: readonly Case[] = [
  { alert, title: 'fires once for all sidecars whose directory takes nothing', at: 5, fires, series: { ...failing('0 1x60'), ...failing('0 1x60', 'b') } }, // prettier-ignore
  { alert, title: 'is quiet about a disk that is back within a minute', at: 30, fires: [], series: failing('0 1x1 0x60') }, // prettier-ignore
  { alert, title: 'fires for lines that are lost, also for the first ones of a process', at: 15, fires, series: incomplete('_x9 3x60') }, // prettier-ignore
  { alert, title: 'ends half an hour after the last line that was lost', at: 60, fires: [], series: incomplete('0x9 3x80') }, // prettier-ignore
  { alert, title: 'is quiet where nothing is lost', at: 60, fires: [], series: { ...incomplete('0x80'), ...failing('0x80') } }, // prettier-ignore
  { alert: isCut, title: 'fires at once, and once for two operators, for an end that was cut off', at: 12, fires, series: { ...knows, ...cut('_x10 1x60'), ...cut('_x10 2x60', 'p') } }, // prettier-ignore
  { alert: isCut, title: 'is over when the Pods are gone', at: 60, fires: [], series: { ...knows, ...cut('1x20 _x60') } }, // prettier-ignore
  { alert: isCut, title: 'stays while no operator answers', at: 60, fires, series: { ...cut('1x30 _x60'), [by('paycert_operator_queue_length')]: '0x30 _x60' } }, // prettier-ignore
];
