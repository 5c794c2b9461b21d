// The demo's rotations, good and bad: what is written, and what must come of it.
import type { Clock } from '../../clock.ts';
import type { Event } from '../../events.ts';
import {
  type Files,
  type Gateway,
  rotateApiV3Key,
  rotateMerchant,
  rotatePlatform,
  type WechatpayMaterial,
  withExpiredCertificate,
  withHalfWrittenFile,
  withMismatchedPair,
} from '../../testing/index.ts';
import type { DemoOrigin } from './origins.ts';

/** What became of one write. */
export interface Outcome {
  readonly title: string;
  readonly expected: string;
  /** `swapped`, or the code of the rejection; nothing within the time allowed. */
  readonly actual: string | undefined;
  readonly milliseconds: number;
}

interface Step {
  readonly title: string;
  /** `swapped`, or the code that must reject it. */
  readonly expected: string;
  /** The next good material; bad steps leave it as it is. */
  readonly next?: (material: WechatpayMaterial, now: Date) => Promise<WechatpayMaterial>;
  readonly files?: (material: WechatpayMaterial, now: Date) => Promise<Files>;
}

export const steps: readonly Step[] = [
  {
    title: 'new merchant certificate and key',
    expected: 'swapped',
    next: (material, now) => rotateMerchant(material, { now }),
  },
  {
    title: 'a key of another certificate',
    expected: 'key-mismatch',
    files: (material) => withMismatchedPair(material),
  },
  {
    title: 'new platform certificate, the oldest dropped',
    expected: 'swapped',
    next: (material, now) => rotatePlatform(material, { now }),
  },
  {
    title: 'an expired certificate',
    expected: 'certificate-expired',
    files: (material, now) => withExpiredCertificate(material, { now }),
  },
  {
    title: 'new APIv3 key, the previous one kept',
    expected: 'swapped',
    next: (material) => Promise.resolve(rotateApiV3Key(material)),
  },
  {
    title: 'a half-written private key',
    expected: 'pem-malformed',
    files: (material) => Promise.resolve(withHalfWrittenFile(material)),
  },
];

export interface Rotations {
  readonly origin: Pick<DemoOrigin, 'write'>;
  readonly gateway: Gateway;
  readonly clock: Clock;
  readonly pauseMilliseconds: number;
  /** Resolves with the next event that the test of the step is about. */
  readonly nextReload: () => Promise<Extract<Event, { type: 'swapped' | 'rejected' }>>;
  readonly tell: (outcome: Outcome) => void;
}

const patienceMilliseconds = 15_000;

/** One step after the other until aborted. The platform knows a new certificate before the sidecar does, as in real life. */
export async function rotate(initial: WechatpayMaterial, rotations: Rotations, signal: AbortSignal): Promise<void> {
  const { origin, gateway, clock, pauseMilliseconds } = rotations;
  let material = initial;
  for (let index = 0; ; index++) {
    const step = steps[index % steps.length];
    if (step === undefined) return;
    // Keys take their time to make: not part of the pause, so that steps come evenly.
    const [prepared] = await Promise.all([
      prepare(step, material, clock.now()),
      clock.sleep(pauseMilliseconds, signal),
    ]);
    if (signal.aborted) return;
    if (prepared.material) {
      material = prepared.material;
      gateway.admit(material);
    }
    const started = performance.now();
    const reload = rotations.nextReload();
    await origin.write(prepared.files);
    const patience = new AbortController();
    const event = await Promise.race([reload, clock.sleep(patienceMilliseconds, patience.signal)]);
    patience.abort();
    const actual = event?.type === 'rejected' ? event.error.code : event?.type;
    rotations.tell({ title: step.title, expected: step.expected, actual, milliseconds: performance.now() - started });
  }
}

async function prepare(
  step: Step,
  material: WechatpayMaterial,
  now: Date,
): Promise<{ material?: WechatpayMaterial; files: Files }> {
  if (step.files) return { files: await step.files(material, now) };
  const next = (await step.next?.(material, now)) ?? material;
  return { material: next, files: next.files };
}
