// Pushes the image and the chart of a release to registries, and signs and attests them there.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { output, run } from './commands.ts';
import { attestPushed, signPushed, type SigningKey, withSigner } from './signatures.ts';

export interface Destination {
  /** Repository of the image, such as `ghcr.io/OWNER/paycert`. */
  readonly image: string;
  /** Where charts are, such as `ghcr.io/OWNER/charts`. */
  readonly charts: string;
  /** Whether helm speaks HTTP without TLS to it. crane and cosign do so by themselves with a registry on this machine. */
  readonly isPlainHttp: boolean;
}

interface Release extends Destination {
  readonly folder: string;
  readonly version: string;
}

const archivePattern = /^paycert-image-(?<version>.+)-(?<architecture>amd64|arm64)\.oci\.tar$/;

interface Image {
  readonly reference: string;
  /** Path of its bills of materials, without suffix. */
  readonly bom: string;
}

/** One index over the images that there are, so that every node gets its own. */
function pushImages({ image, version, folder }: Release, scratch: string): { index: string; images: Image[] } {
  const archives = readdirSync(folder).filter((name) => archivePattern.test(name));
  const images = archives.map((name) => {
    const layout = join(scratch, name);
    mkdirSync(layout);
    run('tar', ['--extract', '--file', join(folder, name), '--directory', layout]);
    const tag = `${image}:${version}-${archivePattern.exec(name)?.groups?.['architecture']}`;
    const reference = output('crane', ['push', layout, tag]);
    return { reference, bom: join(folder, name.replace(/\.oci\.tar$/, '')) };
  });
  const manifests = images.flatMap(({ reference }) => ['--manifest', reference]);
  output('crane', ['index', 'append', ...manifests, '--tag', `${image}:${version}`]);
  return { index: `${image}@${output('crane', ['digest', `${image}:${version}`])}`, images };
}

function pushChart({ charts, version, folder, isPlainHttp }: Release): string {
  const archive = join(folder, `paycert-chart-${version}.tgz`);
  output('helm', ['push', ...(isPlainHttp ? ['--plain-http'] : []), archive, `oci://${charts}`]);
  return `${charts}/paycert@${output('crane', ['digest', `${charts}/paycert:${version}`])}`;
}

function pushAll(release: Release, scratch: string, key: SigningKey): void {
  const { index, images } = pushImages(release, scratch);
  const chart = pushChart(release);
  const statement = readFileSync(join(release.folder, 'provenance.intoto.json'), 'utf8');
  const predicate = join(scratch, 'predicate.json');
  writeFileSync(predicate, JSON.stringify((JSON.parse(statement) as { predicate: object }).predicate));
  withSigner(key, release.folder, (signer) => {
    for (const reference of [index, chart]) {
      signPushed(reference, signer);
      attestPushed(reference, { type: 'slsaprovenance1', predicate }, signer);
    }
    for (const { reference, bom } of images) {
      attestPushed(reference, { type: 'cyclonedx', predicate: `${bom}.cdx.json` }, signer);
      attestPushed(reference, { type: 'spdxjson', predicate: `${bom}.spdx.json` }, signer);
    }
  });
  console.log(`image: ${index}\nchart: ${chart}`);
}

/** @param folder what `npm run release -- --dry-run` made. @throws Error */
export function publish(folder: string, destination: Destination, key: SigningKey): void {
  if (key.key === undefined && !key.isKeyless) throw new Error('Say who signs: --keyless, or --key FILE.');
  const version = readdirSync(folder).flatMap((name) => archivePattern.exec(name)?.groups?.['version'] ?? [])[0];
  if (version === undefined) throw new Error(`There is no image in ${folder}: make the release first, with --dry-run.`);
  const scratch = mkdtempSync(join(tmpdir(), 'paycert-publish-'));
  try {
    pushAll({ ...destination, folder, version }, scratch, key);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
