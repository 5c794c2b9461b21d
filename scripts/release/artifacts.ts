// Packs what a release publishes: the npm package, the chart, the image. Each the same to the byte from the same commit and base.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { output, run } from './commands.ts';
import { compressLayers } from './layers.ts';
import { names, type Plan } from './plan.ts';

/** npm gives every file of a package one time of its own. */
export function packPackage(plan: Plan): void {
  const [packed] = JSON.parse(output('npm', ['pack', '--json', '--pack-destination', plan.out])) as [
    { filename: string },
  ];
  renameSync(join(plan.out, packed.filename), join(plan.out, `${names(plan).package}.tgz`));
}

/** As `helm package`, which writes the time of day into it: the files of the commit with the time of the commit, but those of .helmignore. */
export function packChart(plan: Plan): void {
  const path = join(plan.out, `${names(plan).chart}.tgz`);
  const words = [
    '-C',
    'charts/paycert',
    'archive',
    '--format=tar',
    '--prefix=paycert/',
    plan.commit,
    '.',
    ':(exclude)ci',
  ];
  writeFileSync(path, gzipSync(execFileSync('git', words, { maxBuffer: 1 << 26 }), { level: 9 }));
  run('helm', ['lint', '--quiet', path]);
}

function labels({ version, commit, epoch, base, repository }: Plan): Readonly<Record<string, string>> {
  const [name = '', digest = ''] = base.split('@');
  return {
    version,
    revision: commit,
    created: new Date(epoch * 1000).toISOString(),
    'base.name': name,
    'base.digest': digest,
    ...(repository !== undefined && { source: repository }),
  };
}

/** GNU tar's options for the same bytes from the same files. */
const sameBytes = (epoch: number): readonly string[] => [
  '--sort=name',
  `--mtime=@${epoch}`,
  '--owner=0',
  '--group=0',
  '--numeric-owner',
  '--mode=u=rwX,go=rX',
  '--format=ustar',
];

/** For the architecture of this machine, as an OCI archive. */
export function packImage(plan: Plan): void {
  const tag = `localhost/paycert:release-${plan.commit.slice(0, 12)}-${process.pid}`;
  const folder = mkdtempSync(join(tmpdir(), 'paycert-release-'));
  try {
    // In the configuration, where `docker inspect` shows it, and in the manifest, where registries do.
    const described = Object.entries(labels(plan)).flatMap(([name, value]) =>
      ['--label', '--annotation'].map((option) => `${option}=org.opencontainers.image.${name}=${value}`),
    );
    // The history names images that buildah made in between, by names that depend on what else is built.
    const same = [
      '--format=oci',
      '--omit-history',
      '--layers',
      '--no-cache',
      `--timestamp=${plan.epoch}`,
      '--identity-label=false',
    ];
    const from = ['--build-arg', `BASE=${plan.base}`, '--tag', tag, ...described];
    run('buildah', ['build', ...same, ...from, ...plan.buildOptions, '.']);
    const layout = join(folder, 'layout');
    run('buildah', ['push', '--quiet', '--disable-compression', tag, `oci:${layout}:${plan.version}`]);
    compressLayers(layout);
    const archive = resolve(plan.out, `${names(plan).image}.oci.tar`);
    run('tar', ['--create', '--file', archive, ...sameBytes(plan.epoch), 'blobs', 'index.json', 'oci-layout'], {
      cwd: layout,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
