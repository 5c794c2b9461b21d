// What a process loads of the package: it is built once, beside the sources, and looked at from outside.
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import forge from 'node-forge';
import { createWechatpayMaterial } from '../../src/testing/wechatpay-material.ts';
import { rootPath } from './documents.ts';

// Before the first test is declared: the runner takes an await between tests for the end of the file.
const merchantId = '1900000001';
const { files } = await createWechatpayMaterial({ merchantId, now: new Date() });

const directory = mkdtempSync(join(tmpdir(), 'paycert-package-'));
after(() => rmSync(directory, { recursive: true }));

/** The package as it would be published, but for its types, in a directory of its own. */
function build(): void {
  const tsc = join(rootPath, 'node_modules/typescript/bin/tsc');
  // What runs, without types, which `npm run check` has checked: they are two thirds of what it costs to build.
  const withoutTypes = ['--noCheck', '--declaration', 'false'];
  execFileSync(
    process.execPath,
    [tsc, '-p', 'tsconfig.build.json', '--outDir', join(directory, 'dist'), ...withoutTypes],
    { cwd: rootPath },
  );
  for (const name of ['package.json', 'LICENSE']) cpSync(join(rootPath, name), join(directory, name));
  symlinkSync(join(rootPath, 'node_modules'), join(directory, 'node_modules'));
}
build();

/** Writes down every module when it is resolved: a process that cannot end by itself replaces itself, and hears of no end. */
const recorder = join(directory, 'recorder.mjs');
writeFileSync(
  recorder,
  `import { registerHooks } from 'node:module';
import { appendFileSync } from 'node:fs';
const write = (text) => appendFileSync(process.env.LOADED, text);
write('');
registerHooks({ resolve(specifier, context, next) { const found = next(specifier, context); write(found.url + '\\n'); return found; } });
`,
);

let runs = 0;
const recording = () => {
  const file = join(directory, `loaded-${String(runs++)}`);
  const named = (pattern: RegExp) => () =>
    new Set(
      readFileSync(file, 'utf8')
        .split('\n')
        .flatMap((url) => pattern.exec(url)?.[1] ?? []),
    );
  const packages = named(/^.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//);
  /** Of our own, such as `dist/store`. */
  const rooms = named(/\/(dist\/[^/]+)\//);
  return { file, env: { ...process.env, LOADED: file }, packages, rooms };
};

/** The packages that are loaded by importing something, and nothing else. */
function packagesOf(entry: string): Set<string> {
  const { env, packages } = recording();
  const code = `await import(${JSON.stringify(pathToFileURL(join(directory, entry)).href)})`;
  const child = spawnSync(process.execPath, ['--import', recorder, '--input-type=module', '--eval', code], {
    env,
    encoding: 'utf8',
  });
  assert.equal(child.status, 0, child.stderr);
  assert.equal(child.stdout, '', 'importing a module prints nothing');
  return packages();
}

const heavy = ['pino', 'prom-client', '@kubernetes/client-node', 'node-forge', '@peculiar/x509'];

describe("import 'paycert'", () => {
  const packages = packagesOf('dist/index.js');

  it('loads what it needs', () => assert.ok(packages.has('typebox') && packages.has('chokidar')));

  for (const name of heavy) it(`does not load ${name}`, () => assert.ok(!packages.has(name)));
});

describe("import 'paycert/testing'", () => {
  const packages = packagesOf('dist/testing/index.js');

  it('loads no package: what makes certificates is loaded when one is made', () => assert.deepEqual([...packages], []));
});

/** A .p12 as WeChat Pay makes it: key and certificate, 3DES, the merchant id as its password. */
function toPkcs12(): Buffer {
  const pem = (name: string) => Buffer.from(files.get(name)!).toString();
  const key = forge.pki.privateKeyFromPem(pem('apiclient_key.pem'));
  const certificate = forge.pki.certificateFromPem(pem('apiclient_cert.pem'));
  const asn1 = forge.pkcs12.toPkcs12Asn1(key, certificate, merchantId, { algorithm: '3des' });
  return Buffer.from(forge.asn1.toDer(asn1).getBytes(), 'latin1');
}

/** Runs a sidecar on that material until it is current, ends it, and tells which packages and rooms it loaded. */
async function packagesOfSidecar(material: ReadonlyMap<string, Uint8Array>): Promise<Set<string>> {
  const home = mkdtempSync(join(directory, 'sidecar-'));
  mkdirSync(join(home, 'material'));
  for (const [name, bytes] of material) writeFileSync(join(home, 'material', name), bytes);
  writeFileSync(
    join(home, 'paycert.yaml'),
    `listen: { socket: ${JSON.stringify(join(home, 's'))} }
admin: { address: "127.0.0.1:0" }
credentials:
  - name: wechat-main
    provider: { wechatpay: { merchantId: "${merchantId}" } }
    source: { files: { path: ${JSON.stringify(join(home, 'material'))} } }
`,
  );
  const { env, packages, rooms } = recording();
  const arguments_ = ['--import', recorder, 'dist/cli/main.js', 'sidecar', '--config', join(home, 'paycert.yaml')];
  const child = spawn(process.execPath, arguments_, { cwd: directory, env, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    let event = '';
    for await (const line of createInterface(child.stdout)) {
      ({ event } = JSON.parse(line) as { event: string });
      if (event === 'swapped' || event === 'rejected') break;
    }
    assert.equal(event, 'swapped');
  } finally {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }
  return new Set([...packages(), ...rooms()]);
}

describe('a sidecar on files', () => {
  it('loads neither node-forge nor a Kubernetes client nor what makes certificates nor what exports traces', async () => {
    const packages = await packagesOfSidecar(files);
    for (const name of ['pino', 'prom-client', 'dist/store']) assert.ok(packages.has(name), name);
    for (const name of ['node-forge', '@kubernetes/client-node', '@peculiar/x509', 'dist/otlp'])
      assert.ok(!packages.has(name), name);
  });

  it('leaves a .p12 beside PEM files unopened, and node-forge unloaded', async () => {
    const packages = await packagesOfSidecar(new Map(files).set('apiclient_cert.p12', toPkcs12()));
    assert.ok(!packages.has('node-forge'));
  });

  it('loads node-forge when a .p12 is all there is', async () => {
    const packages = await packagesOfSidecar(new Map([['apiclient_cert.p12', toPkcs12()]]));
    assert.ok(packages.has('node-forge'));
  });
});
