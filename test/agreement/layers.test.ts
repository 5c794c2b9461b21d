// The layer rules refuse what they should: one planted violation of each, in a tree of its own.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { rootPath } from './documents.ts';

const { forbidden } = createRequire(import.meta.url)('../../.dependency-cruiser.cjs') as {
  forbidden: { name: string }[];
};

/** File → what it imports. Each breaks one rule, which the comment beside it names. */
const planted: Readonly<Record<string, { readonly imports: string; readonly breaks: string }>> = {
  'crypto/a.ts': { imports: '../providers/fine.ts', breaks: 'layer-crypto' },
  'providers/a.ts': { imports: '../store/fine.ts', breaks: 'layer-providers' },
  'system/a.ts': { imports: '../sources/fine.ts', breaks: 'layer-system' },
  'kube/a.ts': { imports: '../sources/fine.ts', breaks: 'layer-kube' },
  'origins/a.ts': { imports: '../sources/fine.ts', breaks: 'layer-origins' },
  'sources/a.ts': { imports: '../crypto/fine.ts', breaks: 'layer-sources' },
  'keys/a.ts': { imports: '../store/fine.ts', breaks: 'layer-keys' },
  'store/a.ts': { imports: '../config/fine.ts', breaks: 'layer-store' },
  'revocation/a.ts': { imports: '../store/fine.ts', breaks: 'layer-revocation' },
  'tls/a.ts': { imports: '../config/fine.ts', breaks: 'layer-tls' },
  'gateway/a.ts': { imports: '../config/fine.ts', breaks: 'layer-gateway' },
  'delivery/a.ts': { imports: '../providers/fine.ts', breaks: 'layer-delivery' },
  'otlp/a.ts': { imports: '../store/fine.ts', breaks: 'layer-otlp' },
  'audit/a.ts': { imports: '../server/fine.ts', breaks: 'layer-audit' },
  'config/a.ts': { imports: '../store/fine.ts', breaks: 'layer-config' },
  'reconcile/a.ts': { imports: '../server/fine.ts', breaks: 'layer-reconcile' },
  'running/a.ts': { imports: '../server/fine.ts', breaks: 'layer-running' },
  'operator/a.ts': { imports: '../telemetry/fine.ts', breaks: 'layer-operator' },
  'telemetry/a.ts': { imports: '../server/fine.ts', breaks: 'layer-telemetry' },
  'server/a.ts': { imports: '../telemetry/fine.ts', breaks: 'layer-server' },
  'testing/a.ts': { imports: '../crypto/fine.ts', breaks: 'layer-testing' },
  'cli/a.ts': { imports: '../index.ts', breaks: 'layer-cli' },
  'errors.ts': { imports: './crypto/fine.ts', breaks: 'ground-imports-nothing' },
  'cli/inside.ts': { imports: '../providers/one/inside.ts', breaks: 'a-platform-is-its-index' },
  'providers/two/other.ts': { imports: '../one/index.ts', breaks: 'only-the-registry-names-platforms' },
  'library.ts': { imports: './telemetry/fine.ts', breaks: 'the-library-has-no-server' },
  'crypto/forge.ts': { imports: 'node-forge', breaks: 'only-importer-node-forge' },
  'sources/watch.ts': { imports: 'chokidar', breaks: 'only-importer-chokidar' },
  'kube/index.ts': { imports: '@kubernetes/client-node', breaks: 'only-importer--kubernetes-client-node' },
  'server/claim.ts': { imports: '@redis/client', breaks: 'only-importer--redis-client' },
  'store/log.ts': { imports: 'pino', breaks: 'only-importer-pino' },
  'server/count.ts': { imports: 'prom-client', breaks: 'only-importer-prom-client' },
  'server/fetch.ts': { imports: 'undici', breaks: 'only-importer-undici' },
  'server/spell.ts': { imports: 'leven', breaks: 'only-importer-leven' },
  'keys/stamp.ts': { imports: 'aws4', breaks: 'only-importer-aws4' },
  'gateway/trip.ts': { imports: 'opossum', breaks: 'only-importer-opossum' },
  'keys/token.ts': { imports: 'pkcs11js', breaks: 'only-importer-pkcs11js' },
  'server/yaml.ts': { imports: 'yaml', breaks: 'only-importer-yaml' },
  'cli/issue.ts': { imports: '@peculiar/x509', breaks: 'only-importer--peculiar-x509' },
  'server/prove.ts': { imports: '../providers/verified.ts', breaks: 'only-a-snapshot-verifies-notifications' },
  'cli/operator.ts': { imports: '../server/reach.ts', breaks: 'the-operator-has-no-local-api' },
  'store/io.ts': { imports: 'node:fs/promises', breaks: 'no-io-in-pure-layers' },
  'sources/one.ts': { imports: './two.ts', breaks: 'no-circular' },
};

