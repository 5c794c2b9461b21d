// The story ends: what was installed is upgraded, then removed, and nothing of it stays but what is meant to.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eventually, execute, kubectl } from './kubernetes.ts';
import { signOn } from './traffic.ts';
import type { World } from './world.ts';

export function leave(world: () => World): void {
  it('uninstalls, and leaves nothing but the definition; payment pods do not notice', async () => {
    const { release, system } = world();
    await execute('helm', ['uninstall', release, '-n', system, '--wait']);
    const kinds = (await kubectl('api-resources', '--verbs=list', '-o', 'name')).trim().split('\n').join();
    let left = '';
    await eventually('only the definition is left', 60, async () => {
      left = await kubectl('get', kinds, '-A', '-l', `app.kubernetes.io/instance=${release}`, '-o', 'name');
      return left.trim() === 'customresourcedefinition.apiextensions.k8s.io/paymentcredentials.paycert.dev';
    }).catch(() => assert.fail(`still there:\n${left}`));
    await signOn(world());
  });
}
