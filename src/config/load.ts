// Untrusted text → typed configuration, frozen; every message names the field or the line, and no value.
import Type from 'typebox';
import { PaycertError } from '../errors.ts';
import { type Report, validator } from '../validation.ts';
import { assertAccount, assertListener, assertPrivate, assertProxyRoutes, assertUniqueNames } from './rules.ts';
import { type Config, ConfigSchema } from './schema/config.ts';
import {
  type CredentialConfig,
  CredentialSchema,
  CredentialsSchema,
  maxCredentials,
  ResourceEntrySchema,
} from './schema/credential.ts';
import { parseYaml, type Path } from './yaml.ts';

// Entry by entry: of two forms at once, an error would speak of the one that nobody meant.
const entries = Type.Array(Type.Unknown(), { maxItems: maxCredentials });
const validate = validator(
  Type.Object({ ...ConfigSchema.properties, credentials: entries }, { additionalProperties: false }),
  'config-invalid',
);
const validateCredential = validator(CredentialSchema, 'config-invalid');
const validateResource = validator(ResourceEntrySchema, 'config-invalid');
const validateCredentials = validator(CredentialsSchema, 'config-invalid');

/**
 * @throws PaycertError `config-syntax`, `config-invalid`, `listener-exposed`: the first problem in the order of the file, with all
 *   the others in `others`
 */
export function parseConfig(text: string): Config {
  const problems: Placed[] = [];
  const config = parse(text, problems);
  if (config !== undefined) return config;
  const [first, ...others] = problems.sort((one, other) => one.line - other.line).map(({ error }) => error);
  if (first === undefined) throw new TypeError('a configuration that is refused for no reason');
  throw others.length === 0 ? first : withOthers(first, others);
}

interface Placed {
  readonly error: PaycertError;
  readonly line: number;
}

const withOthers = ({ code, message, field = '' }: PaycertError, others: readonly PaycertError[]) =>
  new PaycertError(code, message, { field, others });

function parse(text: string, problems: Placed[]): Config | undefined {
  const { plain, lineOf } = collect(problems, () => parseYaml(text)) ?? {};
  if (lineOf === undefined) return undefined;
  /** What it returns, unless it throws; each problem with the line that it is about. */
  const attempt = <T>(path: Path, work: (report: Report) => T): T | undefined => {
    const reported: Placed[] = [];
    const report: Report = (error, inside) => {
      const line = lineOf([...path, ...inside]);
      const { code, message, field = '' } = error;
      reported.push({ error: new PaycertError(code, `${message} (line ${String(line)})`, { field }), line });
    };
    const thrown: Placed[] = [];
    const result = collect(thrown, () => work(report));
    problems.push(...(reported.length > 0 ? reported : thrown));
    return result;
  };
  const whole = attempt([], (report) => validate(plain, '', report));
  const listed = (plain as { readonly credentials?: unknown } | null)?.credentials;
  // A document has room for half a million: what there are too many of is judged no further.
  const judged = Array.isArray(listed) ? (listed as unknown[]).slice(0, maxCredentials) : [];
  const entries = judged.map((entry, index) => {
    const at = `credentials[${index}]`;
    return isResource(entry)
      ? { resource: attempt(['credentials', index], (report) => validateResource(entry, at, report)) }
      : { credential: attempt(['credentials', index], (report) => validateCredential(entry, at, report)) };
  });
  if (whole === undefined || problems.length > 0) return undefined;
  const credentials = entries.flatMap(({ credential }) => credential ?? []);
  const resources = entries.flatMap(({ resource }) => resource ?? []);
  const config = { ...whole, credentials, resources };
  const names = entries.map(({ credential, resource }) => credential?.name ?? resource?.name ?? resource?.resource);
  attempt([], () => assertUniqueNames(names));
  attempt([], () => assertListener(config));
  credentials.forEach((credential, index) => attempt(['credentials', index], () => assertPrivate(credential, index)));
  credentials.forEach((credential, index) => attempt(['credentials', index], () => assertAccount(credential, index)));
  attempt(['proxy', 'routes'], () => assertProxyRoutes(config));
  return problems.length > 0 ? undefined : deepFreeze(config);
}

/** What the work returns; a deliberate error that it throws is collected instead. */
function collect<T>(problems: Placed[], work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof PaycertError)) throw error;
    problems.push({ error, line: Number.MAX_SAFE_INTEGER });
    return undefined;
  }
}

/** An entry that says where the rest of it is. */
const isResource = (entry: unknown): boolean =>
  typeof entry === 'object' && entry !== null && Object.hasOwn(entry, 'resource');

/** The `credentials` of a configuration alone, as a program gives them. @throws PaycertError `config-invalid` */
export function parseCredentials(value: unknown): readonly CredentialConfig[] {
  const credentials = validateCredentials(value);
  assertUniqueNames(credentials.map(({ name }) => name));
  credentials.forEach(assertPrivate);
  credentials.forEach(assertAccount);
  return deepFreeze(structuredClone(credentials));
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
