// paycert validate: the very checks that a swap runs, offline, all violations and not only the first.
import { systemClock } from '../clock.ts';
import { buildCredential, buildPolicy } from '../running/build.ts';
import type { CredentialConfig } from '../config/schema/credential.ts';
import { PaycertError } from '../errors.ts';
import type { Capability } from '../providers/provider.ts';
import { findViolations } from '../store/checks.ts';
import { readConfig } from './sidecar.ts';
import { paint, print } from './table.ts';

interface Verdict {
  readonly credential: string;
  readonly violations: readonly PaycertError[];
  readonly warnings: readonly PaycertError[];
}

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
    const unmet = violations.length > 0 ? [] : findUnmet(context.set.capabilities(now), buildPolicy(config).requires);
    return { credential: name, violations: [...violations, ...unmet], warnings: context.set.warnings(now) };
  } catch (error) {
    if (!(error instanceof PaycertError)) throw error;
    return { credential: name, violations: [error], warnings: [] };
  }
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

const toJson = ({ credential, violations, warnings }: Verdict) => ({
  name: credential,
  valid: violations.length === 0,
  violations: violations.map(describe),
  warnings: warnings.map(describe),
});

const list = (label: string, errors: readonly PaycertError[]): string[] =>
  errors.map(({ code, message, hint }) => `  ${label} ${message} (${code})\n         ${hint}`);

function render({ credential, violations, warnings }: Verdict): string {
  const verdict = violations.length === 0 ? paint('green', 'valid') : paint('red', 'not valid');
  return [
    `${credential}: ${verdict}`,
    ...list(paint('red', 'error:'), violations),
    ...list(paint('yellow', 'warn: '), warnings),
  ].join('\n');
}
