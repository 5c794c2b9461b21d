// What a bundle was made of, as a CycloneDX document: the packages whose code is inside, which no scanner could see there.
import { readFileSync } from 'node:fs';
import type { Metafile } from 'esbuild';

const folderOf = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/;

interface PackageFile {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
}

/** Whose code is in what esbuild wrote, by name. */
function bundledPackages(builds: readonly Metafile[]): readonly PackageFile[] {
  const inputs = builds.flatMap(({ outputs }) =>
    Object.values(outputs).flatMap((output) => Object.entries(output.inputs)),
  );
  const paths = inputs.flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : []));
  const folders = new Set(paths.flatMap((path) => folderOf.exec(path)?.[0] ?? []));
  const packages = new Map<string, PackageFile>();
  for (const folder of folders) {
    const { name, version, license } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) as PackageFile;
    packages.set(`${name}@${version}`, { name, version, ...(typeof license === 'string' && { license }) });
  }
  return [...packages.values()].sort((a, b) => (`${a.name}@${a.version}` < `${b.name}@${b.version}` ? -1 : 1));
}

const licenseOf = (license: string): object =>
  /^[\w.+-]+$/.test(license) ? { license: { id: license } } : { expression: license };

/** Without serial number and time: the same bundle has the same document. */
export function bundleBom(own: PackageFile, builds: readonly Metafile[]): string {
  const component = (type: string) => (one: PackageFile) => {
    const purl = `pkg:npm/${one.name.replace('@', '%40')}@${one.version}`;
    const licenses = one.license === undefined ? [] : [licenseOf(one.license)];
    return { type, 'bom-ref': purl, name: one.name, version: one.version, licenses, purl };
  };
  const document = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    components: [component('application')(own), ...bundledPackages(builds).map(component('library'))],
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
