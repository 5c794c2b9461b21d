// What callers see while the story goes on: that none of them fails, and when a new key signs first.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { WechatpayMaterial } from '../../src/testing/index.ts';
import type { Count } from './caller.ts';
import { eventually } from './kubernetes.ts';
import type { World } from './world.ts';

export type Target = 'api' | 'mount' | 'untouched';
type Counts = Record<Target, Count>;

/** What the caller has counted, its times on our clock. */
export async function countsOf(world: World): Promise<Counts> {
  const { kubernetes, pay } = world;
  const asked = Date.now();
  const answer = await kubernetes.text('GET', `/api/v1/namespaces/${pay}/pods/caller:8080/proxy/`);
  const { now, counts } = JSON.parse(answer) as { now: number; counts: Counts };
  const roundTrip = Date.now() - asked;
  // The quickest answer says best what the caller's clock shows.
  if (roundTrip < world.callerClock.roundTrip) world.callerClock = { roundTrip, ahead: now - asked - roundTrip / 2 };
  for (const count of Object.values(counts)) count.since -= world.callerClock.ahead;
  return counts;
}

export function assertNoneFailed(counts: Counts): void {
  for (const [target, { failed, lastFailure }] of Object.entries(counts))
    assert.equal(failed, 0, `${target}: ${lastFailure}`);
}

/** From now on every target signs some more, and nothing has failed. */
export async function signOn(world: World): Promise<Counts> {
  const before = await countsOf(world);
  return eventually('all go on signing', 10, async () => {
    const counts = await countsOf(world);
    assertNoneFailed(counts);
    const isMore = (target: string) => counts[target as Target].signed >= before[target as Target].signed + 20;
    return Object.keys(counts).every(isMore) && counts;
  });
}

/** Seconds from `start` until the key of that material signed first, of each target. */
export async function untilSigned(
  world: World,
  { merchant }: WechatpayMaterial,
  start: number,
  limits: Partial<Record<Target, number>>,
): Promise<Partial<Record<Target, number>>> {
  const targets = Object.keys(limits) as Target[];
  const counts = await eventually(
    `${targets.join()} sign with the new key`,
    Math.max(...Object.values(limits)),
    async () => {
      const counts = await countsOf(world);
      assertNoneFailed(counts);
      return targets.every((target) => counts[target].keyId === merchant.serialNumber) && counts;
    },
  );
  const seconds = targets.map(
    (target) => [target, Number(((counts[target].since - start) / 1000).toFixed(2))] as const,
  );
  for (const [target, taken] of seconds) assert.ok(taken <= limits[target]!, `${target}: ${taken} s`);
  return Object.fromEntries(seconds);
}

interface RotateOptions {
  /** Instead of the next one. */
  readonly material?: WechatpayMaterial;
  readonly meanwhile?: () => Promise<void>;
}

/**
 * Deploys the next key: each target signs with it within so many seconds, and nothing fails. `meanwhile` begins as soon as it
 * is written.
 */
export async function rotate(
  t: TestContext,
  world: World,
  limits: Partial<Record<Target, number>>,
  { material = world.materials.next(), meanwhile }: RotateOptions = {},
): Promise<void> {
  const start = Date.now();
  await world.deploy(material);
  await meanwhile?.();
  const seconds = await untilSigned(world, material, start, limits);
  t.diagnostic(`from the write of the Secret to the first signature, in seconds: ${JSON.stringify(seconds)}`);
}
