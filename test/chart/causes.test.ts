// Every alert that the chart renders, through an incident of its own: it fires in time, lasts as long as its cause, and resolves.
import assert from 'node:assert/strict';
import { before, describe, it, type TestContext } from 'node:test';
import { begins, type Cause, during, how, minute, ofOperator, over } from './causes/cause.ts';
import { material } from './causes/material.ts';
import { processes } from './causes/processes.ts';
import { at, lacks, noHelm, one, render } from './helm.ts';
import { type Firing, replay, type Series, spansOf } from './incident.ts';

const causes: Readonly<Record<string, Cause>> = { ...material, ...processes };

/** An operator leads, since most incidents are not about it. */
const operator = {
  [ofOperator('paycert_operator_queue_length')]: during(0, 0),
  [ofOperator('paycert_leading')]: during(1, 1),
};

/** All incidents at once, each in a cluster of its own; but for the absence of any operator, in any cluster. */
const everywhere = 'PaycertOperatorAbsent';
const inCluster = (cluster: string, series: Series): Series =>
  Object.fromEntries(
    Object.entries({ ...operator, ...series }).map(([name, values]) => [
      name.replace('{', `{cluster="${cluster}",`),
      values,
    ]),
  );

interface RuleGroup {
  readonly name: string;
  readonly rules: readonly { readonly alert?: string }[];
}

describe('alerts last as long as their cause', { skip: noHelm || lacks('promtool'), timeout: 900_000 }, () => {
  let groups: readonly RuleGroup[];
  let replayed: Promise<Firing[]> | undefined;
  before(async () => {
    const values = {
      admission: { enabled: true },
      fleet: { enabled: true },
      injection: { enabled: true },
      platformCertificates: { enabled: true },
      prometheusRule: { renderMode: 'alwaysRender', additionalAggregationLabels: ['cluster'] },
    };
    groups = at(one(await render({ values }), 'PrometheusRule'), 'spec.groups') as RuleGroup[];
  });
  const play = async (t: TestContext, alert: string): Promise<readonly Firing[]> => {
    if (alert === everywhere) return replay(t, groups, causes[alert]!.series, how);
    const clusters = Object.entries(causes).filter(([name]) => name !== everywhere);
    const series = clusters.map(([cluster, cause]) => inCluster(cluster, cause.series));
    replayed ??= replay(t, groups, Object.assign({}, ...series) as Series, how);
    return (await replayed).filter(({ labels }) => labels['cluster'] === alert);
  };

  it('each alert of the chart has an incident of ninety minutes', () => {
    const rendered = groups.flatMap(({ rules }) => rules.flatMap(({ alert }) => alert ?? []));
    assert.deepEqual(Object.keys(causes).sort(), rendered.sort());
    assert.ok(over - begins >= 90 * minute);
  });

  for (const [alert, { labels, within, after }] of Object.entries(causes))
    it(`${alert} begins in time, lasts without a break, and resolves`, async (t) => {
      const spans = spansOf(await play(t, alert), alert, labels);
      t.diagnostic(`minutes ${JSON.stringify(spans)} of a cause of ${begins / minute} to ${over / minute}`);
      assert.equal(spans.length, 1, JSON.stringify(spans));
      const [[first, last]] = spans as [[number, number]];
      assert.ok(first * minute >= begins && first * minute <= begins + within * minute, `it begins in minute ${first}`);
      assert.ok(last * minute >= over - minute, `it is resolved in minute ${last + 1}, before its cause`);
      assert.ok(last * minute <= over + after * minute, `it is resolved in minute ${last + 1}`);
    });
});
