// One tick of Node's queue is kept for ever, so that V8 knows the form of all others after a thorough collection of garbage, too.
import { executionAsyncResource } from 'node:async_hooks';
import { nextTick } from 'node:process';

const kept: object[] = [];

/**
 * Node makes an object with computed names for each tick, some ten for each request. V8 forgets the form of objects of which none is
 * left, makes another one for the next, and looks its names up in the slow way from then on, once it has seen two: two microseconds
 * for each tick in place of a half. To be called before anything collects; returns that tick.
 */
export const keepTick = (): Promise<object> =>
  new Promise((resolve) => {
    nextTick(() => {
      const tick = executionAsyncResource();
      kept.push(tick);
      resolve(tick);
    });
  });
