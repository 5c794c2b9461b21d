// Doubles of platforms that send each notification by their schedules until it is accepted; the time of a schedule is stepped.
import { Random } from '../../fuzz/random.ts';
import type { Answer } from '../http-client.ts';

/** In minutes after the try before. */
const wechat = [0.25, 0.25, 0.5, 3, 10, 20, 30, 30, 30, 60, 180, 180, 180, 360, 360];
const schedules = { wechat, 'wechat-v2': wechat, alipay: [4, 10, 10, 60, 120, 360, 900] } as const;
export type Platform = keyof typeof schedules;
export const platforms = Object.keys(schedules) as Platform[];

const isAccepted: Readonly<Record<Platform, (answer: Answer) => boolean>> = {
  wechat: ({ status }) => status === 200 || status === 204,
  'wechat-v2': ({ status, text }) => status === 200 && text.includes('SUCCESS'),
  alipay: ({ status, text }) => status === 200 && text === 'success',
};

interface Due {
  readonly platform: Platform;
  readonly number: string;
  readonly tries: number;
}

export interface SendOptions {
  readonly numbers: readonly string[];
  readonly post: (platform: Platform, number: string) => Promise<Answer>;
  /** Receives what a platform takes for accepted, at that moment. */
  readonly accepted: (platform: Platform, number: string) => void;
  /** Each after its share of the first tries. */
  readonly incidents?: readonly (() => Promise<void>)[];
}

const atOnce = 64;

/** Those that no try was accepted of. One in ten is sent twice at the same time, each time. */
export async function sendAll({ numbers, post, accepted, incidents = [] }: SendOptions): Promise<readonly Due[]> {
  const random = new Random('platforms');
  const lost: Due[] = [];
  const due = new Map<number, Due[]>([
    [0, numbers.map((number, index) => ({ platform: platforms[index % platforms.length]!, number, tries: 0 }))],
  ]);
  const send = async (now: number, one: Due): Promise<void> => {
    const { platform, number, tries } = one;
    const answers = await Promise.all(
      Array.from({ length: random.isOneIn(10) ? 2 : 1 }, async () => {
        const isYes = isAccepted[platform](await post(platform, number));
        if (isYes) accepted(platform, number);
        return isYes;
      }),
    );
    if (answers.includes(true)) return;
    const pause = schedules[platform][tries];
    if (pause === undefined) lost.push(one);
    else due.set(now + pause, [...(due.get(now + pause) ?? []), { ...one, tries: tries + 1 }]);
  };
  for (let now = 0; due.size > 0;) {
    now = Math.min(...due.keys());
    const batch = due.get(now) ?? [];
    due.delete(now);
    const [waiting, length] = [batch.values(), batch.length];
    const left = now === 0 ? [...incidents] : [];
    let sent = 0;
    let latest = Promise.resolve();
    const sender = async () => {
      for (const one of waiting) {
        sent += 1;
        const share = length / (incidents.length + 1);
        const next = sent > share * (incidents.length - left.length + 1) ? left.shift() : undefined;
        // One after the other.
        if (next !== undefined) await (latest = latest.then(next));
        await send(now, one);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, sender));
  }
  return lost;
}
