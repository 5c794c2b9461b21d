// Alerts: each fires when it should, is quiet when it should, has a section in the runbook, and goes where its level says.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { parse, stringify } from 'yaml';
import { codeBlocks, sections } from '../agreement/documents.ts';
import { makeDirectory } from '../support/sidecar.ts';
import { admission as admissions } from './alert-cases/admission.ts';
import { ages } from './alert-cases/ages.ts';
import { audit } from './alert-cases/audit.ts';
import { deferral } from './alert-cases/deferral.ts';
import { expiry } from './alert-cases/expiry.ts';
import { files } from './alert-cases/files.ts';
import { fleet as fleets } from './alert-cases/fleet.ts';
import { platformCertificates } from './alert-cases/platform-certificates.ts';
import { incidents } from './alert-cases/incident.ts';
import { injections } from './alert-cases/injection.ts';
import { operations } from './alert-cases/operations.ts';
import { operators } from './alert-cases/operators.ts';
import { reloads } from './alert-cases/reloads.ts';
import { restarts } from './alert-cases/restarts.ts';
import { at, chart, lacks, type Manifest, noHelm, one, render, root, run } from './helm.ts';

const cases = [
  ...expiry,
  ...ages,
  ...audit,
  ...reloads,
  ...restarts,
  ...deferral,
  ...files,
  ...operations,
  ...operators,
  ...fleets,
  ...platformCertificates,
  ...admissions,
  ...injections,
  ...incidents,
];

