// The package as a stranger gets it, and the clone: packed, installed in an empty project, run under this Node and one too old.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { nodeFault, oldestNode } from '../../src/oldest-node.js';
import { cleanClone, pack, Project, type Ran, removeAll, rootPath } from './project.ts';

after(removeAll);
const { tarball, paths } = pack();
const project = new Project('stranger');
project.install(tarball);
/** With the optional packages, and what a program in TypeScript needs. */
const whole = new Project('whole');
whole.install(tarball, '@peculiar/x509@2', 'reflect-metadata@0.2', 'undici@8', '@types/node@24');
const bin = (name: string): string => join(rootPath, 'node_modules/.bin', name);
const firstLine = ({ stderr }: Ran): string => stderr.split('\n')[0] ?? '';

describe('the tarball of a clean clone', () => {
  it('holds what package.json names, built while it is packed, and the documents', () => {
    for (const path of [
      'dist/cli/bin.js',
      'dist/index.js',
      'dist/index.d.ts',
      'dist/testing/index.js',
      'docs/errors.md',
    ])
      assert.ok(paths.includes(path), path);
  });

  it('holds no source, test, script or material', () => {
    const own = /^(?:dist\/.+\.(?:js|d\.ts)|docs\/.+\.md|package\.json|LICENSE|[A-Z]+(?:\.[a-zA-Z-]+)?\.md)$/;
    assert.deepEqual(
      paths.filter((path) => !own.test(path)),
      [],
    );
  });

  it('has types that every way of resolving modules finds', () => {
    const { status, stdout } = project.run(bin('attw'), [tarball, '--profile', 'esm-only', '--no-emoji', '--no-color']);
    assert.equal(status, 0, stdout);
  });
});

describe('installed in an empty project', () => {
  it('brings no Kubernetes client', () => assert.ok(!existsSync(join(project.path, 'node_modules/@kubernetes'))));

  it('gives the command paycert', () => {
    const { status, stdout, stderr } = project.paycert('--version');
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    assert.match(stdout, /^\d+\.\d+\.\d+\S*\n$/);
  });

  it("gives import 'paycert' and import 'paycert/testing'", () => {
    const code = `const [main, testing] = [await import('paycert'), await import('paycert/testing')];
      console.log(typeof main.startPaycert, typeof main.PaycertError, typeof testing.createAuthority)`;
    assert.deepEqual(project.evaluate(code), { status: 0, stdout: 'function function function\n', stderr: '' });
  });

  it('starts a credential from a program', () => {
    const code = `import { startPaycert } from 'paycert';
      const credentials = [{ name: 'partner', provider: { hmac: { keyId: 'k1', scheme: 'request' } }, source: { env: { keys: { key: 'KEY' } } } }];
      await using paycert = await startPaycert(credentials, { environment: { KEY: 'k'.repeat(32) } });
      console.log(paycert.entries()[0].rejection?.error ?? paycert.entries()[0].sourceError?.error ?? 'current')`;
    assert.deepEqual(project.evaluate(code), { status: 0, stdout: 'current\n', stderr: '' });
  });

  for (const [what, packages, run] of [
    ['the demo', '@peculiar/x509 reflect-metadata', () => project.paycert('demo', '--duration', '1s')],
    [
      'a command that reads a kubeconfig',
      '@kubernetes/client-node',
      () => project.run(join(project.path, 'node_modules/.bin/paycert'), ['operator'], { KUBECONFIG: 'kubeconfig' }),
    ],
  ] as const)
    it(`names the optional package that ${what} needs, and exits 78`, () => {
      const ran = run();
      assert.equal(ran.status, 78, ran.stderr);
      assert.ok(firstLine(ran).endsWith(`npm install ${packages} (package-missing)`), ran.stderr);
    });

  it('throws the name of the optional package in a program', () => {
    const code = `import { createDispatcher } from 'paycert';
      import { createAuthority } from 'paycert/testing';
      const told = (error) => console.log(error.code, error.message.replace(/.*: /, ''));
      await createAuthority({ now: new Date() }).catch(told);
      await createDispatcher({}, 'x').catch(told);`;
    const { stdout } = project.evaluate(code);
    assert.equal(
      stdout,
      'package-missing npm install @peculiar/x509 reflect-metadata\npackage-missing npm install undici\n',
    );
  });

  it('runs the demo beside the packages that it needs', () => {
    const { status, stdout, stderr } = whole.paycert('demo', '--duration', '10s');
    assert.equal(status, 0, stdout + stderr);
  });

  it('compiles a program, and refuses a misspelled option', () => {
    const program = (option: string): string => `import { startPaycert } from 'paycert';
      import { createAuthority } from 'paycert/testing';
      await using paycert = await startPaycert([{ name: 'm', provider: { wechatpay: { ${option}: '1900000001' } }, source: { files: { path: '/m' } } }]);
      const { headers } = await paycert.current('m').authorize(
        { method: 'GET', url: 'https://api.mch.weixin.qq.com/v3/x' }, { now: new Date(), nonce: 'n' });
      console.log(headers, createAuthority);`;
    const compile = (option: string): Ran => {
      whole.write('program.ts', program(option));
      const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--types', 'node'];
      return whole.run(bin('tsc'), [...options, '--lib', 'es2024,esnext.disposable', 'program.ts']);
    };
    const [right, wrong] = [compile('merchantId'), compile('merchantID')];
    assert.equal(right.status, 0, right.stdout);
    assert.match(wrong.stdout, /merchantID/);
  });
});

