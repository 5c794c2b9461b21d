// npm run soak: 10,000 swaps under load, with flat memory, then 100,000 payments through the proxy, then 100,000 notifications through two pods, then a minute of kill -9.
// --swaps N, --requests N, --notifications N and --kills SECONDS for fewer, 0 for none.
import { parseArgs } from 'node:util';
import { buildBundle } from '../bench/fixture.ts';
import { soakKills } from './kills.ts';
import { soakNotifications } from './notifications.ts';
import { soakPayments } from './payments.ts';
import { soak, type Verdict } from './soak.ts';

const { values } = parseArgs({
  options: {
    swaps: { type: 'string', default: '10000' },
    callers: { type: 'string', default: '32' },
    pause: { type: 'string', default: '20' },
    requests: { type: 'string', default: '100000' },
    notifications: { type: 'string', default: '100000' },
    kills: { type: 'string', default: '60' },
    minutes: { type: 'string', default: '14' },
  },
});

buildBundle();
const print = (line: string) => process.stdout.write(`${line}\n`);
const verdicts: Verdict[] = [];
const [swaps, requests, callers] = [Number(values.swaps), Number(values.requests), Number(values.callers)];
if (swaps > 0) {
  const [pause, milliseconds] = [Number(values.pause), Number(values.minutes) * 60_000];
  verdicts.push(...(await soak({ swaps, callers, pause, milliseconds, tell: print })));
}
if (requests > 0) verdicts.push(...(await soakPayments({ requests, callers, tell: print })));
const notifications = Number(values.notifications);
if (notifications > 0) verdicts.push(...(await soakNotifications({ count: notifications, tell: print })));
const kills = Number(values.kills);
if (kills > 0) verdicts.push(...(await soakKills(kills)));
for (const { isMet, what } of verdicts) print(`${isMet ? 'ok  ' : 'FAIL'} ${what}`);
const failed = verdicts.filter(({ isMet }) => !isMet).length;
print(`${verdicts.length - failed} passed, ${failed} failed`);
if (failed > 0) process.exitCode = 1;
