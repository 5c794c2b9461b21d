// docs/kubernetes.md as a stranger runs it, on a cluster: the first trial, and what becomes of a release afterwards, while a pod signs.
import assert from 'node:assert/strict';
import { cp, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { codeBlocks, quoted, sections, tableRows } from '../agreement/documents.ts';
import { root, run } from '../chart/helm.ts';
import { makeDirectory } from '../support/sidecar.ts';
import { eventually, execute, kubectl } from './kubernetes.ts';
import { merchantId } from './materials.ts';
import type { World } from './world.ts';

const page = 'docs/kubernetes.md';
const namespaces = ['pay', 'paycert-system', 'moved', 'trial'];

/** What somebody wants of a release → the commands for it, in the order of the page. */
function commands(): Map<string, readonly string[]> {
  const section = sections(page).find(({ title }) => title.startsWith('Installing the operator'));
  assert.ok(section);
  return new Map(
    tableRows(section.body).map(([what = '', how = '']) => [
      what,
      quoted(how).filter((text) => /^(helm|kubectl) /.test(text)),
    ]),
  );
}

/** A shell in a folder that has what the page names, with the image that is tested. */
async function openShell(t: TestContext, { image, imageValues }: World) {
  const folder = await makeDirectory(t);
  await symlink(join(root, 'charts'), join(folder, 'charts'));
  await cp(join(root, 'deploy/sidecar'), join(folder, 'deploy/sidecar'), { recursive: true });
  const deployment = join(folder, 'deploy/sidecar/20-deployment.yaml');
  const text = await readFile(deployment, 'utf8');
  const report = 'command: [node, /app/shop.mjs]';
  const reporting = `${report}\n          env: [{ name: REPORT_MS, value: "1000" }]`;
  await writeFile(deployment, text.replaceAll('image: paycert:0.1.0', `image: ${image}`).replace(report, reporting));
  const second = { name: 'wechat-second', namespace: 'pay' };
  const spec = { provider: { wechatpay: { merchantId } }, source: { secret: { name: 'wechat-main' } } };
  const extraObjects = [{ apiVersion: 'paycert.dev/v1alpha1', kind: 'PaymentCredential', metadata: second, spec }];
  await writeFile(join(folder, 'values.yaml'), JSON.stringify({ extraObjects }));
  const before = [
    `cd ${folder}`,
    `paycert() { ${process.execPath} ${join(root, 'src/cli/main.ts')} "$@"; }`,
    `helm() { case $1 in install|upgrade) command helm "$@" --wait ${imageValues.join(' ')} ;; *) command helm "$@" ;; esac; }`,
  ];
  return async (script: string): Promise<string> => {
    const { code, stdout, stderr } = await run('sh', ['-euc', [...before, script].join('\n')]);
    assert.equal(code, 0, `${script}\n${stdout}${stderr}`);
    return stdout;
  };
}

/** How often the sidecar of the trial has swapped, and that its application has met no failure. */
async function swapsOfShop(): Promise<number> {
  const last = await kubectl('logs', '-n', 'pay', 'deployment/shop', '-c', 'shop', '--tail=1');
  if (last === '') throw new Error('it has said nothing yet');
  assert.match(last, /"failed":0/);
  const log = await kubectl('logs', '-n', 'pay', 'deployment/shop', '-c', 'paycert');
  return log.split('\n').filter((line) => line.includes('"event":"swapped"')).length;
}

export function documented(world: () => World): void {
  it('leads through the first page and the life of a release as they are documented, and disturbs no pod that signs', async (t) => {
    const found = await kubectl('get', 'namespace', ...namespaces, '--ignore-not-found', '-o', 'name');
    if (found !== '') {
      t.skip(`there is ${found.trim().replaceAll('\n', ', ')} already`);
      return;
    }
    const shell = await openShell(t, world());
    t.after(async () => {
      for (const [release, namespace] of [
        ['paycert', 'paycert-system'],
        ['paycert', 'moved'],
        ['trial', 'trial'],
      ] as const)
        // prettier-ignore
        await execute('helm', ['uninstall', release, '-n', namespace, '--ignore-not-found', '--wait']);
      await kubectl('delete', 'namespace', ...namespaces, '--ignore-not-found');
      await kubectl('delete', 'crd/paymentcredentials.paycert.dev', '--ignore-not-found');
    });
    const blocks = codeBlocks(page).map(({ text }) => text);
    const [install, trial, pod] = blocks;
    assert.match(String(install), /^helm install/);
    await shell(install!);
    assert.match(await shell(trial!), /condition met/);
    assert.match(await shell(pod!), /^wechat-main +wechatpay +True/m);
    await kubectl('rollout', 'status', 'deployment/shop', '-n', 'pay', '--timeout=60s');
    await eventually('the pod signs', 30, async () => (await swapsOfShop()) > 0);

    const rows = commands();
    const follow = async (what: string) => {
      const named = rows.get(what) ?? [];
      assert.ok(named.length > 0, `${what}: ${[...rows.keys()].join('; ')}`);
      for (const command of named) await shell(command.replaceAll('NEW', 'moved'));
    };
    /** The operator looks at what changes, and the pod signs on. */
    const works = async (message: string) => {
      const swaps = await swapsOfShop();
      await shell(`rm -rf newer; ${pod!.split('\n').slice(1, 3).join('\n')}`);
      const version = await kubectl('get', 'secret', 'wechat-main', '-n', 'pay', '-o', 'jsonpath={.metadata.resourceVersion}'); // prettier-ignore
      await shell(`paycert wait wechat-main -n pay --secret-version ${version} --timeout 60s`);
      await eventually(`${message}: the pod signs with the newer key`, 120, async () => (await swapsOfShop()) > swaps);
    };
    await follow('see that it works');
    for (const what of ['restart', 'upgrade', 'roll back']) {
      await follow(what);
      await kubectl('rollout', 'status', 'deployment/paycert', '-n', 'paycert-system', '--timeout=60s');
    }
    await works('after restart, upgrade and rollback');
    await follow('move to another namespace');
    await works('after the move');
    await follow('install a second one beside it');
    await shell('helm uninstall paycert -n moved --wait');
    // The definition is that of the release before: the next one takes it over.
    const [first = ''] = rows.get('install, with a PaymentCredential in the same step') ?? [];
    await shell(`${first} --take-ownership`);
    await kubectl('wait', 'paycred/wechat-main', 'paycred/wechat-second', '-n', 'pay', '--for=condition=Ready', '--timeout=60s'); // prettier-ignore
    await works('after it was installed again');
    assert.match(await kubectl('exec', '-n', 'pay', 'deployment/shop', '-c', 'paycert', '--', 'paycert', 'status'), /^wechat-main\b/m); // prettier-ignore
    await follow('uninstall');
    const left = await kubectl('get', 'paycred', '-n', 'pay', '-o', 'name');
    assert.match(left, /wechat-main/);
    await swapsOfShop();
  });
}
