// What is off by default, in one upgrade: reviews, injection, the view of the fleet and canaries, with what happens while they are on.
import { it } from 'node:test';
import { canary } from './canary.ts';
import { fleet } from './fleet.ts';
import { injected } from './injected.ts';
import { restarts } from './restarts.ts';
import type { World } from './world.ts';

const values =
  'refreshPods=true,admission.enabled=true,injection.enabled=true,injection.recreateMissing=true,fleet.enabled=true';

export function features(world: () => World): void {
  it('is turned on part by part, and installs what each needs', async () => {
    // Another test took rights away, and gave them back, by hand.
    await world().helm('upgrade', '--force-conflicts', '--set', values);
  });

  injected(world);
  fleet(world);
  canary(world);
  restarts(world);

  it('is turned off again', async () => {
    await world().helm('upgrade', '--force-conflicts', '--set', 'refreshPods=true');
  });
}
