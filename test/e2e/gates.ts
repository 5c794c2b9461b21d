// The gate of a pipeline, while operators are replaced one by one, or are all away: it says of a Secret what is so of that Secret.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { withMismatchedPair } from '../../src/testing/index.ts';
import { root, run } from '../chart/helm.ts';
import { makeDirectory } from '../support/sidecar.ts';
import { kubectl } from './kubernetes.ts';
import type { World } from './world.ts';

export function gates(world: () => World): void {
  const name = 'gated';
  /** As in docs/operator.md; with the version that the write returned. */
  const gate = async (isGood: boolean): Promise<() => Promise<void>> => {
    const { pay, current, kubernetes } = world();
    await world().writeSecret(name, isGood ? current.files : await withMismatchedPair(current));
    const { metadata } = await kubernetes.json('GET', `/api/v1/namespaces/${pay}/secrets/${name}`);
    const { resourceVersion } = metadata as { resourceVersion: string };
    const words = [
      join(root, 'src/cli/main.ts'),
      'wait',
      name,
      '-n',
      pay,
      '--secret-version',
      resourceVersion,
      '--timeout',
      '90s',
    ];
    const waiting = run(process.execPath, words);
    return async () => {
      const { code, stdout, stderr } = await waiting;
      assert.equal(code, isGood ? 0 : 1, `${String(isGood)}: ${stdout}${stderr}`);
      if (!isGood) assert.match(stderr, /credential-rejected/);
    };
  };
  const deployment = () => `deployment/${world().release}-paycert`;

  it('lets no pipeline pass on a bad Secret, and holds none up on a good one, while the operator rolls', async () => {
    const { system } = world();
    await world().writeSecret(name, world().current.files);
    await world().apply([world().credential(name)]);
    for (const isGood of [false, true]) {
      await kubectl('rollout', 'restart', deployment(), '-n', system);
      await (
        await gate(isGood)
      )();
      await kubectl('rollout', 'status', deployment(), '-n', system, '--timeout=90s');
    }
  });

  it('waits for an operator that is away, and then says of the Secret what is so', async () => {
    const { system } = world();
    await (
      await gate(true)
    )();
    await kubectl('scale', deployment(), '-n', system, '--replicas=0');
    await kubectl(
      'wait',
      'pod',
      '-n',
      system,
      '-l',
      'app.kubernetes.io/component=operator',
      '--for=delete',
      '--timeout=60s',
    );
    const judged = await gate(false);
    // What it says meanwhile is about the Secret before: a wait for Ready alone passes.
    await kubectl('wait', `paycred/${name}`, '-n', world().pay, '--for=condition=Ready', '--timeout=1s');
    await kubectl('scale', deployment(), '-n', system, '--replicas=2');
    await judged();
    await kubectl('rollout', 'status', deployment(), '-n', system, '--timeout=90s');
  });

  it('is waited for by Helm, by the rules of kstatus: until it is ready, and in vain while it is rejected', async (t) => {
    const { pay, current } = world();
    const helmed = { ...world().credential('helmed'), metadata: { name: 'helmed', namespace: pay } };
    const values = join(await makeDirectory(t), 'values.json');
    await writeFile(values, JSON.stringify({ extraObjects: [helmed] }));
    const upgrade = (timeout: string) => world().helm('upgrade', '--reuse-values', '-f', values, '--timeout', timeout);
    await world().writeSecret('helmed', await withMismatchedPair(current));
    await assert.rejects(upgrade('20s'), /PaymentCredential.*helmed.*Failed/s);
    await world().writeSecret('helmed', current.files);
    await upgrade('60s');
    await kubectl('wait', 'paycred/helmed', '-n', pay, '--for=condition=Ready', '--timeout=1s');
  });
}
