// Thousands of kubelet-style swaps under a real sidecar while callers sign and verify: what is measured, and what must hold.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSecretVolume, createWechatpayMaterial, type WechatpayMaterial } from '../../src/testing/index.ts';
import { median } from '../bench/fixture.ts';
import { Crowd } from './crowd.ts';
import { rotations } from './rotations.ts';
import { type Sidecar, startSidecar } from './sidecar.ts';

export interface SoakOptions {
  readonly swaps: number;
  readonly callers: number;
  /** Milliseconds that a caller waits between two calls. */
  readonly pause: number;
  /** No swap begins later. */
  readonly milliseconds: number;
  readonly tell: (line: string) => void;
}

/** Something that must hold, with its figures. */
export interface Verdict {
  readonly what: string;
  readonly isMet: boolean;
}

const merchantId = '1900000001';

/** Twice the poll: whatever was missed has been repaired by then. */
const longestWait = 20_000;

/** How much more memory the last fifth may take than the second, at the median. */
const allowedGrowth = 1.1;

const inTime = (seen: Promise<void>): Promise<boolean> =>
  Promise.race([seen.then(() => true), sleep(longestWait, false, { ref: false })]);

interface Rotated {
  readonly made: number;
  readonly late: number;
  readonly last: WechatpayMaterial;
  readonly seconds: number;
}

/** Publishes version after version; most wait until they are current, every tenth is overtaken at once. */
async function rotate(
  first: WechatpayMaterial,
  secret: string,
  crowd: Crowd,
  { swaps, milliseconds, tell }: SoakOptions,
): Promise<Rotated> {
  const volume = await createSecretVolume(secret, first.files);
  const versions = rotations(first);
  const prepare = async () => {
    const { value: version } = await versions.next();
    crowd.announce(version);
    return { version, write: await volume.prepare(version.files) };
  };
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  let late = 0;
  let upcoming = await prepare();
  for (let made = 1; ; made++) {
    const { version, write } = upcoming;
    await write.publish();
    const seen = crowd.seen(version);
    const isLast = made === swaps || performance.now() - started > milliseconds;
    await write.cleanup();
    // While it becomes current: making a version takes as long as a swap.
    if (!isLast) upcoming = await prepare();
    if (made % 10 !== 0) {
      if (!(await inTime(seen))) late += 1;
      crowd.follow(version);
    }
    if (made % 500 === 0) tell(`${made} swaps in ${seconds().toFixed(0)} s`);
    if (isLast) return { made, late, last: version, seconds: seconds() };
  }
}

async function sampleMemory(sidecar: Sidecar, signal: AbortSignal): Promise<number[]> {
  const samples: number[] = [];
  while (!signal.aborted) {
    samples.push(await sidecar.residentMegabytes());
    await sleep(250, undefined, { signal }).catch(() => undefined);
  }
  return samples;
}

const verdict = (isMet: boolean, what: string): Verdict => ({ isMet, what });

function judgeMemory(samples: readonly number[]): Verdict {
  const fifths = Array.from({ length: 5 }, (_, index) =>
    median(samples.slice((samples.length * index) / 5, (samples.length * (index + 1)) / 5)),
  );
  const [, second = 0, , , fifth = 0] = fifths;
  const figures = fifths.map((megabytes) => megabytes.toFixed(1)).join(', ');
  return verdict(
    fifth <= second * allowedGrowth,
    `resident memory, medians of the five fifths: ${figures} MB; last ÷ second ${(fifth / second).toFixed(3)}`,
  );
}

export async function soak(options: SoakOptions): Promise<Verdict[]> {
  const directory = await mkdtemp(join(tmpdir(), 'paycert-soak-'));
  const secret = join(directory, 'secret');
  const first = await createWechatpayMaterial({ merchantId, now: new Date() });
  await createSecretVolume(secret, first.files);
  const sidecar = await startSidecar(directory, secret, merchantId);
  let crowd: Crowd | undefined;
  try {
    await sleep(1000);
    const before = await sidecar.openHandles();
    crowd = new Crowd(sidecar.socket, options, first);
    const sampling = new AbortController();
    const memory = sampleMemory(sidecar, sampling.signal);
    const { made, late, last, seconds } = await rotate(first, secret, crowd, options);
    const isLastCurrent = await inTime(crowd.seen(last));
    sampling.abort();
    const samples = await memory;
    const { signed, verified, failed, wrong, firstFailure } = await crowd.stop();
    await sleep(2000);
    const after = await sidecar.openHandles();
    const exitCode = await sidecar.stop();
    const calls = signed + verified + failed;
    const why = firstFailure === undefined ? '' : `, first: ${firstFailure}`;
    const logged = JSON.stringify(Object.fromEntries(sidecar.logged));
    return [
      verdict(
        made === options.swaps,
        `${made} of ${options.swaps} swaps in ${seconds.toFixed(0)} s, ${crowd.versionsSeen} versions seen by callers`,
      ),
      verdict(failed === 0, `${failed} of ${calls} calls failed (${(calls / seconds).toFixed(0)} per second)${why}`),
      verdict(wrong === 0, `${wrong} of ${signed} signatures do not verify against the certificate that is named`),
      verdict(late === 0, `${late} versions were not current within ${longestWait / 1000} s`),
      verdict(isLastCurrent, 'the final version is current'),
      judgeMemory(samples),
      verdict(
        after.descriptors <= before.descriptors && after.watches <= before.watches,
        `file descriptors ${before.descriptors} before, ${after.descriptors} after; inotify watches ${before.watches}, ${after.watches}`,
      ),
      verdict(exitCode === 0, `it ended with exit code ${String(exitCode)}`),
      verdict(!sidecar.logged.has('internal-error') && !sidecar.logged.has('rejected'), `it logged ${logged}`),
    ];
  } finally {
    crowd?.kill();
    await sidecar.stop();
    await rm(directory, { recursive: true, force: true });
  }
}
