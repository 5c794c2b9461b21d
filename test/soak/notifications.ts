// Notifications of three platforms through two pods, with one in ten twice at the same time, and an application that fails, hangs and restarts.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { noRedis, startRedis } from '../support/redis.ts';
import { type Tally, TwoPods } from '../support/two-pods/pods.ts';
import type { Verdict } from './soak.ts';

export interface NotificationsOptions {
  readonly count: number;
  readonly tell: (line: string) => void;
}

export async function soakNotifications({ count, tell }: NotificationsOptions): Promise<Verdict[]> {
  const ends: (() => unknown)[] = [];
  const t = { after: (end: () => unknown) => void ends.unshift(end) };
  const started = performance.now();
  const since = () => `${((performance.now() - started) / 1000).toFixed(0)} s`;
  const directory = async () => {
    const path = await mkdtemp(join(tmpdir(), 'paycert-notifications-'));
    t.after(() => rm(path, { recursive: true, force: true, maxRetries: 10 }));
    return path;
  };
  const numbers = (name: string, length: number) => Array.from({ length }, (_, index) => `${name}-${String(index)}`);
  try {
    if (noRedis !== false) {
      tell(noRedis);
      const alone = await TwoPods.start(t, await directory());
      return [handled(await alone.take(numbers('alone', count)), count, `without a Redis, in ${since()}`)];
    }
    const redis = await startRedis(t);
    const both = await TwoPods.start(t, await directory(), redis);
    const [most, some] = [Math.ceil(count * 0.8), Math.ceil(count * 0.1)];
    const shared = await both.take(numbers('shared', most));
    tell(`${String(most)} notifications in ${since()}: Redis is killed in the midst of the next ${String(some)}`);
    const away = await both.take(numbers('away', some), [() => redis.kill()]);
    tell(`${since()}: Redis is back`);
    const back = both.pods.map((pod) => pod.event('dedupe-changed', { level: 'info' }, pod.lines.length));
    await redis.start();
    await Promise.all(back);
    const again = await both.take(numbers('again', some));
    return [
      handled(shared, most, `with a Redis, in ${since()}`),
      once(shared, 'with a Redis'),
      handled(away, some, 'while Redis goes'),
      verdict(away.unshared > 0, `${String(away.unshared)} deliveries while Redis was away were counted`),
      handled(again, some, 'once Redis is back'),
      once(again, 'once Redis is back'),
    ];
  } finally {
    for (const end of ends) await end();
  }
}

const verdict = (isMet: boolean, what: string): Verdict => ({ isMet, what });

const handled = ({ accepted, handled: all, unhandled, lost }: Tally, count: number, when: string): Verdict =>
  verdict(
    accepted === count && all === count && unhandled.length === 0 && lost.length === 0,
    `${String(all)} of ${String(count)} notifications were handled, ${String(accepted)} accepted, ${String(unhandled.length)} of them before they were handled, ${String(lost.length)} lost (${when})`,
  );

/** A machine that stops for a second shares less, and counts it. */
const once = ({ again, unshared }: Tally, when: string): Verdict =>
  verdict(
    again <= unshared,
    `${String(again)} were delivered again after a 2xx, ${String(unshared)} not shared in time (${when})`,
  );
