// How large libuv's thread pool is, and how it is divided: threads that sign, and those that foreign calls may hold.
import { availableParallelism } from 'node:os';
import { foreignThreads } from './lanes.ts';

/** However many threads foreign calls hold, two are left: one that signs, and one for the call that comes next. */
export const ownThreads = 2;

/** A thread for each core, and one for each foreign call that may hang. */
export const poolSizeFor = (cores: number, foreign = foreignThreads): number => Math.max(cores, ownThreads) + foreign;

type Environment = Readonly<Record<string, string | undefined>>;

/** As libuv sizes its pool. */
export function poolSize(environment: Environment): number {
  const size = Number.parseInt(environment['UV_THREADPOOL_SIZE'] ?? '', 10);
  return size > 0 ? size : 4;
}

/** What foreign calls may hold of a pool of that size: what the cores do not need, and one of a small one. */
export const foreignPart = (size: number, cores: number): number =>
  Math.min(Math.max(size - Math.max(cores, ownThreads), 1), foreignThreads);

/** The threads that foreign calls never hold. */
export function signingThreads(environment: Environment, cores = availableParallelism()): number {
  const size = poolSize(environment);
  return Math.max(size - foreignPart(size, cores), 1);
}

/** As a limiter of signatures takes it: the threads that foreign calls never hold, and all of the pool. */
export const signingPool = (environment: Environment): readonly [signing: number, all: number] => [
  signingThreads(environment),
  poolSize(environment),
];
