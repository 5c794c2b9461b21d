// A release as RELEASING.md makes it and as SECURITY.md has a user verify it, in a registry of this machine. Not part of `npm test`: it takes minutes.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cp, mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { must, noRehearsal, Rehearsal, root, say } from './rehearsal.ts';

const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

/** What the image may hold beside time zones. */
const wanted = [
  /^usr\/local\/bin\/(node|paycert)$/,
  /^lib(64)?\/([^/]+\/)?(lib(c|m|dl|pthread|atomic|resolv|nss_dns|nss_files|stdc\+\+|gcc_s)|ld-linux[^/]*)\.so\.\d+$/,
  /^etc\/(passwd|group|nsswitch\.conf|ssl\/certs\/ca-certificates\.crt)$/,
  /^var\/lib\/dpkg\/status\.d\/[a-z0-9.+-]+$/,
  /^paycert\/(LICENSE|package\.json|bom\.cdx\.json|dist\/cli\/(main|token-process)\.js(\.LEGAL\.txt)?)$/,
  /^paycert\/node_modules\/(@kubernetes\/client-node|@redis\/client|aws4|undici)\/(package\.json|index\.js(\.LEGAL\.txt)?)$/,
  /^paycert\/compile-cache\/v[^/]+\/[0-9a-f]+$/,
];

interface Manifest {
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly digest: string; readonly size: number }[];
}

/** The lines of the fenced block after the heading, with values of the test instead of the first lines' own. */
async function documented(heading: string): Promise<string> {
  const text = await readFile(join(root, 'SECURITY.md'), 'utf8');
  const block = text.split(`### ${heading}\n`)[1]?.split('```sh\n')[1]?.split('```')[0];
  assert.ok(block, heading);
  return block;
}

