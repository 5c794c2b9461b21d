// A certificate that is issued for a key made here: again at two thirds of its life and when it was revoked, and never because somebody reads.
import { type Clock, longestSleep } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import { type Material, material, type Source, type Tick } from './source.ts';

/** What issues. */
export interface Issuer {
  readonly name: string;
  /** @throws PaycertError of kind source */
  issue(signal: AbortSignal): Promise<{
    readonly files: ReadonlyMap<string, Uint8Array>;
    readonly serial: string;
    readonly notAfter: Date;
  }>;
  /** @throws PaycertError of kind source */
  isRevoked(serial: string, signal: AbortSignal): Promise<boolean>;
}

export interface IssuedOptions {
  readonly issuer: Issuer;
  /** Keeps our token alive while there is somebody to issue for. */
  readonly keep: () => Disposable;
  /** How often to ask whether it has been revoked. */
  readonly pollMilliseconds: number;
  readonly clock: Clock;
  readonly random: () => number;
}

interface Held {
  readonly material: Material;
  readonly serial: string;
  readonly issuedAt: number;
  readonly renewAt: number;
}

/** Between two attempts; also after one that gave a certificate that is over at once. */
const pause = { shortestMilliseconds: 1000, longestMilliseconds: 60_000 };

export function issued({ issuer, keep, pollMilliseconds, clock, random }: IssuedOptions): Source {
  let held: Held | undefined;
  let failure: PaycertError | undefined;
  const now = () => clock.now().getTime();

  async function issue(signal: AbortSignal): Promise<void> {
    const { files, serial, notAfter } = await issuer.issue(signal);
    const issuedAt = now();
    const renewAt = issuedAt + ((notAfter.getTime() - issuedAt) * 2) / 3;
    const about = { version: serial, changedAt: new Date(issuedAt) };
    held = { material: material(files, about), serial, issuedAt, renewAt };
  }

  /** A clock that was set back says nothing about the life that is left. */
  const isDue = () => held === undefined || now() >= held.renewAt || now() < held.issuedAt;

  /** What cannot be asked is no news: the time to renew comes all the same. */
  async function isRevoked(signal: AbortSignal): Promise<boolean> {
    if (held === undefined) return false;
    return issuer.isRevoked(held.serial, signal).catch((error: unknown) => {
      if (error instanceof PaycertError || signal.aborted) return false;
      throw error;
    });
  }

  return {
    name: issuer.name,

    async read(): Promise<Material> {
      if (failure !== undefined) throw failure;
      if (held !== undefined) return held.material;
      throw new PaycertError('not-issued-here', `${issuer.name} has issued nothing in this process, and reading does not make it`); // prettier-ignore
    },

    async *changes(signal): AsyncGenerator<Tick, void, undefined> {
      using _ = keep();
      const isOver = () => signal.aborted;
      let tick: Tick | undefined = 'start';
      let failures = 0;
      let mustIssue = false;
      for (;;) {
        if (mustIssue || isDue()) {
          const before = failure;
          failure = await issue(signal).then(
            () => undefined,
            (error: unknown) => {
              if (error instanceof PaycertError) return error;
              if (isOver()) return before;
              throw error;
            },
          );
          if (isOver()) return;
          failures = failure === undefined ? 0 : failures + 1;
          mustIssue &&= failure !== undefined;
          // While it fails alike there is no news.
          if (failure === undefined || failure.code !== before?.code) tick ??= 'event';
        }
        if (tick !== undefined) yield tick;
        tick = undefined;
        await clock.sleep(untilNext(failures), signal);
        if (isOver()) return;
        mustIssue ||= failures === 0 && !isDue() && (await isRevoked(signal));
        if (isOver()) return;
      }
    },
  };

  function untilNext(failures: number): number {
    const { shortestMilliseconds, longestMilliseconds } = pause;
    if (failures > 0)
      return (
        Math.min(shortestMilliseconds * 2 ** Math.min(failures - 1, 16), longestMilliseconds) * (0.5 + random() / 2)
      );
    const left = (held?.renewAt ?? 0) - now();
    return Math.max(Math.min(left, pollMilliseconds * (0.9 + random() / 5), longestSleep), 0);
  }
}
