// paycert validate: the very checks that a swap runs, offline, all violations and not only the first.
import { systemClock } from '../clock.ts';
import { parseForStart, readConfig } from '../config/read.ts';
import type { CredentialConfig } from '../config/schema/credential.ts';
import { PaycertError } from '../errors.ts';
import { buildCredential, type BuildDependencies } from '../running/build.ts';
import { startKeyServices } from '../running/key-services.ts';
import { Origins } from '../running/origins.ts';
import { exitCodes } from './exit-codes.ts';
import { readAll } from './input.ts';
import { print } from './table.ts';
import { describe, evaluate, render, toJson, type Evaluation } from './evaluation.ts';

const [unusable, notYet] = [exitCodes.material, exitCodes['not-ready']];

/** Exit code 0: all are valid. 75: the rest is good, and not valid yet. 65: some material is not. A configuration that is not valid is thrown; as JSON it is printed too. */
export async function validate(configPath: string, isJson: boolean, signal: AbortSignal): Promise<number> {
  const read =
    configPath === '-'
      ? readAll(process.stdin).then((bytes) => parseForStart(bytes.toString()))
      : readConfig(configPath);
  const config = await read.catch((error: unknown) => {
    if (isJson && error instanceof PaycertError) {
      printJson({ valid: false, error: describe(error), others: error.others.map(describe), credentials: [] });
    }
    throw error;
  });
  const dependencies = { clock: systemClock, observe: () => undefined };
  await using keyServices = await startKeyServices(config.keyServices ?? {}, dependencies);
  const building = { ...dependencies, environment: process.env, origins: new Origins(dependencies), keyServices };
  const evaluations: Evaluation[] = [];
  for (const credential of config.credentials.flatMap(setsOf))
    evaluations.push(await validateOne(credential, building, signal));
  const isValid = evaluations.every(({ violations }) => violations.length === 0);
  const isGood = evaluations.every(({ violations, deferredUntil }) => violations.length === 0 || deferredUntil);
  if (isJson) printJson({ valid: isValid, credentials: evaluations.map(toJson) });
  else print(evaluations.length === 0 ? 'no credentials' : evaluations.map(render).join('\n'));
  if (isValid) return 0;
  return isGood ? notYet : unusable;
}

const printJson = (value: object): void => print(JSON.stringify(value, undefined, 2));

function validateOne(config: CredentialConfig, building: BuildDependencies, signal: AbortSignal): Promise<Evaluation> {
  const { provider, source, resolve, older } = buildCredential(config, building);
  const load = async () => {
    const { data } = await source.read(signal);
    return provider.load(data, await resolve?.(data, signal));
  };
  return evaluate({ config, older }, load, systemClock.now());
}

/** Of a staged source, both sets: each must be fit by itself. */
function setsOf(config: CredentialConfig): readonly CredentialConfig[] {
  const { staged } = config.source;
  if (staged === undefined) return [config];
  return (['current', 'next'] as const).map((which) => ({
    ...config,
    name: `${config.name} (${which})`,
    source: staged[which],
  }));
}