/** This Node, saying that it is an older one. */
const posing = (version: string): string[] => [
  process.execPath,
  '--import',
  `data:text/javascript,Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`,
];

/** A real one, where the machine has it. */
const machines = '/usr/bin/node';
const machine = spawnSync(machines, ['--version'], { encoding: 'utf8' });
const machinesVersion = machine.error === undefined ? machine.stdout.trim().slice(1) : '';
const isOld = Number.parseInt(machinesVersion, 10) < oldestNode;

const olds: readonly (readonly [string, string, readonly string[], false | string])[] = [
  ['a Node that poses as 18', '18.20.8', posing('18.20.8'), false],
  ['the machine’s Node', machinesVersion, [machines], !isOld && `${machines} is no Node below ${oldestNode}`],
];

/** Before `npm ci`, which installs a Node that is new enough. */
const clone = cleanClone('clone');
const mains = [
  ['of the package', join(project.path, 'node_modules/paycert/dist/cli/bin.js')],
  ['of a clone', join(clone, 'src/cli/bin.js')],
] as const;

for (const [what, version, node, skip] of olds)
  describe(`under ${what}, which is too old`, { skip }, () => {
    const sentence = `paycert needs Node ${oldestNode} or newer; this is Node ${version}`;
    const [command = '', ...options] = node;
    const assertRefused = (ran: Ran): void =>
      assert.deepEqual([ran.status, ran.stdout, firstLine(ran)], [78, '', `error: ${sentence} (node-too-old)`]);

    for (const [where, main] of mains)
      for (const words of [[], ['--version'], ['demo'], ['sidecar', '--config', 'x'], ['nonsense']])
        it(`paycert ${words.join(' ')} ${where} says so in its first line and exits 78`, () =>
          assertRefused(project.run(command, [...options, main, ...words])));

    for (const entry of ['paycert', 'paycert/testing'])
      it(`import '${entry}' throws the same, and the process goes its way`, () => {
        const code = `await import('${entry}').catch((error) => console.log(error.code, error.message)); console.log('alive')`;
        const { status, stdout, stderr } = project.evaluate(code, node);
        assert.deepEqual([status, stdout, stderr], [0, `node-too-old ${sentence}\nalive\n`, '']);
      });
  });

it('npm start in a clone says so, too', { skip: !isOld && `${machines} is no Node below ${oldestNode}` }, () => {
  const npm = ['--prefix', clone, '--silent', 'start'];
  const ran = project.run('npm', npm, { PATH: `${dirname(machines)}:/bin` });
  assert.deepEqual([ran.status, firstLine(ran)], [78, `error: ${nodeFault(machinesVersion) ?? ''} (node-too-old)`]);
});
