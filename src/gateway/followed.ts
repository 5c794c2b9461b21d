// What is learned of a credential beside its material, and a source's news of it: followed by the reload loops that want to hear.
import type { Tick } from '../sources/source.ts';
import type { Schedule, Scheduled } from './schedule.ts';

export interface Followed extends Scheduled {
  readonly isFollowed: boolean;
  /** Calls `changed` whenever there is something new, until what it returns is called. */
  follow(changed: () => void): () => void;
}

/** A tick at the start, and one whenever there is something new. Who is followed has turns of the schedule. */
export async function* newsOf(
  followed: Followed,
  schedule: Pick<Schedule, 'add' | 'delete'>,
  signal: AbortSignal,
): AsyncGenerator<Tick, void, undefined> {
  const news = { hasCome: false };
  let wake: () => void = () => undefined;
  const leave = followed.follow(() => {
    news.hasCome = true;
    wake();
  });
  schedule.add(followed);
  const isOver = () => signal.aborted;
  const end = () => wake();
  signal.addEventListener('abort', end);
  try {
    yield 'start';
    while (!isOver()) {
      if (!news.hasCome) await new Promise<void>((resolve) => (wake = resolve));
      const { hasCome } = news;
      news.hasCome = false;
      if (hasCome && !isOver()) yield 'event';
    }
  } finally {
    signal.removeEventListener('abort', end);
    leave();
    if (!followed.isFollowed) schedule.delete(followed);
  }
}
