// The Grafana dashboard, made of its queries.
import type { Panel } from './panel.ts';
import { choices, marks, panels } from './queries.ts';

const datasource = { type: 'prometheus', uid: '${datasource}' } as const;

const days = {
  mode: 'absolute',
  steps: [
    { color: 'red', value: null },
    { color: 'orange', value: 7 },
    { color: 'yellow', value: 30 },
    { color: 'green', value: 60 },
  ],
};
const none = {
  mode: 'absolute',
  steps: [
    { color: 'green', value: null },
    { color: 'red', value: 1 },
  ],
};

function panel(
  { title, text, kind, unit = 'short', width, height, queries, from }: Panel,
  index: number,
  x: number,
  y: number,
): object {
  const isInstant = kind !== 'timeseries';
  const isColoured = isInstant && (unit === 'd' || from === 'sidecar');
  return {
    id: index + 1,
    title,
    description: text,
    type: kind,
    datasource,
    gridPos: { x, y, w: width, h: height },
    targets: queries.map(({ expr, legend }, position) => ({
      refId: String.fromCharCode(65 + position),
      datasource,
      expr,
      ...(legend !== '' && { legendFormat: legend }),
      instant: isInstant,
      range: !isInstant,
      ...(kind === 'table' && { format: 'table' }),
    })),
    fieldConfig: {
      defaults: {
        unit,
        decimals: unit === 'd' ? 1 : undefined,
        ...(isColoured && { thresholds: unit === 'd' ? days : none }),
      },
      overrides: [],
    },
    ...(kind === 'table' && {
      transformations: [
        { id: 'organize', options: { excludeByName: { Time: true }, renameByName: { Value: 'days left' } } },
        { id: 'sortBy', options: { sort: [{ field: 'days left' }] } },
      ],
    }),
  };
}

/** Left to right, and on to the next line when one is full. */
function layOut(): object[] {
  let [x, y, lineHeight] = [0, 0, 0];
  return panels.map((each, index) => {
    if (x + each.width > 24) [x, y, lineHeight] = [0, y + lineHeight, 0];
    const made = panel(each, index, x, y);
    x += each.width;
    lineHeight = Math.max(lineHeight, each.height);
    return made;
  });
}

/** `useValueForTime`: the value is the time of the mark; the same time at many steps is one mark. */
const mark = (name: string, iconColor: string, expr: string, titleFormat: string, useValueForTime: boolean) => ({
  name,
  datasource,
  enable: true,
  iconColor,
  expr,
  titleFormat,
  step: '1m',
  useValueForTime,
});

const choice = (name: string, query: string) => ({
  name,
  type: 'query',
  datasource,
  query: { query, refId: name },
  refresh: 2,
  multi: true,
  includeAll: true,
  allValue: '.*',
  current: { text: 'All', value: '$__all' },
});

export const dashboard = {
  uid: 'paycert',
  title: 'paycert',
  description: 'Payment keys: what is in memory in sidecars, and what is stored in the cluster.',
  tags: ['paycert', 'payments'],
  schemaVersion: 39,
  editable: true,
  refresh: '1m',
  time: { from: 'now-24h', to: 'now' },
  timezone: 'browser',
  annotations: {
    list: [
      mark('Swaps', 'blue', marks.swaps, '{{namespace}}/{{credential}}: new material is current', true),
      mark('Rejections', 'red', marks.rejections, '{{namespace}}/{{credential}}: {{reason}}', false),
    ],
  },
  templating: {
    list: [
      { name: 'datasource', type: 'datasource', query: 'prometheus', label: 'Prometheus' },
      choice('namespace', choices.namespace),
      choice('credential', choices.credential),
    ],
  },
  panels: layOut(),
};
