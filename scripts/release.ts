// npm run release: makes everything that a release consists of, in release/; with --publish, pushes it. RELEASING.md has the whole way.
import { copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packChart, packImage, packPackage } from './release/artifacts.ts';
import { describeImage, describePackage } from './release/boms.ts';
import { run, sha256 } from './release/commands.ts';
import { planRelease, type Plan } from './release/plan.ts';
import { provenanceOf } from './release/provenance.ts';
import { publish } from './release/publish.ts';
import { signFiles, withSigner } from './release/signatures.ts';

const { values } = parseArgs({
  options: {
    'dry-run': { type: 'boolean', default: false },
    base: { type: 'string', default: '' },
    out: { type: 'string', default: 'release' },
    repository: { type: 'string' },
    builder: { type: 'string', default: 'https://github.com/paycert/paycert/blob/main/RELEASING.md#the-rehearsal' },
    add: { type: 'string', multiple: true, default: [] },
    'build-option': { type: 'string', multiple: true, default: [] },
    publish: { type: 'string' },
    charts: { type: 'string', default: '' },
    'plain-http': { type: 'boolean', default: false },
    key: { type: 'string' },
    keyless: { type: 'boolean', default: false },
  },
});
const key = { ...(values.key !== undefined && { key: values.key }), isKeyless: values.keyless };

function writeSums(folder: string): void {
  const lines = readdirSync(folder)
    .sort()
    .map((name) => `${sha256(join(folder, name))}  ${name}\n`);
  writeFileSync(join(folder, 'SHA256SUMS'), lines.join(''));
}

function make(plan: Plan): void {
  rmSync(plan.out, { recursive: true, force: true });
  mkdirSync(plan.out, { recursive: true });
  const step = (what: string): void => console.log(`== ${what}`);
  step('the npm package');
  packPackage(plan);
  step('the chart');
  packChart(plan);
  step('the image');
  packImage(plan);
  step('bills of materials');
  describePackage(plan);
  describeImage(plan);
  step('provenance and checksums');
  // Images of other architectures, made on their machines.
  for (const folder of values.add)
    for (const name of readdirSync(folder)) copyFileSync(join(folder, name), join(plan.out, name));
  writeFileSync(join(plan.out, 'provenance.intoto.json'), provenanceOf(plan, values.builder));
  writeSums(plan.out);
  step('signatures');
  withSigner(key, plan.out, (signer) => signFiles(plan.out, signer));
  run('ls', ['-l', plan.out]);
}

try {
  if (values.publish !== undefined)
    publish(values.out, { image: values.publish, charts: values.charts, isPlainHttp: values['plain-http'] }, key);
  else if (values['dry-run'])
    make(planRelease({ ...values, repository: values.repository, buildOptions: values['build-option'] }));
  else
    throw new Error(
      'Say --dry-run, which makes release/ and publishes nothing, or --publish IMAGE --charts oci://…, which pushes it (RELEASING.md).',
    );
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
