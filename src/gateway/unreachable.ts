// No connection to any host of a platform: each that was tried, and what the system says of it.
import { PaycertError } from '../errors.ts';

interface Tried {
  readonly host: string;
  /** Of the system or of undici. */
  readonly code: string;
}

export class Unreachable extends PaycertError {
  readonly tried: readonly Tried[];

  constructor(tried: readonly Tried[]) {
    const hosts = tried.map(({ host, code }) => `to ${host} (${code})`).join(', and none ');
    super('gateway-unreachable', `no connection ${hosts}: nothing was sent`);
    this.tried = tried;
  }
}

/** The last of several failures, with the hosts that were tried before it where no byte has left for any of them. */
export const withHostsBefore = (before: readonly unknown[], last: unknown): unknown =>
  last instanceof Unreachable && before.every((error) => error instanceof Unreachable)
    ? new Unreachable([...before, last].flatMap(({ tried }) => tried))
    : last;
