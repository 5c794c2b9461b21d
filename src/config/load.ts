// Untrusted text → typed configuration, frozen; every message names the field or the line, and no value.
import Type from 'typebox';
import { maxProblems, type Problem } from '../diagnosis.ts';
import { PaycertError, throwTogether } from '../errors.ts';
import { fieldOf, validator } from '../validation.ts';
import {
  accountFaults,
  type EntryName,
  type Fault,
  faultError,
  listenerFaults,
  nameFaults,
  privacyFaults,
  routeFaults,
} from './rules.ts';
import { type Config, ConfigSchema } from './schema/config.ts';
import {
  type CredentialConfig,
  CredentialSchema,
  maxCredentials,
  type ResourceEntry,
  ResourceEntrySchema,
} from './schema/credential.ts';
import { isExplained, type Sound, withoutUnsound } from './sound.ts';
import { parseYaml, type Path } from './yaml.ts';

// Entry by entry: of two forms at once, an error would speak of the one that nobody meant.
const entries = Type.Array(Type.Unknown(), { maxItems: maxCredentials });
const validate = validator(
  Type.Object({ ...ConfigSchema.properties, credentials: entries }, { additionalProperties: false }),
  'config-invalid',
);
const validateEntries = validator(entries, 'config-invalid');
const validateCredential = validator(CredentialSchema, 'config-invalid');
const validateResource = validator(ResourceEntrySchema, 'config-invalid');

/** What is wrong, and what it is about. */
interface Found {
  readonly error: PaycertError;
  readonly path: Path;
}

/**
 * @throws PaycertError `config-syntax`, `config-invalid`, `listener-exposed`: the first problem in the order of the file, with all
 *   the others in `others`
 */
export function parseConfig(text: string): Config {
  const { plain, placeOf, faults } = parseYaml(text);
  const { config, found } = evaluateConfig(plain);
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

function evaluateConfig(plain: unknown): { config: Sound<Config>; found: readonly Found[] } {
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
  // Without a list of them, no route can be said to name what is not there.
  const named = Array.isArray(listed) ? evaluated.map(namedBy) : [{ name: undefined }];
  const rules = whole.sound === undefined ? [] : [...listenerFaults(config), ...routeFaults(config.proxy, named)];
  const entries = evaluated.flatMap(({ found }) => found);
  return {
    config: { ...config, credentials, resources },
    found: [
      ...whole.found,
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
  const rules = [...accountFaults(sound?.provider, [...at, 'provider']), ...privacyFaults(sound?.source, [...at, 'source'])]; // prettier-ignore
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

/**
 * What the schema says of a value, and what it leaves for the rules: nothing of a value that is not even of its type, or so wrong
 * that not all of it was said.
 */
function evaluate(at: Path, value: unknown, validateIt: ReturnType<typeof validator>) {
  const found: Found[] = [];
  const problems: Problem[] = [];
  try {
    validateIt(value, fieldOf(at), (error, problem) => {
      const path = [...at, ...problem.path];
      found.push({ error, path });
      problems.push({ ...problem, path });
    });
    return { sound: value, problems, found };
  } catch (error) {
    if (!(error instanceof PaycertError)) throw error;
    if (found.length === 0) found.push({ error, path: at });
  }
  const inside = problems.map((problem) => ({ ...problem, path: problem.path.slice(at.length) }));
  const isAllSaid = problems.length > 0 && problems.length < maxProblems;
  return { sound: isAllSaid ? withoutUnsound(value, inside) : undefined, problems, found };
}

const unexplained = (faults: readonly Fault[], problems: readonly Problem[]): readonly Found[] =>
  faults
    .filter(({ path, absent = [] }) => !isExplained([path], absent, problems))
    .map((fault) => ({ error: faultError(fault), path: fault.path }));

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
