// Untrusted text → typed configuration, frozen; every message names the field or the line, and no value.
import { hash } from 'node:crypto';
import Type from 'typebox';
import type { Problem } from '../diagnosis.ts';
import { PaycertError, throwTogether } from '../errors.ts';
import { validator } from '../validation.ts';
import { evaluate, type Found, unexplained } from './evaluate.ts';
import { accountFaults, type EntryName, nameFaults } from './rules/entries.ts';
import { faultError } from './rules/fault.ts';
import { listenerFaults } from './rules/listeners.ts';
import { ownCallFaults } from './rules/own-calls.ts';
import { routeFaults } from './rules/routes.ts';
import { keyServiceFaults, serverFaults } from './rules/servers.ts';
import { stagedFaults } from './rules/staged.ts';
import { type Config, ConfigSchema } from './schema/config.ts';
import {
  type CredentialConfig,
  CredentialSchema,
  maxCredentials,
  type ResourceEntry,
  ResourceEntrySchema,
} from './schema/credential.ts';
import { type KeyServicesConfig, KeyServicesSchema } from './schema/key-services.ts';
import { type WayOutConfig, WayOutSchema } from './schema/way-out.ts';
import type { Sound } from './sound.ts';
import { parseYaml } from './yaml.ts';

// Entry by entry: of two forms at once, an error would speak of the one that nobody meant.
const entries = Type.Array(Type.Unknown(), { maxItems: maxCredentials });
const validate = validator(
  Type.Object({ ...ConfigSchema.properties, credentials: entries }, { additionalProperties: false }),
  'config-invalid',
  'few',
);
const validateEntries = validator(entries, 'config-invalid', 'few');
const validateCredential = validator(CredentialSchema, 'config-invalid', 'few');
const validateKeyServices = validator(KeyServicesSchema, 'config-invalid', 'few');
const validateResource = validator(ResourceEntrySchema, 'config-invalid', 'few');
const validateWayOut = validator(WayOutSchema, 'config-invalid', 'few');

/**
 * The one that was parsed last, by a digest of its text: a start asks for it twice, for the threads of its pool and then to run it,
 * and a thousand credentials take half a second each time. What is frozen can be shared.
 */
let last: { readonly digest: string; readonly config: Config } | undefined;

/**
 * @throws PaycertError `config-syntax`, `config-invalid`, `listener-exposed`: the first problem in the order of the file, with all
 *   the others in `others`
 */
export function parseConfig(text: string): Config {
  const digest = hash('sha256', text);
  if (last?.digest !== digest) last = { digest, config: parseAnew(text) };
  return last.config;
}

function parseAnew(text: string): Config {
  const { plain, placeOf, faults, isWhole } = parseYaml(text);
  const { config, found } = evaluateConfig(plain, isWhole);
  if (found.length === 0 && faults.length === 0) return deepFreeze(config as Config);
  const placed = found.map(({ error: { code, message, field = '' }, path }) => {
    const { line, offset } = placeOf(path);
    return { line, offset, error: new PaycertError(code, `${message} (line ${String(line)})`, { field }) };
  });
  throwTogether(
    [...placed, ...faults]
      .sort((one, other) => one.line - other.line || one.offset - other.offset)
      .map(({ error }) => error),
  );
  return config as Config;
}

/** The `credentials` of a configuration alone, as a program gives them. @throws PaycertError `config-invalid` */
export function parseCredentials(value: unknown): readonly CredentialConfig[] {
  const listed = validateEntries(value, 'credentials');
  const evaluated = listed.map((entry, index) => evaluateEntry(entry, index, 'credential'));
  const named = [...nameFaults(evaluated.map(nameOf))].map((fault) => ({ error: faultError(fault), path: fault.path }));
  throwTogether([...evaluated.flatMap(({ found }) => found), ...named].map(({ error }) => error));
  return deepFreeze(structuredClone(listed as readonly CredentialConfig[]));
}

