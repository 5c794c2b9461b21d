// Series as promtool writes them: of sidecars, and of the operator.

export interface Case {
  readonly alert: string;
  readonly title: string;
  /** Whether `prometheusRule.additionalAggregationLabels` names `cluster`. */
  readonly isByCluster?: true;
  readonly series: Readonly<Record<string, string>>;
  /** Minutes from the first sample. */
  readonly at: number;
  /** Labels of each alert that fires, but for level and severity. */
  readonly fires: readonly Readonly<Record<string, string>>[];
}

export const day = 86_400;
export const pay = { namespace: 'pay', credential: 'wechat-main' } as const;
/** What an alert about what is stored says, as one about a sidecar does. */
export const stored = { ...pay, kind: 'PaymentCredential' } as const;

export const labelled = (all: object): string =>
  `{${Object.entries(all)
    .map(([name, value]) => `${name}="${String(value)}"`)
    .join(',')}}`;
/** A series of a sidecar. */
export const of = (metric: string, more: object = {}, pod = 'a'): string =>
  `${metric}${labelled({ ...pay, job: 'paycert', instance: pod, pod, ...more })}`;
const ofOperator = {
  credential_namespace: 'pay',
  kind: 'PaymentCredential',
  credential: 'wechat-main',
  job: 'operator',
  namespace: 'paycert-system',
};
/** A series of the operator. */
export const by = (metric: string, more: object = {}, pod = 'o'): string =>
  `${metric}${labelled({ ...ofOperator, instance: pod, pod, ...more })}`;

export const merchant = { role: 'merchant' };
export const always = (value: number): string => `${value}x200`;
