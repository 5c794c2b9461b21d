// What no schema can say of the calls that paycert makes by itself.
import { milliseconds } from '../defaults.ts';
import type { CredentialConfig } from '../schema/credential.ts';
import type { OperatorCertificatesConfig } from '../schema/own-calls.ts';
import type { Platform } from '../../providers/platform.ts';
import type { Sound } from '../sound.ts';
import type { Path } from '../yaml.ts';
import type { Fault } from './fault.ts';
import { platformsOf } from './platforms.ts';

/** Of calls that paycert makes by itself. */
export type OwnCalls = Sound<Pick<CredentialConfig, 'provider' | 'platformCertificates' | 'check' | 'gateway'>>;

/** As WeChat Pay's own SDKs have it, and its page on updating them: at least every twelve hours. */
const everyBetween = ['1h', '12h'] as const;

function* everyFaults(every: string | undefined, path: Path): Generator<Fault> {
  const [shortest, longest] = [milliseconds(everyBetween[0]), milliseconds(everyBetween[1])];
  if (every !== undefined && !(milliseconds(every) >= shortest && milliseconds(every) <= longest))
    yield { path: [...path, 'every'], message: `is not from ${everyBetween.join(' to ')}` };
}

type Ordered = Sound<Pick<CredentialConfig, 'provider'>> & {
  readonly platformCertificates: Sound<OperatorCertificatesConfig> | undefined;
  /** The Secrets of the merchant's own keys. */
  readonly own: readonly (string | undefined)[];
};

/** Of a PaymentCredential: a Secret of the merchant's own keys is nobody's to write into. */
export function* operatorCertificateFaults(
  { provider, platformCertificates, own }: Ordered,
  at: Path,
): Generator<Fault> {
  if (platformCertificates === undefined) return;
  const path = [...at, 'platformCertificates'];
  const { secret, every } = platformCertificates;
  yield* everyFaults(every, path);
  if (secret !== undefined && own.includes(secret))
    yield { path: [...path, 'secret'], message: 'is a Secret of the merchant’s own keys: name another one' };
  for (const { platform } of platformsOf(provider))
    if (platform.certificateList === undefined)
      yield { path, message: `is not for ${platform.name}, which lists no certificates` };
}

type Given = Exclude<Sound<CredentialConfig>['platformCertificates'], 'download' | undefined>;

/** Of a platform that lists them, or hands them out one by one. */
function* certificateFaults(
  platform: Platform,
  options: Record<string, unknown>,
  given: Partial<Given>,
  path: Path,
): Generator<Fault> {
  if (platform.certificateList !== undefined) return;
  if (platform.certificateBySerial === undefined)
    yield { path, message: `is not for ${platform.name}, which lists no certificates` };
  else if (platform.certificateBySerial(options) === undefined)
    yield { path, message: `is not for ${platform.name} with these options: its messages name no certificate` };
  for (const name of ['every', 'secret'] as const)
    if (platform.certificateBySerial !== undefined && given[name] !== undefined)
      yield { path: [...path, name], message: `is not for ${platform.name}, which is asked once a message names a certificate` }; // prettier-ignore
}

/** They are made of a platform that takes them, at an address of its own, and as often as it says. */
export function* ownCallFaults(
  { provider, platformCertificates, check, gateway }: OwnCalls,
  at: Path,
): Generator<Fault> {
  const given = typeof platformCertificates === 'object' ? platformCertificates : {};
  const path = [...at, 'platformCertificates'];
  yield* everyFaults(given.every, path);
  if (given.secret !== undefined && given.every !== undefined)
    yield { path: [...path, 'every'], message: 'is of downloads, and with secret the operator makes them' };
  if (given.namespace !== undefined && given.secret === undefined)
    yield { path: [...path, 'namespace'], message: 'says where a Secret is, and secret is missing', absent: [[...path, 'secret']] }; // prettier-ignore
  if (gateway !== undefined && (platformCertificates ?? check) === undefined)
    yield {
      path: [...at, 'gateway'],
      message: 'says where calls go, and none is made: platformCertificates and check are missing',
      absent: [
        [...at, 'platformCertificates'],
        [...at, 'check'],
      ],
    };
  for (const { platform, options } of platformsOf(provider)) {
    if (platformCertificates !== undefined) yield* certificateFaults(platform, options, given, path);
    if (check !== undefined && platform.liveCheck === undefined)
      yield { path: [...at, 'check'], message: `is not for ${platform.name}, which cannot be asked` };
    const own = platform.origins(options);
    if (gateway?.origin !== undefined && !own.includes(gateway.origin))
      yield { path: [...at, 'gateway', 'origin'], message: `is not one of the platform’s: ${own.join(', ')}` };
  }
}
