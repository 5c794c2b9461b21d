// Pushes the image and the chart of a release to registries, and signs and attests them there.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { output, run } from './commands.ts';
import { attestPushed, signPushed, withSigner } from './signatures.ts';

export interface Destination {
  /** Repository of the image, such as `ghcr.io/OWNER/paycert`. */
  readonly image: string;
  /** Where charts are, such as `oci://ghcr.io/OWNER/charts`. */
  readonly charts: string;
  /** Whether the registry is one on this machine, without TLS. */
  readonly isPlainHttp: boolean;
}

interface Context extends Destination {
  readonly folder: string;
  readonly scratch: string;
  readonly version: string;
}

const archivePattern = /^paycert-image-(?<version>.+)-(?<architecture>amd64|arm64)\.oci\.tar$/;

const insecure = ({ isPlainHttp }: Destination, word: string): readonly string[] => (isPlainHttp ? [word] : []);

/** One index over the images that there are, so that every node gets its own. */
function pushImage(context: Context): { index: string; images: { reference: string; bom: string }[] } {
  const { image, version, folder, scratch } = context;
  const crane = insecure(context, '--insecure');
  const archives = readdirSync(folder).filter((name) => archivePattern.test(name));
  const images = archives.map((name) => {
    const layout = join(scratch, name);
    mkdirSync(layout);
    run('tar', ['--extract', '--file', join(folder, name), '--directory', layout]);
    const tag = `${image}:${version}-${archivePattern.exec(name)?.groups?.['architecture']}`;
    const reference = output('crane', ['push', ...crane, layout, tag]);
    return { reference, bom: join(folder, name.replace(/\.oci\.tar$/, '')) };
  });
  const manifests = images.flatMap(({ reference }) => ['--manifest', reference]);
  output('crane', ['index', 'append', ...crane, ...manifests, '--tag', `${image}:${version}`]);
  return { index: `${image}@${output('crane', ['digest', ...crane, `${image}:${version}`])}`, images };
}

function pushChart(context: Context): string {
  const { charts, folder, version } = context;
  run('helm', ['push', ...insecure(context, '--plain-http'), join(folder, `paycert-chart-${version}.tgz`), charts]);
  const repository = `${charts.replace('oci://', '')}/paycert`;
  return `${repository}@${output('crane', ['digest', ...insecure(context, '--insecure'), `${repository}:${version}`])}`;
}

/** @param folder what `npm run release` made */
export function publish(folder: string, destination: Destination, key: { key?: string; isKeyless: boolean }): void {
  const version = readdirSync(folder).flatMap((name) => archivePattern.exec(name)?.groups?.['version'] ?? [])[0];
  if (version === undefined) throw new Error(`There is no image in ${folder}: make the release first, with --dry-run.`);
  const scratch = mkdtempSync(join(tmpdir(), 'paycert-publish-'));
  try {
    const context = { ...destination, folder, scratch, version };
    const { index, images } = pushImage(context);
    const chart = pushChart(context);
    const options = insecure(destination, '--allow-http-registry');
    const { predicate } = JSON.parse(readFileSync(join(folder, 'provenance.intoto.json'), 'utf8')) as {
      predicate: object;
    };
    const provenance = join(scratch, 'predicate.json');
    writeFileSync(provenance, JSON.stringify(predicate));
    withSigner({ ...key, out: folder }, (signer) => {
      for (const reference of [index, chart]) {
        signPushed(reference, signer, options);
        attestPushed(reference, { type: 'slsaprovenance1', predicate: provenance }, signer, options);
      }
      for (const { reference, bom } of images) {
        attestPushed(reference, { type: 'cyclonedx', predicate: `${bom}.cdx.json` }, signer, options);
        attestPushed(reference, { type: 'spdxjson', predicate: `${bom}.spdx.json` }, signer, options);
      }
    });
    console.log([`image: ${index}`, `chart: ${chart}`].join('\n'));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
