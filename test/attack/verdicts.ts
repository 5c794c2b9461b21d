// What a sidecar that is attacked says of a credential: how often it has judged new material.
import { setTimeout as sleep } from 'node:timers/promises';
import { call } from '../support/sidecar.ts';
import type { Target } from './target.ts';

/** How often the sidecar has judged new material of a credential, whatever the verdict. Its log only counts what it has said before. */
export async function verdicts(target: Target, credential: string): Promise<number> {
  const { content } = await call(await target.address('admin'), '/metrics');
  const counts = content.matchAll(
    new RegExp(`^paycert_reloads_total\\{credential="${credential}",.*\\} (\\d+)$`, 'gm'),
  );
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

export async function untilJudged(target: Target, credential: string, before: number): Promise<void> {
  while (target.isAlive && (await verdicts(target, credential)) === before) await sleep(20);
}