interface Rule {
  readonly record?: string;
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

const rulesOf = async (options: Parameters<typeof render>[0]) => {
  const { groups } = one(await render(options), 'PrometheusRule')['spec'] as {
    groups: { name: string; rules: Rule[] }[];
  };
  return { groups, rules: groups.flatMap(({ rules }) => rules).filter(({ alert }) => alert) };
};

describe('alerts', { skip: noHelm, timeout: 900_000 }, () => {
  let groups: { name: string; rules: Rule[] }[];
  let rules: Rule[];
  let byCluster: typeof groups;
  before(async () => {
    const renderMode = 'alwaysRender';
    const features = { admission: { enabled: true }, fleet: { enabled: true }, injection: { enabled: true }, platformCertificates: { enabled: true } }; // prettier-ignore
    ({ groups, rules } = await rulesOf({ values: { ...features, prometheusRule: { renderMode } } }));
    const additionalAggregationLabels = ['cluster'];
    byCluster = (
      await rulesOf({ values: { ...features, prometheusRule: { renderMode, additionalAggregationLabels } } })
    ).groups;
  });
  const ruleOf = (name: string): Rule => rules.find(({ alert }) => alert === name)!;
  const textOf = ({ annotations }: Rule): string => `${annotations['summary']}\n${annotations['description']}`;

  describe('in promtool', { skip: lacks('promtool') }, () => {
    for (const { alert, title, isByCluster, series, at, fires } of cases) {
      it(`${alert} ${title}`, async (t) => {
        const directory = await makeDirectory(t);
        const counts = ruleOf(alert).expr.includes('ALERTS')
          ? () => true
          : (rule: Rule) => !rule.alert || rule.alert === alert;
        // What people read is compared below; promtool would want every text again.
        const silent = (isByCluster ? byCluster : groups).map(({ name, rules: all }) => ({
          name,
          rules: all.filter(counts).map(({ annotations: _, ...rule }) => rule),
        }));
        await writeFile(join(directory, 'rules.yaml'), stringify({ groups: silent }));
        const test = {
          interval: '1m',
          input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
          alert_rule_test: [
            {
              eval_time: `${at}m`,
              alertname: alert,
              exp_alerts: fires.map((labels) => ({ exp_labels: { ...ruleOf(alert).labels, ...labels } })),
            },
          ],
        };
        const path = join(directory, 'test.yaml');
        await writeFile(path, stringify({ rule_files: ['rules.yaml'], evaluation_interval: '1m', tests: [test] }));
        const { code, stdout, stderr } = await run('promtool', ['test', 'rules', path]);
        assert.equal(code, 0, stdout + stderr);
      });
    }

    it('are what promtool takes, with every override too', async (t) => {
      const directory = await makeDirectory(t);
      const overridden = await rulesOf({ files: [`${chart}/ci/monitoring-values.yaml`] });
      for (const [name, content] of Object.entries({ plain: groups, overridden: overridden.groups })) {
        const path = join(directory, `${name}.yaml`);
        await writeFile(path, stringify({ groups: content }));
        const { code, stdout, stderr } = await run('promtool', ['check', 'rules', path]);
        assert.equal(code, 0, stdout + stderr);
      }
    });
  });

  it('join and group by every label that is added', () => {
    for (const { alert, expr } of byCluster.flatMap((group) => group.rules))
      for (const [, labels = ''] of expr.matchAll(/\b(?:on|by) \(([^)]*)\)/g))
        assert.ok(labels.split(', ').includes('cluster'), `${alert}: ${expr}`);
  });

  it('are each shown to fire, and to be quiet', () => {
    for (const { alert } of rules)
      for (const isFiring of [true, false])
        assert.ok(
          cases.some((each) => each.alert === alert && each.fires.length > 0 === isFiring),
          `${alert} ${String(isFiring)}`,
        );
  });

  it('say in one text where, when, which key, and what to run first', () => {
    for (const rule of rules) {
      const text = textOf(rule);
      assert.match(text, /\{\{ \$labels\.namespace \}\}|No paycert operator/, rule.alert);
      assert.match(text, /humanizeTimestamp/, rule.alert);
      if (text.includes('$labels.credential')) assert.match(text, /key_id/, rule.alert);
      // In the namespace that is named, or in all where Pods of any may be meant.
      assert.match(text, /^First: kubectl (?:-n .+|get events -A .+)$/m, rule.alert);
      assert.doesNotMatch(
        text,
        /\$(keys|storedKeys|sinceLoaded|suspended|watches|lease|operatorNamespace|days)/,
        rule.alert,
      );
    }
  });

  it('name pods first by a label that they have', async () => {
    const operators = at(one(await render(), 'Deployment'), 'spec.template.metadata.labels') as Record<string, string>;
    const sidecars = parse(await readFile(join(root, 'deploy/sidecar/20-deployment.yaml'), 'utf8')) as Manifest;
    const labels = { ...operators, ...(at(sidecars, 'spec.template.metadata.labels') as Record<string, string>) };
    const selectors = rules.flatMap((rule) => [...textOf(rule).matchAll(/([\w./-]+)=([\w-]+)(?= |\{|$)/gm)]);
    assert.ok(selectors.length > 20);
    for (const [, label = '', value] of selectors.filter(([, name = '']) => name.includes('/')))
      assert.equal(labels[label], value, label);
  });

  it('speak of labels that they have', () => {
    // Those of rules that keep what was said last are theirs.
    const by = /by \(([^)]*)\)/;
    const kept = new Map(
      groups.flatMap((group) =>
        group.rules.flatMap(({ record, expr }) => (record ? [[record, by.exec(expr)?.[1]] as const] : [])),
      ),
    );
    for (const rule of rules) {
      const [, record = ''] = /^(paycert:[\w:]+)/.exec(rule.expr) ?? [];
      const labels = (kept.get(record) ?? by.exec(rule.expr)?.[1])?.split(', ') ?? [];
      for (const [, label = ''] of textOf(rule).matchAll(/\$labels\.(\w+)/g))
        assert.ok(labels.includes(label), `${rule.alert}: ${label} of ${String(labels)}`);
    }
  });

  it('have a section in the runbook each, under their own name, which names them', () => {
    const bodies = new Map(sections('docs/runbook.md').map(({ title, body }) => [title.toLowerCase(), body]));
    for (const { alert, annotations } of rules) {
      const [, fragment = ''] = annotations['runbook_url']!.split('#');
      assert.equal(fragment, alert.replace(/\d+d$/, '').toLowerCase());
      assert.ok(bodies.get(fragment)?.includes(`\`${alert}\``), `${fragment} does not name ${alert}`);
    }
    const named = [...bodies.keys()].filter((title) => title.startsWith('paycert')).sort();
    const alerts = [...new Set(rules.map(({ alert }) => alert.replace(/\d+d$/, '').toLowerCase()))].sort();
    assert.deepEqual(named, alerts);
  });

  it('follow the values: toggles, days, names, severities, durations, expressions, labels, annotations', async () => {
    const overridden = (await rulesOf({ files: [`${chart}/ci/monitoring-values.yaml`] })).rules as (Rule & {
      for: string;
      keep_firing_for?: string;
    })[];
    const of = (name: string) => overridden.find(({ alert }) => alert === `Prod${name}`);
    assert.equal(of('PaycertCertificateExpiring30d'), undefined);
    assert.deepEqual(of('PaycertSigningFailing')?.labels, { severity: 'wake-up', level: 'L1', team: 'payments' });
    assert.equal(of('PaycertSigningFailing')?.for, '1m');
    for (const rule of overridden) assert.equal(rule.keep_firing_for, rule.alert.startsWith('Prod') ? '5m' : undefined);
    assert.match(of('PaycertIncident')!.expr, /alertname=~"ProdPaycert\.\+",alertname!="ProdPaycertIncident"/);
    assert.equal(of('PaycertMaterialRejected')?.labels['severity'], 'page');
    assert.equal(of('PaycertLatencyHigh')?.expr, 'vector(0) > 1');
    assert.match(of('PaycertVerificationFailing')!.expr, /by \(namespace, credential, cluster\)[\s\S]*>= 500/);
    const expiring = of('PaycertCertificateExpiring21d')!;
    assert.match(expiring.expr, /< 21 \* 86400 > 0$/m);
    assert.equal(expiring.for, '2h');
    assert.match(expiring.annotations['runbook_url']!, /#paycertcertificateexpiring$/);
    for (const { annotations } of overridden)
      assert.equal(annotations['dashboard'], 'https://grafana.example.com/d/paycert');
  });

  describe('in Alertmanager', { skip: lacks('amtool') }, () => {
    const [example] = codeBlocks('docs/alerts.md').filter(({ text }) => text.includes('receivers:'));

    it('go where docs/alerts.md says, by level', async (t) => {
      const path = join(await makeDirectory(t), 'alertmanager.yml');
      await writeFile(path, example!.text);
      const checked = await run('amtool', ['check-config', path]);
      assert.equal(checked.code, 0, checked.stdout + checked.stderr);
      for (const [level, receiver] of Object.entries({ L1: 'pager', L2: 'chat', L3: 'tickets' })) {
        const { stdout } = await run('amtool', [
          'config',
          'routes',
          'test',
          `--config.file=${path}`,
          'alertname=PaycertX',
          `level=${level}`,
        ]);
        assert.equal(stdout.trim(), receiver);
      }
      const { stdout } = await run('amtool', [
        'config',
        'routes',
        'test',
        `--config.file=${path}`,
        'alertname=Other',
        'level=L1',
      ]);
      assert.equal(stdout.trim(), 'default');
    });
  });
});
