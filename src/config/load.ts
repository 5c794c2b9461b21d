// Untrusted YAML → typed configuration, frozen; every message names the field or the line, and no value.
import { parseDocument } from 'yaml';
import { isLoopback, splitAddress } from '../address.ts';
import { PaycertError } from '../errors.ts';
import { validator } from '../validation.ts';
import Type from 'typebox';
import { type Config, ConfigSchema } from './schema/config.ts';
import {
  type CredentialConfig,
  CredentialSchema,
  CredentialsSchema,
  maxCredentials,
  ResourceEntrySchema,
} from './schema/credential.ts';

// Entry by entry: of two forms at once, an error would speak of the one that nobody meant.
const entries = Type.Array(Type.Unknown(), { maxItems: maxCredentials });
const validate = validator(
  Type.Object({ ...ConfigSchema.properties, credentials: entries }, { additionalProperties: false }),
  'config-invalid',
);
const validateCredential = validator(CredentialSchema, 'config-invalid');
const validateResource = validator(ResourceEntrySchema, 'config-invalid');
const validateCredentials = validator(CredentialsSchema, 'config-invalid');

/** Three times what 5000 credentials need. Parsing holds the event loop, and 5 MB of some garbage holds it for half a minute. */
const maxCharacters = 2 * 1024 * 1024;

/** @throws PaycertError `config-syntax`, `config-invalid`, `listener-exposed` */
export function parseConfig(text: string): Config {
  const problems: PaycertError[] = [];
  const config = parse(text, problems);
  if (config === undefined) throw problems[0] ?? new TypeError('a configuration that is refused for no reason');
  return config;
}

/** Everything that is wrong with a configuration, one error for each field of it and of its entries. */
export function findConfigProblems(text: string): readonly PaycertError[] {
  const problems: PaycertError[] = [];
  parse(text, problems);
  return problems;
}

function parse(text: string, problems: PaycertError[]): Config | undefined {
  /** What it returns, unless it throws. */
  const attempt = <T>(work: (tell: (other: PaycertError) => void) => T): T | undefined => {
    const others: PaycertError[] = [];
    try {
      return work((other) => others.push(other));
    } catch (error) {
      if (!(error instanceof PaycertError)) throw error;
      problems.push(error, ...others);
      return undefined;
    }
  };
  const plain = attempt(() => parseYaml(text));
  if (problems.length > 0) return undefined;
  const whole = attempt((tell) => validate(plain, '', tell));
  const listed = (plain as { readonly credentials?: unknown } | null)?.credentials;
  // A document has room for half a million: what there are too many of is judged no further.
  const judged = Array.isArray(listed) ? (listed as unknown[]).slice(0, maxCredentials) : [];
  const entries = judged.map((entry, index) => {
    const at = `credentials[${index}]`;
    return isResource(entry)
      ? { resource: attempt((tell) => validateResource(entry, at, tell)) }
      : { credential: attempt((tell) => validateCredential(entry, at, tell)) };
  });
  if (whole === undefined || problems.length > 0) return undefined;
  const credentials = entries.flatMap(({ credential }) => credential ?? []);
  const resources = entries.flatMap(({ resource }) => resource ?? []);
  const config = { ...whole, credentials, resources };
  const names = entries.map(({ credential, resource }) => credential?.name ?? resource?.name ?? resource?.resource);
  attempt(() => assertUniqueNames(names));
  attempt(() => assertListener(config));
  return problems.length > 0 ? undefined : deepFreeze(config);
}

/** An entry that says where the rest of it is. */
const isResource = (entry: unknown): boolean =>
  typeof entry === 'object' && entry !== null && Object.hasOwn(entry, 'resource');

function parseYaml(text: string): unknown {
  if (text.length > maxCharacters) {
    throw new PaycertError('config-syntax', `the document is longer than ${maxCharacters} characters`, {
      field: 'the document',
    });
  }
  // stringKeys: a key that is a mapping means nothing here, and 500 of them inside each other take 20 seconds to print.
  // logLevel: otherwise it writes keys of the document to stderr.
  const document = parseDocument(text, { prettyErrors: false, uniqueKeys: true, stringKeys: true, logLevel: 'error' });
  // Its warnings are tags and directives that it does not know, and would ignore.
  const [error] = [...document.errors, ...document.warnings];
  if (error !== undefined) {
    const line = text.slice(0, error.pos[0]).split('\n').length;
    throw new PaycertError('config-syntax', `line ${line} is not valid YAML (${error.code})`, {
      field: `line ${line}`,
    });
  }
  return toPlain(document);
}

/** The `credentials` of a configuration alone, as a program gives them. @throws PaycertError `config-invalid` */
export function parseCredentials(value: unknown): readonly CredentialConfig[] {
  const credentials = validateCredentials(value);
  assertUniqueNames(credentials.map(({ name }) => name));
  return deepFreeze(structuredClone(credentials));
}

function toPlain(document: ReturnType<typeof parseDocument>): unknown {
  try {
    // Aliases are not needed, and a few lines of them expand into gigabytes.
    return document.toJS({ maxAliasCount: 0 });
  } catch {
    throw new PaycertError('config-syntax', 'aliases (&name, *name) are not allowed', { field: 'the document' });
  }
}

function assertListener({ listen, admin }: Config): void {
  assertPort('listen.tcp.address', listen.tcp?.address);
  assertPort('admin.address', admin?.address);
  if (listen.socket === undefined && listen.tcp === undefined) {
    throw new PaycertError('config-invalid', 'listen needs socket, tcp or both', { field: 'listen' });
  }
  if (listen.tcp && listen.tcp.exposed !== true && !isLoopback(splitAddress(listen.tcp.address).host)) {
    throw new PaycertError('listener-exposed', 'listen.tcp.address is not a loopback address', {
      field: 'listen.tcp.address',
    });
  }
  if (listen.tcp && listen.tcp.tokenFile === undefined && listen.tcp.insecure !== true) {
    throw new PaycertError('config-invalid', 'listen.tcp.tokenFile is missing; without it, say insecure: true', {
      field: 'listen.tcp.tokenFile',
    });
  }
}

function assertPort(field: string, address = ''): void {
  if (splitAddress(address).port > 65_535) {
    throw new PaycertError('config-invalid', `${field} has a port above 65535`, { field });
  }
}

function assertUniqueNames(names: readonly (string | undefined)[]): void {
  const seen = new Set<string | undefined>();
  names.forEach((name, index) => {
    const field = `credentials[${index}].name`;
    if (seen.has(name))
      throw new PaycertError('config-invalid', `${field} is the name of an earlier credential`, { field });
    seen.add(name);
  });
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
