// The first page of docs/kubernetes.md as a stranger runs it, against a real API server; only the pods are missing.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { noHelm, root } from '../chart/helm.ts';
import { noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { startOperator, until } from '../support/operator.ts';
import { makeDirectory } from '../support/sidecar.ts';

const execute = promisify(execFile);
const page = readFileSync(join(root, 'docs/kubernetes.md'), 'utf8');
const section = page.split('## A first trial\n')[1]?.split('\n## ')[0] ?? '';
const [install, trial, pod] = [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block);

describe('the first trial of docs/kubernetes.md', { skip: noControlPlane || noHelm, timeout: 900_000 }, () => {
  const plane = useControlPlane();

  it('leads from an empty cluster to a credential that is ready, and to a newer one', async (t) => {
    const directory = await makeDirectory(t);
    const KUBECONFIG = await plane().kubeconfig('default');
    const links = `ln -s ${root}charts ${root}deploy .`;
    const paycert = `paycert() { ${process.execPath} ${root}src/cli/main.ts "$@"; }`;
    const run = async (block = '', first = '') => {
      const script = [first, paycert, block].join('\n');
      const { stdout } = await execute('sh', ['-euc', script], { cwd: directory, env: { ...process.env, KUBECONFIG } });
      return stdout;
    };
    assert.match(await run(install, links), /STATUS: deployed/);
    const { recorder } = await startOperator(t, plane());
    assert.match(await run(trial), /condition met/);
    const seen = recorder.events.length;
    assert.match(await run(pod), /^wechat-main +wechatpay +True/m);
    const isSwapped = () =>
      recorder.events
        .slice(seen)
        .some(
          (event) => event.type === 'reconciled' && event.object === 'pay/wechat-main' && event.outcome !== 'failed',
        );
    await until(isSwapped, 'the newer material is checked');
  });

  it('writes into no directory that holds anything, and files that only their owner may read', async (t) => {
    const directory = await makeDirectory(t);
    const words = [`${root}src/cli/main.ts`, 'demo', '--out', join(directory, 'material')];
    await execute(process.execPath, words);
    const { stdout } = await execute('find', [join(directory, 'material'), '-type', 'f', '!', '-perm', '600']);
    assert.equal(stdout, '');
    await assert.rejects(execute(process.execPath, words), { code: 64, stderr: /is not empty/ });
  });
});
