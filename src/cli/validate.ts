// paycert validate: the very checks that a swap runs, offline, all violations and not only the first.
import { systemClock } from '../clock.ts';
import { buildCredential, buildPolicy } from '../running/build.ts';
import type { CredentialConfig } from '../config/schema/credential.ts';
import { PaycertError } from '../errors.ts';
import type { Capability, KeyFacts, SigningContext } from '../providers/provider.ts';
import { roleOf } from '../providers/roles.ts';
import { findViolations } from '../store/checks.ts';
import { readConfig } from './sidecar.ts';
import { date, paint, print } from './table.ts';

interface Verdict {
  readonly credential: string;
  readonly violations: readonly PaycertError[];
  readonly warnings: readonly PaycertError[];
  /** What the material can do now, such as `sign`; of material that is refused, nothing. */
  readonly can: readonly string[];
  readonly cannot: readonly string[];
  /** Keys in use that end within 30 days, the first to end first. */
  readonly ending: readonly Ending[];
}

interface Ending {
  readonly role: string;
  readonly keyId: string;
  readonly notAfter: Date;
  readonly days: number;
}

const soonDays = 30;
const day = 86_400_000;

const unusable = 65;

/** Exit code 0: all fit. 65: some material is not. A configuration that is not valid is thrown; as JSON it is printed too. */
export async function validate(configPath: string, isJson: boolean, signal: AbortSignal): Promise<number> {
  const config = await readConfig(configPath).catch((error: unknown) => {
    if (isJson && error instanceof PaycertError) {
      printJson({ valid: false, error: describe(error), others: error.others.map(describe), credentials: [] });
    }
    throw error;
  });
  const verdicts: Verdict[] = [];
  for (const credential of config.credentials) verdicts.push(await judge(credential, signal));
  const isValid = verdicts.every(({ violations }) => violations.length === 0);
  if (isJson) printJson({ valid: isValid, credentials: verdicts.map(toJson) });
  else print(verdicts.length === 0 ? 'no credentials' : verdicts.map(render).join('\n'));
  return isValid ? 0 : unusable;
}

const printJson = (value: object): void => print(JSON.stringify(value, undefined, 2));

async function judge(config: CredentialConfig, signal: AbortSignal): Promise<Verdict> {
  const { name, provider, source, older } = buildCredential(config, {
    clock: systemClock,
    observe: () => undefined,
    environment: process.env,
  });
  try {
    const { data } = await source.read(signal);
    const now = systemClock.now();
    const context = await provider.load(data);
    const violations = await findViolations({ context, current: undefined, older }, now);
    const warnings = context.set.warnings(now);
    if (violations.length > 0) return { ...nothing, credential: name, violations, warnings };
    const able = context.set.capabilities(now);
    const unmet = findUnmet(able, buildPolicy(config).requires);
    const ending = findEnding(context.set.keys, now);
    return { credential: name, violations: unmet, warnings, ...describeAbilities(context, able), ending };
  } catch (error) {
    if (!(error instanceof PaycertError)) throw error;
    return { ...nothing, credential: name, violations: [error], warnings: [] };
  }
}

const nothing = { can: [], cannot: [], ending: [] } as const;

/** `encrypt` goes by the keys that verify: both are the platform's. */
function describeAbilities({ operations }: SigningContext, able: ReadonlySet<Capability>) {
  const offered = [
    ...(operations.sign ? ['sign'] : []),
    ...(operations.verify ? ['verify'] : []),
    ...(operations.decrypt ? ['decrypt'] : []),
  ] as Capability[];
  const all = [...new Set([...offered, ...able])];
  const can: string[] = all.filter((capability) => able.has(capability));
  const cannot: string[] = all.filter((capability) => !able.has(capability));
  if (operations.encrypt) (able.has('verify') ? can : cannot).push('encrypt');
  return { can, cannot };
}

/** Keys that were replaced are meant to end. */
function findEnding(keys: readonly KeyFacts[], now: Date): readonly Ending[] {
  return keys
    .flatMap(({ role, keyId, notAfter }) => {
      const days = notAfter === undefined ? Infinity : (notAfter.getTime() - now.getTime()) / day;
      const isInUse = roleOf(role)?.isReplaced !== true;
      return notAfter && isInUse && days >= 0 && days < soonDays
        ? [{ role, keyId, notAfter, days: Math.floor(days) }]
        : [];
    })
    .sort((one, other) => one.notAfter.getTime() - other.notAfter.getTime());
}

/** A sidecar loads such material and is not ready with it: before a deployment, that is a violation. */
function findUnmet(able: ReadonlySet<Capability>, required: readonly Capability[]): PaycertError[] {
  return required
    .filter((capability) => !able.has(capability))
    .map(
      (capability) =>
        new PaycertError('requirement-unmet', `the material cannot ${capability}, and \`require\` asks for it`, {
          field: 'require',
        }),
    );
}

const describe = ({ code, message, hint, field }: PaycertError) => ({
  code,
  detail: message,
  hint,
  ...(field !== undefined && { field }),
});

const toJson = ({ credential, violations, warnings, can, cannot, ending }: Verdict) => ({
  name: credential,
  valid: violations.length === 0,
  can,
  cannot,
  ending: ending.map(({ role, keyId, notAfter }) => ({ role, keyId, notAfter: notAfter.toISOString() })),
  violations: violations.map(describe),
  warnings: warnings.map(describe),
});

const list = (label: string, errors: readonly PaycertError[]): string[] =>
  errors.map(({ code, message, hint }) => `  ${label} ${message} (${code})\n         ${hint}`);

function render({ credential, violations, warnings, can, cannot, ending }: Verdict): string {
  const verdict = violations.length === 0 ? paint('green', 'valid') : paint('red', 'not valid');
  return [
    `${credential}: ${verdict}`,
    ...(can.length > 0
      ? [`  can    ${can.join(', ')}${cannot.length > 0 ? `; cannot ${cannot.join(', ')}` : ''}`]
      : []),
    ...ending.map(
      ({ role, keyId, notAfter, days }) => `  ends   ${role} ${keyId} on ${date(notAfter)}, in ${days} days`,
    ),
    ...list(paint('red', 'error:'), violations),
    ...list(paint('yellow', 'warn: '), warnings),
  ].join('\n');
}
