// What is made from elsewhere is current: the chart's schema, README, CRDs and dashboard, and deploy/.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { parseSpec } from '../../src/config/resource.ts';
import { readValues } from '../../scripts/chart/values.ts';
import { chart, noHelm, root, run } from './helm.ts';

const read = (path: string): string => readFileSync(`${root}${path}`, 'utf8');

describe('the generated files', () => {
  it('of the chart are current', async () => {
    const { code, stderr } = await run(process.execPath, ['scripts/chart.ts', '--check']);
    assert.equal(code, 0, stderr);
  });

  it('of deploy/ are what the chart renders', { skip: noHelm, timeout: 900_000 }, async () => {
    const { code, stderr } = await run(process.execPath, ['scripts/deploy.ts', '--check']);
    assert.equal(code, 0, stderr);
  });
});

describe('the chart', () => {
  it('has the version of the package', () => {
    const { version } = JSON.parse(read('package.json')) as { version: string };
    const about = parse(read(`${chart}/Chart.yaml`)) as { version: string; appVersion: string };
    assert.deepEqual([about.version, about.appVersion], [version, version]);
  });

  it('tells Artifact Hub of the definition that it has, with an example that is valid', () => {
    const { annotations } = parse(read(`${chart}/Chart.yaml`)) as { annotations: Record<string, string> };
    const [crd] = parse(annotations['artifacthub.io/crds'] ?? '') as [Record<string, string>];
    const { metadata, spec } = parse(read(`deploy/crds/${crd['name']}.yaml`)) as {
      metadata: { name: string };
      spec: { names: { kind: string }; versions: { name: string }[] };
    };
    assert.deepEqual(
      [crd['name'], crd['kind'], crd['version']],
      [metadata.name, spec.names.kind, spec.versions[0]?.name],
    );
    const [example] = parse(annotations['artifacthub.io/crdsExamples'] ?? '') as [{ spec: unknown }];
    assert.ok(parseSpec(example.spec));
  });

  it('has an icon that is in this repository, maintainers, and links and changes that parse', () => {
    const about = parse(read(`${chart}/Chart.yaml`)) as {
      icon: string;
      maintainers: { name: string; url: string }[];
      annotations: Record<string, string>;
    };
    const [, path = ''] =
      /^https:\/\/raw\.githubusercontent\.com\/paycert\/paycert\/main\/(.+)$/.exec(about.icon) ?? [];
    assert.match(read(path), /^<svg /);
    for (const { url } of about.maintainers) assert.ok(read(url.split('/blob/main/')[1]!));
    const list = (name: string) => parse(about.annotations[`artifacthub.io/${name}`] ?? '') as Record<string, string>[];
    for (const { name, url = '' } of list('links'))
      assert.ok(read(url.replace(/#.*$/, '').split('/blob/main/')[1]!), name);
    for (const { kind = '' } of list('changes'))
      assert.match(kind, /^(added|changed|deprecated|removed|fixed|security)$/);
    for (const unknown of ['images', 'signKey'])
      assert.equal(about.annotations[`artifacthub.io/${unknown}`], undefined);
  });

  it('says what every value means, in a whole sentence', () => {
    const values = readValues(read(`${chart}/values.yaml`));
    assert.ok(values.length > 100);
    for (const { path, text } of values) assert.match(text, /^[A-Z`…].*[.:`)]$/, path);
  });
});
