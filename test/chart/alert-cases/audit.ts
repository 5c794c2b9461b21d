// When the alert about the audit fires, and when it does not.
import { labelled, type Case } from './series.ts';

const of = (metric: string, values: string, more: object = {}, pod = 'a') => ({
  [`${metric}${labelled({ namespace: 'pay', job: 'paycert', instance: pod, pod, ...more })}`]: values,
});
const failing = (values: string, pod?: string) => of('paycert_audit_failing', values, {}, pod);
const incomplete = (values: string) => of('paycert_audit_incomplete_total', values, { reason: 'lost' });
const fires = [{ namespace: 'pay' }];
const alert = 'PaycertAuditIncomplete';

export const audit: readonly Case[] = [
  { alert, title: 'fires once for all sidecars whose directory takes nothing', at: 5, fires, series: { ...failing('0 1x60'), ...failing('0 1x60', 'b') } }, // prettier-ignore
  { alert, title: 'is quiet about a disk that is back within a minute', at: 30, fires: [], series: failing('0 1x1 0x60') }, // prettier-ignore
  { alert, title: 'fires for lines that are lost, also for the first ones of a process', at: 15, fires, series: incomplete('_x9 3x60') }, // prettier-ignore
  { alert, title: 'ends half an hour after the last line that was lost', at: 60, fires: [], series: incomplete('0x9 3x80') }, // prettier-ignore
  { alert, title: 'is quiet where nothing is lost', at: 60, fires: [], series: { ...incomplete('0x80'), ...failing('0x80') } }, // prettier-ignore
];
