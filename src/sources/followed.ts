// An origin that tells of its changes: what a look finds is news unless it was read already, or is being read now.
import { PaycertError } from '../errors.ts';
import type { Material, Source, Tick } from './source.ts';

/** What an origin holds, in words that are equal for equal content; `position`: since when to ask for more, where it says so. */
export interface Found<P> {
  readonly state: string;
  readonly position?: P;
}

/** One run of `changes`. */
export interface Follower<P> {
  /** What a read would find. @throws PaycertError of kind source */
  look(signal: AbortSignal): Promise<Found<P>>;
  /** Until another look is worth its cost; `position` as the look found it. */
  pause(position: P | undefined, signal: AbortSignal): Promise<void>;
}

export interface FollowedOptions<P> {
  readonly name: string;
  /** All of it, and its state in the words of `look`. @throws PaycertError of kind source */
  readonly read: (signal: AbortSignal) => Promise<{ readonly material: Material; readonly state: string }>;
  readonly follow: () => Follower<P>;
}

export function followed<P>({ name, read, follow }: FollowedOptions<P>): Source {
  /** What was read last, or the code of what was wrong. */
  let seen: string | undefined;
  /** The read under way, or the last one. */
  let reading: Promise<unknown> | undefined;

  async function readNow(signal: AbortSignal): Promise<Material> {
    seen = undefined;
    try {
      const { material, state } = await read(signal);
      seen = state;
      return material;
    } catch (error) {
      if (error instanceof PaycertError) seen = error.code;
      throw error;
    }
  }

  return {
    name,

    read(signal) {
      const material = readNow(signal);
      reading = material.catch(() => undefined);
      return material;
    },

    async *changes(signal): AsyncGenerator<Tick, void, undefined> {
      const follower = follow();
      const isOver = () => signal.aborted;
      yield 'start';
      for (;;) {
        const found = await follower.look(signal).catch((error: unknown): Found<P> | undefined => {
          if (error instanceof PaycertError) return { state: error.code };
          if (isOver()) return undefined;
          throw error;
        });
        // What it is about to see is no news.
        await reading;
        if (found === undefined || isOver()) return;
        if (found.state !== seen) yield 'event';
        await follower.pause(found.position, signal);
        if (isOver()) return;
      }
    },
  };
}