describe('a release', { skip: noRehearsal, timeout: 3_600_000 }, () => {
  const plane = useControlPlane();
  let rehearsal: Rehearsal;
  const opened = new AsyncDisposableStack();
  let layout = '';

  before(async () => {
    rehearsal = opened.use(await Rehearsal.start());
    layout = join(rehearsal.folder, 'layout');
    await mkdir(layout);
    await must('tar', ['-xf', join(rehearsal.release, `paycert-image-${version}-amd64.oci.tar`), '-C', layout]);
  });
  after(() => opened.disposeAsync());

  const blob = (digest: string): string => join(layout, 'blobs/sha256', digest.replace('sha256:', ''));
  const read = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));
  const manifestDigest = (): string =>
    (read(join(layout, 'index.json')) as { manifests: [{ digest: string }] }).manifests[0].digest;

  /** Documented lines, as somebody who has the key runs them, in the folder of the release. */
  async function verify(heading: string, folder = rehearsal.release) {
    const host = rehearsal.registry;
    const by = ['set -- --key cosign.pub --insecure-ignore-tlog', `version=${version}`];
    const where = [`image=${host}/paycert/paycert`, `charts=${host}/paycert/charts`];
    const block = (await documented(heading)).replaceAll('helm pull', 'helm pull --plain-http');
    return say('sh', ['-euc', [...by, ...where, block].join('\n')], folder);
  }

  it('is the same to the byte from two clones, but for signatures', () => {
    const contents = (clone: string) => {
      const folder = join(rehearsal.folder, clone, 'release');
      const files = readdirSync(folder).filter((name) => !name.endsWith('.sigstore.json'));
      return Object.fromEntries(files.map((name) => [name, sha256(join(folder, name))]));
    };
    const first = contents('first');
    assert.deepEqual(contents('second'), first);
    assert.deepEqual(Object.keys(first).sort(), [
      'SHA256SUMS',
      'cosign.pub',
      `paycert-${version}.cdx.json`,
      `paycert-${version}.spdx.json`,
      `paycert-${version}.tgz`,
      `paycert-chart-${version}.tgz`,
      `paycert-image-${version}-amd64.cdx.json`,
      `paycert-image-${version}-amd64.oci.tar`,
      `paycert-image-${version}-amd64.spdx.json`,
      'provenance.intoto.json',
    ]);
  });

  it('is refused from a base that a tag names, and from a clone with changes', async () => {
    const clone = join(rehearsal.folder, 'second');
    const tagged = await say('npm', ['run', '--silent', 'release', '--', '--dry-run', '--base', 'node:24-slim'], clone);
    assert.equal(tagged.code, 1);
    assert.match(tagged.stderr, /"node:24-slim" is a tag.*--base .*@sha256:/s);
    writeFileSync(join(clone, 'README.md'), 'changed');
    const changed = await say('npm', rehearsal.words('--dry-run'), clone);
    assert.equal(changed.code, 1);
    assert.match(changed.stderr, /changes that are not committed/);
  });

  it('has an image of Node, its libraries, certificates, time zones, the bundle and what is beside it, and nothing else', async (t) => {
    const { layers } = read(blob(manifestDigest())) as Manifest;
    const lists = await Promise.all(layers.map(({ digest }) => must('tar', ['-tzvf', blob(digest)])));
    const entries = lists.join('').trimEnd().split('\n');
    const files = entries.filter((line) => !line.startsWith('d')).map((line) => line.split(/\s+/)[5] ?? '');
    const others = files.filter((name) => !/^usr\/share\/zoneinfo\/(?!right\/|posix\/)/.test(name));
    assert.deepEqual(
      others.filter((name) => !wanted.some((pattern) => pattern.test(name))),
      [],
    );
    // What is no link belongs to root, and only the sticky /tmp may be written to by others.
    const writable = entries.filter((line) => !/^(l|[dh-]...[r-]-[x-][r-]-[x-] 0\/0 )/.test(line));
    assert.deepEqual(
      writable.filter((line) => !/^drwxrwxrwt .* tmp\/$/.test(line)),
      [],
    );
    const compressed = layers.reduce((sum, { size }) => sum + size, 0);
    const unpacked = entries.reduce((sum, line) => sum + Number(line.split(/\s+/)[2]), 0);
    const said = `${Math.round(compressed / 1e6)} MB compressed, ${Math.round(unpacked / 1e6)} MB unpacked, ${files.length} files, ${others.length} beside time zones`;
    t.diagnostic(said);
    assert.ok(compressed < 60e6 && unpacked < 150e6 && files.length < 1500 && others.length < 40, said);
    const { config } = read(blob((read(blob(manifestDigest())) as Manifest).config.digest)) as {
      config: { User: string; Labels: Record<string, string> };
    };
    assert.equal(config.User, '65532:65532');
    assert.equal(config.Labels['org.opencontainers.image.base.digest'], rehearsal.base.split('@')[1]);
  });

  it('names in its bills of materials Node, Debian’s packages and every npm package of the bundle', async () => {
    const prefix = join(rehearsal.release, `paycert-image-${version}-amd64`);
    const { components } = read(`${prefix}.cdx.json`) as { components: { name: string; version?: string }[] };
    const { packages } = read(`${prefix}.spdx.json`) as { packages: { name: string; versionInfo?: string }[] };
    const { layers } = read(blob(manifestDigest())) as Manifest;
    const bundle = await must('tar', ['-xzOf', blob(layers[1]!.digest), 'paycert/bom.cdx.json']);
    const bundled = (JSON.parse(bundle) as { components: { name: string; version: string }[] }).components;
    assert.ok(bundled.length > 20);
    for (const names of [
      new Set(components.map((one) => `${one.name}@${one.version}`)),
      new Set(packages.map((one) => `${one.name}@${one.versionInfo}`)),
    ]) {
      assert.deepEqual(
        bundled.map((one) => `${one.name}@${one.version}`).filter((name) => !names.has(name)),
        [],
      );
      for (const debian of ['libc6', 'libstdc++6', 'ca-certificates', 'tzdata'])
        assert.ok(
          [...names].some((name) => name.startsWith(`${debian}@`)),
          debian,
        );
      assert.ok([...names].some((name) => /^node@24\./.test(name)));
    }
    const own = read(join(rehearsal.release, `paycert-${version}.cdx.json`)) as { components: { name: string }[] };
    const { dependencies } = read(join(root, 'package.json')) as { dependencies: Record<string, string> };
    const listed = new Set(own.components.map(({ name }) => name));
    assert.deepEqual(
      Object.keys(dependencies).filter((name) => !listed.has(name)),
      [],
    );
  });

  it('has a provenance that names every file, the commit, the base and the lock file', async () => {
    const { predicateType, subject, predicate } = read(join(rehearsal.release, 'provenance.intoto.json')) as {
      predicateType: string;
      subject: { name: string; digest: { sha256: string } }[];
      predicate: { buildDefinition: { resolvedDependencies: { digest: object }[] } };
    };
    assert.equal(predicateType, 'https://slsa.dev/provenance/v1');
    const sums = (await readFile(join(rehearsal.release, 'SHA256SUMS'), 'utf8')).trimEnd().split('\n');
    const named = new Map(subject.map(({ name, digest }) => [name, digest.sha256]));
    assert.equal(named.get(`paycert-image-${version}-amd64`), manifestDigest().replace('sha256:', ''));
    for (const line of sums.filter((line) => !line.endsWith('provenance.intoto.json')))
      assert.equal(named.get(line.split('  ')[1]!), line.split('  ')[0]);
    assert.deepEqual(
      predicate.buildDefinition.resolvedDependencies.map(({ digest }) => digest),
      [
        { gitCommit: (await must('git', ['rev-parse', 'HEAD'], join(rehearsal.folder, 'first'))).trim() },
        { sha256: rehearsal.base.split('@sha256:')[1] },
        { sha256: sha256(join(rehearsal.folder, 'first/package-lock.json')) },
      ],
    );
  });

  it('is verified by a user with the documented commands: its files, and what is in the registry', async () => {
    for (const heading of ['Files', 'Image and chart']) {
      const { code, stdout, stderr } = await verify(heading);
      assert.equal(code, 0, `${heading}\n${stdout}\n${stderr}`);
    }
    const pulled = join(rehearsal.folder, 'pulled');
    await must('crane', ['pull', '--format=oci', `${rehearsal.registry}/paycert/paycert@${manifestDigest()}`, pulled]);
    assert.ok((await stat(join(pulled, 'blobs/sha256', manifestDigest().replace('sha256:', '')))).isFile());
  });

  it('is refused after one changed byte: a file, the provenance’s subject, the image, the chart', async () => {
    const folder = join(rehearsal.folder, 'changed');
    await cp(rehearsal.release, folder, { recursive: true });
    const path = join(folder, `paycert-${version}.tgz`);
    const bytes = await readFile(path);
    bytes[100]! ^= 1;
    writeFileSync(path, bytes);
    const { code, stdout, stderr } = await verify('Files', folder);
    assert.notEqual(code, 0, stdout);
    assert.match(stdout + stderr, /FAILED/);
    const key = ['--key', join(folder, 'cosign.pub'), '--insecure-ignore-tlog'];
    const bundle = ['--bundle', join(folder, 'provenance.sigstore.json'), '--type', 'slsaprovenance1'];
    assert.notEqual((await say('cosign', ['verify-blob-attestation', ...bundle, ...key, path])).code, 0);
    for (const name of ['paycert/paycert', 'paycert/charts/paycert']) {
      const other = `${rehearsal.registry}/${name}`;
      assert.equal((await say('cosign', ['verify', ...key, `${other}:${version}`], folder)).code, 0);
      await must('crane', [
        'mutate',
        `${other}:${version}${name === 'paycert/paycert' ? '-amd64' : ''}`,
        '--annotation',
        'a=b',
        '--tag',
        `${other}:${version}`,
      ]);
      const refused = await say('cosign', ['verify', ...key, `${other}:${version}`], folder);
      assert.notEqual(refused.code, 0);
      assert.match(refused.stderr, /no (matching )?(signatures|attestations)/i);
    }
  });

  it('has a chart that installs from the registry', { skip: noControlPlane }, async () => {
    // Pushed once more: the test above changed what the tag names.
    const charts = `oci://${rehearsal.registry}/paycert/charts`;
    await must('helm', ['push', '--plain-http', join(rehearsal.release, `paycert-chart-${version}.tgz`), charts]);
    const kubeconfig = await plane().kubeconfig('default');
    const where = ['--namespace', 'paycert-system', '--create-namespace', '--kubeconfig', kubeconfig];
    await must('helm', ['install', 'paycert', `${charts}/paycert`, '--version', version, '--plain-http', ...where]);
    const image = ['get', 'deployment', 'paycert', '-n', 'paycert-system', '-o', 'jsonpath={..image}'];
    assert.equal(await must('kubectl', [...image, '--kubeconfig', kubeconfig]), `paycert:${version}`);
  });
});