/** The `keyServices` of a configuration alone, as a program gives them. @throws PaycertError `config-invalid` */
export function parseKeyServices(value: unknown): KeyServicesConfig {
  const services = validateKeyServices(value, 'keyServices');
  throwTogether([...keyServiceFaults(services)].map((fault) => faultError(fault)));
  return deepFreeze(structuredClone(services));
}

/** The `wayOut` of a configuration alone, as a program gives it. @throws PaycertError `config-invalid` */
export const parseWayOut = (value: unknown): WayOutConfig =>
  deepFreeze(structuredClone(validateWayOut(value, 'wayOut')));

/** `isWhole`: of a document that is cut off, nothing is missing. */
function evaluateConfig(plain: unknown, isWhole: boolean): { config: Sound<Config>; found: readonly Found[] } {
  const whole = evaluate([], plain, validate);
  const listed = (plain as { readonly credentials?: unknown } | null)?.credentials;
  // A document has room for half a million: what there are too many of is evaluated no further.
  const evaluated = (Array.isArray(listed) ? (listed as unknown[]).slice(0, maxCredentials) : []).map((entry, index) =>
    evaluateEntry(entry, index, isResource(entry) ? 'resource' : 'credential'),
  );
  const config = (whole.sound ?? {}) as Sound<Omit<Config, 'credentials'>>;
  const credentials = evaluated.flatMap(({ sound, kind }) =>
    kind === 'credential' ? (sound as CredentialConfig) : [],
  );
  const resources = evaluated.flatMap(({ sound, kind }) => (kind === 'resource' ? (sound as ResourceEntry) : []));
  // Without the list of them, no route can be said to name what is not there.
  const named = [...evaluated.map(namedBy), ...(Array.isArray(listed) && isWhole ? [] : [{ name: undefined }])];
  const rules = whole.sound === undefined ? [] : [...listenerFaults(config), ...routeFaults(config.proxy, named)];
  const entries = evaluated.flatMap(({ found }) => found);
  const isThere = ({ path }: Found) => path.length !== 1 || Object.hasOwn(plain as object, path[0] ?? '');
  return {
    config: { ...config, credentials, resources },
    found: [
      ...(isWhole ? whole.found : whole.found.filter(isThere)),
      ...unexplained(rules, whole.problems),
      ...entries,
      ...[...nameFaults(evaluated.map(nameOf))].map((fault) => ({ error: faultError(fault), path: fault.path })),
    ],
  };
}

interface Evaluated {
  readonly kind: 'credential' | 'resource';
  readonly sound: Sound<CredentialConfig & ResourceEntry> | undefined;
  readonly problems: readonly Problem[];
  readonly found: readonly Found[];
}

function evaluateEntry(entry: unknown, index: number, kind: Evaluated['kind']): Evaluated {
  const at = ['credentials', index];
  const validateEntry = kind === 'resource' ? validateResource : validateCredential;
  const { sound: left, problems, found } = evaluate(at, entry, validateEntry);
  const sound = left as Evaluated['sound'];
  const rules = [
    ...accountFaults(sound?.provider, [...at, 'provider']),
    ...serverFaults(sound?.source, [...at, 'source']),
    ...stagedFaults(sound?.source, [...at, 'source']),
    ...ownCallFaults(sound ?? {}, at),
  ];
  return { kind, sound, problems, found: [...found, ...unexplained(rules, problems)] };
}

const nameOf = ({ sound, kind }: Evaluated): EntryName =>
  kind === 'resource' && sound?.name === undefined
    ? { name: sound?.resource, member: 'resource' }
    : { name: sound?.name, member: 'name' };

const namedBy = (evaluated: Evaluated) => ({
  name: evaluated.problems.some(({ path }) => path.at(-1) === 'name') ? undefined : nameOf(evaluated).name,
  provider: evaluated.problems.some(({ path }) => path.includes('provider'))
    ? undefined
    : (evaluated.sound?.provider as CredentialConfig['provider'] | undefined),
});

/** An entry that says where the rest of it is. */
const isResource = (entry: unknown): boolean =>
  typeof entry === 'object' && entry !== null && Object.hasOwn(entry, 'resource');

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
