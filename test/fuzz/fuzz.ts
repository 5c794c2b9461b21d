// The targets, each with its share of the inputs, and one run over the inputs of a target.
import type { Corpus } from './corpus.ts';
import { makeCorpus } from './corpus.ts';
import { Random } from './random.ts';
import type { Fate, Target } from './target.ts';
import { apiBodies } from './targets/api-bodies.ts';
import { apiHeads } from './targets/api-heads.ts';
import { certificateLists } from './targets/certificate-lists.ts';
import { config } from './targets/config.ts';
import { containers } from './targets/containers.ts';
import { wholeMaterial } from './targets/material.ts';
import { names } from './targets/names.ts';
import { notificationRequests } from './targets/notification-requests.ts';
import { notifications } from './targets/notifications.ts';
import { pkcs12 } from './targets/pkcs12.ts';
import { platformAnswers } from './targets/platform-answers.ts';
import { proxyRequests } from './targets/proxy-requests.ts';
import { revocation } from './targets/revocation.ts';
import { serialCertificates } from './targets/serial-certificates.ts';
import { statuses } from './targets/statuses.ts';

interface Row {
  /** Of a hundred inputs. */
  readonly share: number;
  readonly start: (corpus: Corpus) => Promise<Target>;
}

/** The slowest first, so that none is left alone at the end. */
export const targets = {
  material: { share: 15, start: wholeMaterial },
  'api-bodies': { share: 11, start: apiBodies },
  names: { share: 4, start: names },
  statuses: { share: 3, start: statuses },
  pkcs12: { share: 8, start: pkcs12 },
  containers: { share: 14, start: containers },
  revocation: { share: 8, start: revocation },
  notifications: { share: 5, start: notifications },
  'notification-requests': { share: 4, start: notificationRequests },
  'api-heads': { share: 8, start: apiHeads },
  config: { share: 10, start: config },
  'proxy-requests': { share: 3, start: proxyRequests },
  'certificate-lists': { share: 2, start: certificateLists },
  'serial-certificates': { share: 2, start: serialCertificates },
  'platform-answers': { share: 3, start: platformAnswers },
} as const satisfies Record<string, Row>;

export type TargetName = keyof typeof targets;
export const targetNames = Object.keys(targets) as TargetName[];

/** An input that takes more CPU is a failure; most take a few milliseconds. Derivations of keys are the costliest that may be. */
const budgetMilliseconds = 2000;

export interface Result {
  readonly index: number;
  /** Of CPU in the whole process: other programs on the machine do not count. */
  readonly milliseconds: number;
  readonly fate: Fate | 'failed';
  /** Why it failed. */
  readonly reason?: string;
}

/** Tries the inputs from one index up to, and without, another. Each follows from seed, target and index alone. */
export async function* tryInputs(name: TargetName, seed: string, from: number, to: number): AsyncGenerator<Result> {
  await using target = await targets[name].start(await makeCorpus(seed));
  for (let index = from; index < to; index++) {
    const started = process.cpuUsage();
    const outcome = await tryOne(target, new Random(`${seed}/${name}/${index}`));
    const { user, system } = process.cpuUsage(started);
    const milliseconds = (user + system) / 1000;
    if (outcome.fate !== 'failed' && milliseconds > budgetMilliseconds) {
      yield { index, milliseconds, fate: 'failed', reason: `took ${milliseconds.toFixed(0)} ms of CPU` };
    } else yield { index, milliseconds, ...outcome };
  }
}

async function tryOne(target: Target, random: Random): Promise<Pick<Result, 'fate' | 'reason'>> {
  try {
    return { fate: await target.run(random) };
  } catch (error) {
    return { fate: 'failed', reason: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

/** What became of the inputs of one target. */
export class Tally {
  inputs = 0;
  accepted = 0;
  refused = 0;
  readonly failures: Result[] = [];
  slowest: Pick<Result, 'index' | 'milliseconds'> = { index: 0, milliseconds: 0 };

  add(result: Result): void {
    this.inputs += 1;
    if (result.fate === 'failed') this.failures.push(result);
    else this[result.fate] += 1;
    if (result.milliseconds > this.slowest.milliseconds) this.slowest = result;
  }
}
