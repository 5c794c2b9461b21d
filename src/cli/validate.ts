// paycert validate: the very checks that a swap runs, offline, all violations and not only the first.
import { systemClock } from '../clock.ts';
import { buildCredential } from '../config/build.ts';
import type { CredentialConfig } from '../config/schema.ts';
import { PaycertError } from '../errors.ts';
import { findViolations } from '../store/checks.ts';
import { readConfig } from './sidecar.ts';
import { paint, print } from './table.ts';

interface Verdict {
  readonly credential: string;
  readonly violations: readonly PaycertError[];
  readonly warnings: readonly PaycertError[];
}

const unusable = 65;

/** Exit code 0: all fit. 65: some material is not. A configuration that is not valid is thrown. */
export async function validate(configPath: string, isJson: boolean, signal: AbortSignal): Promise<number> {
  const { credentials } = await readConfig(configPath);
  const verdicts: Verdict[] = [];
  for (const credential of credentials) verdicts.push(await judge(credential, signal));
  print(isJson ? JSON.stringify({ credentials: verdicts.map(toJson) }, undefined, 2) : verdicts.map(render).join('\n'));
  return verdicts.some(({ violations }) => violations.length > 0) ? unusable : 0;
}

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
    return { credential: name, violations, warnings: context.warnings(now) };
  } catch (error) {
    if (!(error instanceof PaycertError)) throw error;
    return { credential: name, violations: [error], warnings: [] };
  }
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

function render({ credential, violations, warnings }: Verdict): string {
  const lines = (label: string, errors: readonly PaycertError[]) =>
    errors.map(({ code, message, hint }) => `  ${label} ${message} (${code})\n         ${hint}`);
  const verdict = violations.length === 0 ? paint('green', 'valid') : paint('red', 'not valid');
  return [
    `${credential}: ${verdict}`,
    ...lines(paint('red', 'error:'), violations),
    ...lines(paint('yellow', 'warn: '), warnings),
  ].join('\n');
}
