// Bills of materials of the package and the image, in both formats, with the ids and the time that follow from the release.
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { output, run, sha256 } from './commands.ts';
import { names, type Plan } from './plan.ts';

/** What the tools make up for every run. */
interface Bom {
  serialNumber?: string;
  metadata?: { timestamp?: string; component?: { name?: string } };
  documentNamespace?: string;
  creationInfo?: { created?: string };
}

/** A UUID of version 8: of what is described, so that the same has the same. */
function idOf(...parts: readonly string[]): string {
  const hex = createHash('sha256').update(parts.join('\n')).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** The same from every clone: npm and syft write an id of the run, the time of day and the name of the folder. */
function fix(bom: Bom, name: string, id: string, epoch: number): Bom {
  const time = new Date(epoch * 1000).toISOString().replace('.000', '');
  if (bom.serialNumber !== undefined) bom.serialNumber = `urn:uuid:${id}`;
  if (bom.metadata !== undefined) {
    bom.metadata.timestamp = time;
    if (bom.metadata.component !== undefined) bom.metadata.component.name = name;
  }
  if (bom.documentNamespace !== undefined) bom.documentNamespace = `https://spdx.org/spdxdocs/${name}-${id}`;
  if (bom.creationInfo !== undefined) bom.creationInfo.created = time;
  return bom;
}

function write(plan: Plan, subject: string, suffix: string, text: string): void {
  const file = join(plan.out, subject);
  const archive = subject.startsWith('paycert-image-') ? `${file}.oci.tar` : `${file}.tgz`;
  const name = subject.startsWith('paycert-image-') ? 'paycert-image' : 'paycert';
  const bom = fix(JSON.parse(text) as Bom, name, idOf(subject, suffix, sha256(archive)), plan.epoch);
  writeFileSync(`${file}.${suffix}.json`, `${JSON.stringify(bom, undefined, 2)}\n`);
}

type PackageFile = Record<string, unknown>;

/** A folder that has the package without what only its developers install: npm's own `--omit=dev` leaves out what both need. */
function withoutDevelopment(folder: string): void {
  const strip = ({ devDependencies: _1, peerDependencies: _2, peerDependenciesMeta: _3, ...file }: PackageFile) => file;
  const read = (name: string) => JSON.parse(readFileSync(name, 'utf8')) as PackageFile;
  const lock = read('package-lock.json') as { packages: Record<string, PackageFile> };
  const packages = { ...lock.packages, '': strip(lock.packages[''] ?? {}) };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(strip(read('package.json'))));
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ ...lock, packages }));
}

/** The package and all that it brings, with the digests of the lock file. */
export function describePackage(plan: Plan): void {
  const folder = mkdtempSync(join(tmpdir(), 'paycert-bom-'));
  try {
    withoutDevelopment(folder);
    for (const [format, suffix] of Object.entries({ cyclonedx: 'cdx', spdx: 'spdx' })) {
      const words = ['sbom', '--package-lock-only', '--sbom-format', format];
      write(plan, names(plan).package, suffix, output('npm', words, { cwd: folder }));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Node, Debian's packages by their records, and the npm packages in the bundle by the document beside it. */
export function describeImage(plan: Plan): void {
  const { image } = names(plan);
  const folder = mkdtempSync(join(tmpdir(), 'paycert-bom-'));
  try {
    const suffixes = { 'cyclonedx-json': 'cdx', 'spdx-json': 'spdx' };
    const outputs = Object.entries(suffixes).flatMap(([format, suffix]) => [
      '--output',
      `${format}=${join(folder, suffix)}`,
    ]);
    const about = ['--source-name', 'paycert-image', '--source-version', plan.version];
    const scan = [
      'scan',
      `oci-archive:${join(plan.out, `${image}.oci.tar`)}`,
      '--select-catalogers',
      '+sbom-cataloger',
    ];
    run('syft', [...scan, ...about, ...outputs, '--quiet'], { env: { SYFT_CHECK_FOR_APP_UPDATE: 'false' } });
    for (const suffix of Object.values(suffixes))
      write(plan, image, suffix, readFileSync(join(folder, suffix), 'utf8'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
