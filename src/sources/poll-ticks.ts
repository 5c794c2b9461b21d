// "Look again" for an origin that tells nothing by itself: a cheap question at each poll, a tick where its answer differs from what was read.
import type { Clock } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import type { Tick } from './source.ts';

export interface PollOptions {
  readonly pollMilliseconds: number;
  readonly clock: Clock;
  readonly random: () => number;
  /** What a read would find; undefined where only a read can tell. */
  readonly look: (signal: AbortSignal) => Promise<string | undefined>;
  /** What the last read found, in the same words; of one under way, once it has. */
  readonly seen: () => Promise<string | undefined>;
}

/** How far from the time configured a poll may be, either way, so that many credentials do not ask at once. */
const spread = 0.1;

/** An origin that fails differs from one that was read; as long as it fails alike there is no news, and the reload loop asks again by itself. */
export async function* pollTicks(options: PollOptions, signal: AbortSignal): AsyncGenerator<Tick, void, undefined> {
  const { pollMilliseconds, clock, random, look, seen } = options;
  const isOver = () => signal.aborted;
  yield 'start';
  for (;;) {
    await clock.sleep(pollMilliseconds * (1 - spread + random() * spread * 2), signal);
    if (isOver()) return;
    const found = await look(signal).catch((error: unknown) => {
      if (error instanceof PaycertError) return error.code;
      if (isOver()) return undefined;
      throw error;
    });
    const known = await seen();
    if (isOver()) return;
    // Not `poll`, which counts what an event should have reported: there are no events.
    if (found === undefined || found !== known) yield 'event';
  }
}
