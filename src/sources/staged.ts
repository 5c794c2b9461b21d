// Source → Source: two sets of one credential, of which one signs: the current one, and the next one from its activation on.
import { isDeepStrictEqual } from 'node:util';
import { type Clock, longestSleep, pause } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import { changesAt, isEverywhere, shareAt, signsCall, signsIn } from './activation.ts';
import { mergeChanges } from './merge.ts';
import type { Schedule } from './schedule.ts';
import { Trial, type TrialLimits } from './trial.ts';
import { type Material, material, type Source, type Tick } from './source.ts';

export interface StagedOptions {
  readonly current: Source;
  readonly next: Source;
  readonly schedule: Schedule;
  /** How much a platform may refuse of what the next set signs by its share. */
  readonly canary: TrialLimits;
  /** What tells this pod from the others. */
  readonly pod: string;
  readonly clock: Clock;
}

/** What cannot be read of the set that does not sign is said, and stands in nobody's way. */
export function staged({ current, next, schedule, canary, pod, clock }: StagedOptions): Source {
  let activation = schedule.configured;
  let wake = (): void => undefined;
  const trial = new Trial(canary, () => wake());
  const activated = () => signsIn(activation, { now: clock.now(), pod, next: next.name });

  async function learn(signal: AbortSignal): Promise<void> {
    const said = await schedule.read(signal);
    if (isDeepStrictEqual(said, activation)) return;
    activation = said;
    trial.forget();
    wake();
  }

  /** What the next set signs: as it is activated, and nothing while its platform refuses it. One that signs everywhere is on no trial. */
  function maySign(material: Material | PaycertError): ReturnType<typeof activated> {
    const wanted = activated();
    const isOnTrial =
      wanted !== 'nothing' && !isEverywhere(activation, clock.now()) && !(material instanceof PaycertError);
    if (isOnTrial) return trial.mayBegin(`${material.revision} ${JSON.stringify(activation)}`) ? wanted : 'nothing';
    trial.end();
    return wanted;
  }

  async function* due(signal: AbortSignal): AsyncGenerator<Tick, void, undefined> {
    yield 'start';
    const isOver = () => signal.aborted;
    const state = () => `${shareAt(activation, clock.now())} ${trial.rejections}`;
    let before = state();
    while (!isOver()) {
      const left = (changesAt(activation, clock.now())?.getTime() ?? 0) - clock.now().getTime();
      const wait = pause(clock, left > 0 ? left : longestSleep, signal);
      wake = wait.end;
      await wait.over;
      wait.end();
      if (!isOver() && state() !== before) yield 'event';
      before = state();
    }
  }

  return {
    name: `staged(${current.name} ${next.name})`,

    async read(signal): Promise<Material> {
      await learn(signal);
      const sets = await Promise.all([settled(current.read(signal)), settled(next.read(signal))]);
      const part = maySign(sets[1]);
      const isNext = part === 'everything';
      const isRejected = part === 'nothing' && activated() !== 'nothing';
      const [signing, other] = isNext ? [sets[1], sets[0]] : sets;
      if (signing instanceof PaycertError) throw signing;
      const { data, revision, changedAt, ...about } = signing;
      const share = shareAt(activation, clock.now());
      return material(data, {
        ...about,
        // That of an activated set is when it was activated, which no origin says of a share.
        ...(changedAt && !isNext && { changedAt }),
        ...(other instanceof PaycertError ? {} : unitedOf(about, other)),
        staged: {
          isActive: isNext,
          isRejected,
          activation,
          share,
          other: other instanceof PaycertError ? other : other.data,
          ...(part === 'some' && { signs: (call: string) => signsCall(share, { call, next: next.name }) }),
          ...(part !== 'nothing' && share < 100 && { judge: (isRefused: boolean) => trial.note(isRefused) }),
        },
      });
    },

    changes: (signal) => mergeChanges([current, next, { changes: due }, ...followable(schedule)], signal),
  };
}

const followable = ({ changes }: Schedule): readonly Pick<Source, 'changes'>[] => (changes ? [{ changes }] : []);

/** What somebody should know of either set. */
const unitedOf = (one: Partial<Material>, other: Material): Partial<Material> => ({
  mayBeTorn: one.mayBeTorn === true || other.mayBeTorn === true,
  frozenPaths: [...(one.frozenPaths ?? []), ...(other.frozenPaths ?? [])],
  copies: [...(one.copies ?? []), ...(other.copies ?? [])],
});

async function settled(read: Promise<Material>): Promise<Material | PaycertError> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof PaycertError) return error;
    throw error;
  }
}