/** What every layer may do, so that nothing but the planted imports is wrong. */
const fine: Readonly<Record<string, string>> = {
  'index.ts': `export * from './store/fine.ts';`,
  'clock.ts': `export const clock = 1;`,
  'system/fine.ts': `export * from '../errors.ts';`,
  'kube/fine.ts': `export * from '../system/fine.ts';`,
  'origins/fine.ts': `export * from '../system/fine.ts';`,
  'sources/fine.ts': `export * from '../kube/fine.ts'; export * from '../origins/fine.ts';`,
  'sources/two.ts': `export * from './one.ts';`,
  'crypto/fine.ts': `export * from '../clock.ts';`,
  'providers/fine.ts': `export * from '../crypto/fine.ts';`,
  'providers/verified.ts': `export const verified = 1;`,
  'store/snapshot.ts': `export * from '../providers/verified.ts';`,
  'providers/one/inside.ts': `export * from '../shared/fine.ts';`,
  'providers/one/index.ts': `export * from './inside.ts';`,
  'providers/shared/fine.ts': `export * from '../fine.ts';`,
  'providers/registry.ts': `export * from './one/index.ts';`,
  'store/fine.ts': `export * from '../providers/fine.ts';`,
  'revocation/fine.ts': `export * from '../sources/fine.ts';`,
  'tls/fine.ts': `export * from '../revocation/fine.ts';`,
  'gateway/fine.ts': `export * from '../store/fine.ts';`,
  'delivery/fine.ts': `export * from '../system/fine.ts';`,
  'otlp/fine.ts': `export * from '../system/fine.ts';`,
  'audit/fine.ts': `export * from '../store/fine.ts'; export * from '../otlp/fine.ts';`,
  'config/fine.ts': `export * from '../providers/fine.ts';`,
  'running/fine.ts': `export * from '../config/fine.ts';`,
  'telemetry/fine.ts': `export * from '../store/fine.ts';`,
  'server/operations.ts': `export const operations = [];`,
  'server/reach.ts': `export * from './operations.ts';`,
  'server/fine.ts': `export * from '../store/fine.ts';`,
  'crypto/pkcs12.ts': `import 'node-forge';`,
  'reconcile/fine.ts': `export * from '../config/fine.ts';`,
  'cli/fine.ts': `export * from '../server/fine.ts'; import 'node:fs';`,
};

interface Violation {
  readonly from: string;
  readonly rule: { readonly name: string };
}

const directory = mkdtempSync(join(tmpdir(), 'paycert-layers-'));
after(() => rmSync(directory, { recursive: true }));

function write(name: string, text: string): void {
  const path = join(directory, 'src', name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${text}\n`);
}

function cruise(): readonly Violation[] {
  for (const [name, text] of Object.entries(fine)) write(name, text);
  for (const [name, { imports }] of Object.entries(planted)) write(name, `import '${imports}';`);
  for (const name of ['.dependency-cruiser.cjs', 'tsconfig.json', 'package.json'])
    cpSync(join(rootPath, name), join(directory, name));
  symlinkSync(join(rootPath, 'node_modules'), join(directory, 'node_modules'));
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [
      join(rootPath, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs'),
      ...['--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'src'],
    ],
    { cwd: directory, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  );
  assert.ok(stdout.startsWith('{'), stderr);
  return (JSON.parse(stdout) as { summary: { violations: Violation[] } }).summary.violations;
}

describe('the layer rules', () => {
  const violations = cruise();
  const broken = (file: string) => violations.filter(({ from }) => from === `src/${file}`).map(({ rule }) => rule.name);

  it('each have a planted violation', () => {
    const names = Object.values(planted).map(({ breaks }) => breaks);
    assert.deepEqual(names.sort(), forbidden.map(({ name }) => name).sort());
  });

  for (const [file, { imports, breaks }] of Object.entries(planted)) {
    it(`${breaks} refuses ${imports} in ${file}`, () => assert.deepEqual([...new Set(broken(file))], [breaks]));
  }

  it('refuse nothing that is allowed', () => {
    for (const file of Object.keys(fine)) {
      const rules = broken(file).filter((name) => name !== 'no-circular');
      assert.deepEqual(rules, [], file);
    }
  });
});
