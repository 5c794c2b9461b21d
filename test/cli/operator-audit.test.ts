// The audit of a real operator in files of its own and at a collector: both verify, also of replicas that share a volume, and after a restart.
import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { installDefinition, Tenant } from '../support/operator.ts';
import { startOtlpReceiver } from '../support/otlp-receiver.ts';
import { paycert, RunningPaycert } from '../support/paycert.ts';
import { makeDirectory } from '../support/sidecar.ts';

const limit = { timeout: 300_000, skip: noControlPlane };
const controlPlane = useControlPlane(installDefinition);
const key = 'the-key-of-the-chain-of-an-operator';

async function scene(t: TestContext) {
  const directory = await makeDirectory(t);
  const { namespace } = await Tenant.make(controlPlane());
  const kubeconfig = await controlPlane().kubeconfig('default');
  const run = async (pod: string, flags: readonly string[], more: Readonly<Record<string, string>> = {}) => {
    const env = { KUBECONFIG: kubeconfig, POD_NAME: pod, ...more };
    const own = ['--namespace', namespace, '--lease', `${namespace}/${pod}`, '--address', '127.0.0.1:0', '--audit'];
    const operator = new RunningPaycert(t, ['operator', ...own, ...flags], env);
    await operator.event('leading', { msg: 'leading' });
    return operator;
  };
  return { directory, run };
}

async function end(operator: RunningPaycert): Promise<void> {
  operator.terminate();
  assert.equal(await operator.ended, 0);
}

const isAudit = ({ audit }: Readonly<Record<string, unknown>>) => audit === 1;

describe('the audit of an operator', () => {
  it('is in files, in a directory of each replica, whose chain the next process continues', limit, async (t) => {
    const { directory, run } = await scene(t);
    const keyFile = join(directory, 'key');
    await writeFile(keyFile, key);
    const audited = join(directory, 'audit');
    const flags = ['--audit-directory', audited, '--audit-key', keyFile];
    const both = await Promise.all(['operator-0', 'operator-1'].map((pod) => run(pod, flags)));
    await Promise.all(both.map(end));
    await end(await run('operator-0', flags));
    assert.deepEqual((await readdir(audited)).sort(), ['operator-0', 'operator-1']);
    const read = async (pod: string) => {
      const { code, stdout } = await paycert(['audit', 'verify', join(audited, pod), '--key', keyFile]);
      assert.equal(code, 0, stdout);
      const names = (await readdir(join(audited, pod))).sort();
      const texts = await Promise.all(names.map((name) => readFile(join(audited, pod, name), 'utf8')));
      const lines = texts.join('').trimEnd().split('\n');
      return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    };
    const [one, other] = [await read('operator-0'), await read('operator-1')];
    assert.deepEqual([...new Set([...one, ...other].map(({ host }) => host))], ['operator-0', 'operator-1']);
    assert.equal(one.filter(({ type }) => type === 'started').length, 2);
    assert.ok(other.some(({ type, outcome }) => type === 'leading' && outcome === 'leads'));
    assert.deepEqual(both.flatMap(({ lines }) => lines.filter(isAudit)), []); // prettier-ignore
  });

  it('is at a collector, line by line, and on standard output where that is asked for too', limit, async (t) => {
    const { directory, run } = await scene(t);
    const collector = await startOtlpReceiver(t);
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin };
    const operator = await run('operator-0', ['--audit-otlp', '--audit-stdout'], env);
    await end(operator);
    const printed = operator.lines.filter(isAudit).map((line) => JSON.stringify(line));
    const collected = collector.logs.map(({ body }) => body);
    assert.ok(printed.length > 1);
    assert.deepEqual(collected, printed);
    const file = join(directory, 'collected.jsonl');
    await writeFile(file, `${collected.join('\n')}\n`);
    const { code, stdout } = await paycert(['audit', 'verify', file]);
    assert.equal(code, 0, stdout);
  });
});
