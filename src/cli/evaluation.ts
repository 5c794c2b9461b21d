// What is said of one credential's material before it is deployed: the checks of a swap, what it can do, what ends soon, what counts for nothing.
import type { CredentialConfig } from '../config/schema/credential.ts';
import { PaycertError } from '../errors.ts';
import type { Capability, SigningContext } from '../providers/provider.ts';
import { platformOf } from '../providers/registry.ts';
import { buildPolicy } from '../running/build.ts';
import { type Ability, abilitiesOf, type Ending, endingSoon } from '../store/abilities.ts';
import { findViolations, refusalOf } from '../store/checks.ts';
import { date, listIgnored, paint } from './table.ts';

export interface Evaluation {
  readonly credential: string;
  readonly violations: readonly PaycertError[];
  /** When it becomes valid by itself: it is good, and only too early. */
  readonly deferredUntil?: Date | undefined;
  readonly warnings: readonly PaycertError[];
  /** What the material can do now; of material that is refused, nothing. */
  readonly can: readonly Ability[];
  readonly cannot: readonly Ability[];
  /** What it can do once the certificates of its platform are downloaded. */
  readonly later: readonly Ability[];
  /** Parts whose absence is why it cannot. */
  readonly missing: readonly string[];
  readonly ending: readonly Ending[];
  /** Names in the material that the provider does not read. */
  readonly ignored: readonly string[];
}

interface Subject {
  readonly config: CredentialConfig;
  readonly older: 'accept' | 'reject';
}

/** Every violation and not only the first. Material that a sidecar loads and is not ready with is a violation too. */
export async function evaluate(
  { config, older }: Subject,
  load: () => Promise<SigningContext>,
  now: Date,
): Promise<Evaluation> {
  const nothing = {
    credential: config.name,
    warnings: [],
    can: [],
    cannot: [],
    later: [],
    missing: [],
    ending: [],
    ignored: [],
  };
  try {
    const context = await load();
    const candidate = { context, current: undefined, older };
    const violations = await findViolations(candidate, now);
    const { ignored = [] } = context.set;
    const warnings = context.set.warnings(now);
    if (violations.length > 0) {
      const refusal = await refusalOf(candidate, violations);
      const deferredUntil = refusal?.outcome === 'deferred' ? refusal.until : undefined;
      return { ...nothing, violations, warnings, ignored, deferredUntil };
    }
    const able = abilitiesOf(context, now);
    const { can } = able;
    // Each entry of the list opens with the APIv3 key.
    const isDownloaded = config.platformCertificates !== undefined && can.includes('decrypt');
    const later = able.cannot.filter((ability) => isDownloaded && downloaded.has(ability));
    const cannot = able.cannot.filter((ability) => !later.includes(ability));
    return {
      credential: config.name,
      violations: findUnmet(new Set([...can, ...later]), buildPolicy(config).requires),
      warnings,
      can,
      cannot,
      later,
      missing: missingFor(cannot, config.provider),
      ending: endingSoon(context.set.keys, now),
      ignored,
    };
  } catch (error) {
    if (!(error instanceof PaycertError)) throw error;
    return { ...nothing, violations: [error, ...error.others] };
  }
}

/** What the platform's certificates are for. */
const downloaded: ReadonlySet<Ability> = new Set(['verify', 'encrypt']);

function missingFor(cannot: readonly Ability[], provider: CredentialConfig['provider']): readonly string[] {
  const { platform, options } = platformOf(provider);
  const supplies = platform.supplies?.(options) ?? {};
  return [...new Set(cannot.flatMap((ability) => supplies[ability] ?? []))];
}

function findUnmet(able: ReadonlySet<Ability>, required: readonly Capability[]): PaycertError[] {
  return required
    .filter((capability) => !able.has(capability))
    .map(
      (capability) =>
        new PaycertError('requirement-unmet', `the material cannot ${capability}, and \`require\` asks for it`, {
          field: 'require',
        }),
    );
}

export const describe = ({ code, message, hint, field }: PaycertError) => ({
  code,
  detail: message,
  hint,
  ...(field !== undefined && { field }),
});

export const toJson = ({ credential, violations, deferredUntil, warnings, ending, ...rest }: Evaluation) => ({
  name: credential,
  valid: violations.length === 0,
  ...(deferredUntil && { deferredUntil: deferredUntil.toISOString() }),
  ...rest,
  ending: ending.map(({ role, keyId, notAfter }) => ({ role, keyId, notAfter: notAfter.toISOString() })),
  violations: violations.map(describe),
  warnings: warnings.map(describe),
});

const list = (label: string, errors: readonly PaycertError[]): string[] =>
  errors.map(({ code, message, hint }) => `  ${label} ${message} (${code})\n         ${hint}`);

function summaryOf({ violations, deferredUntil }: Evaluation): string {
  if (violations.length === 0) return paint('green', 'valid');
  return deferredUntil ? paint('yellow', `deferred until ${deferredUntil.toISOString()}`) : paint('red', 'not valid');
}

export function render(evaluation: Evaluation): string {
  const { credential, violations, deferredUntil, warnings, can, cannot, later, missing, ending, ignored } = evaluation;
  return [
    `${credential}: ${summaryOf(evaluation)}`,
    ...(can.length > 0 ? [`  can    ${can.join(', ')}`] : []),
    ...(cannot.length > 0 ? [`  cannot ${cannot.join(', ')}`] : []),
    ...(later.length > 0 ? [`  later  ${later.join(', ')}: once the platform certificates are downloaded`] : []),
    ...missing.map((what) => `  add    ${what}`),
    ...ending.map(
      ({ role, keyId, notAfter, days }) => `  ends   ${role} ${keyId} on ${date(notAfter)}, in ${days} days`,
    ),
    ...(ignored.length > 0 ? [`  unread ${listIgnored(ignored)}`] : []),
    ...list(deferredUntil ? paint('yellow', 'later:') : paint('red', 'error:'), violations),
    ...list(paint('yellow', 'warn: '), warnings),
  ].join('\n');
}
