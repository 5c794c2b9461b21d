// Untrusted YAML → typed configuration, frozen; every message names the field or the line, and no value.
import { type Document, isMap, isScalar, isSeq, parseDocument, visit } from 'yaml';
import { normalize } from 'node:path';
import { isLoopback, splitAddress } from '../address.ts';
import { PaycertError } from '../errors.ts';
import { platformOf } from '../providers/registry.ts';
import { type Report, validator } from '../validation.ts';
import Type from 'typebox';
import { type Config, ConfigSchema } from './schema/config.ts';
import {
  type CredentialConfig,
  CredentialSchema,
  CredentialsSchema,
  maxCredentials,
  ResourceEntrySchema,
} from './schema/credential.ts';
import type { SourceConfig } from './schema/source.ts';
import { type NamedSocket, socketsOf } from './sockets.ts';

// Entry by entry: of two forms at once, an error would speak of the one that nobody meant.
const entries = Type.Array(Type.Unknown(), { maxItems: maxCredentials });
const validate = validator(
  Type.Object({ ...ConfigSchema.properties, credentials: entries }, { additionalProperties: false }),
  'config-invalid',
);
const validateCredential = validator(CredentialSchema, 'config-invalid');
const validateResource = validator(ResourceEntrySchema, 'config-invalid');
const validateCredentials = validator(CredentialsSchema, 'config-invalid');

/** What a ConfigMap can hold, and more than 5000 credentials need. Parsing holds the event loop for a second per megabyte. */
const maxCharacters = 1024 * 1024;

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
  const { document, plain } = collect(problems, () => parseYaml(text)) ?? {};
  if (document === undefined) return undefined;
  const lineOf = lineFinder(document, text);
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

type Path = readonly (string | number)[];

/** The line of what a path leads to, or of the nearest thing around it that is there. */
function lineFinder(document: Document.Parsed, text: string): (path: Path) => number {
  return (path) => {
    let [node, offset]: [unknown, number] = [document.contents, 0];
    for (const part of path) {
      if (isMap(node)) {
        const pair = node.items.find(({ key }) => isScalar(key) && key.value === part);
        if (pair === undefined) break;
        if (isScalar(pair.key)) offset = pair.key.range?.[0] ?? offset;
        node = pair.value;
      } else if (isSeq(node) && typeof part === 'number') {
        const item = node.items[part] as { range?: readonly number[] } | undefined;
        if (item === undefined) break;
        offset = item.range?.[0] ?? offset;
        node = item;
      } else break;
    }
    return text.slice(0, offset).split('\n').length;
  };
}

/** An entry that says where the rest of it is. */
const isResource = (entry: unknown): boolean =>
  typeof entry === 'object' && entry !== null && Object.hasOwn(entry, 'resource');

function parseYaml(text: string): { document: Document.Parsed; plain: unknown } {
  if (text.length > maxCharacters) {
    throw new PaycertError('config-syntax', `the document is longer than ${maxCharacters} characters`, {
      field: 'the document',
    });
  }
  // stringKeys: a key that is a mapping means nothing here, and 500 of them inside each other take 20 seconds to print.
  // logLevel: otherwise it writes keys of the document to stderr.
  // uniqueKeys compares each key with every other of its mapping: a minute for 80,000 keys. Ours looks once.
  const document = parseDocument(text, { prettyErrors: false, uniqueKeys: false, stringKeys: true, logLevel: 'error' });
  // Its warnings are tags and directives that it does not know, and would ignore.
  const [error] = [...document.errors, ...document.warnings];
  if (error !== undefined) {
    const line = text.slice(0, error.pos[0]).split('\n').length;
    throw new PaycertError('config-syntax', `line ${line} is not valid YAML (${error.code})`, {
      field: `line ${line}`,
    });
  }
  assertUniqueKeys(document, text);
  return { document, plain: toPlain(document, text) };
}

/** The `credentials` of a configuration alone, as a program gives them. @throws PaycertError `config-invalid` */
export function parseCredentials(value: unknown): readonly CredentialConfig[] {
  const credentials = validateCredentials(value);
  assertUniqueNames(credentials.map(({ name }) => name));
  credentials.forEach(assertPrivate);
  return deepFreeze(structuredClone(credentials));
}

/** Two readers could take different ones. */
function assertUniqueKeys(document: Document.Parsed, text: string): void {
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) {
          const field = `line ${String(text.slice(0, key.range?.[0]).split('\n').length)}`;
          throw new PaycertError('config-syntax', `${field} has a key that is there already`, { field });
        }
        seen.add(key.value);
      }
    },
  });
}

function toPlain(document: Document.Parsed, text: string): unknown {
  try {
    // Aliases are not needed, and a few lines of them expand into gigabytes.
    return document.toJS({ maxAliasCount: 0 });
  } catch {
    let offset = 0;
    visit(document, { Alias: (_, { range }) => ((offset = range?.[0] ?? 0), visit.BREAK) });
    const field = `line ${String(text.slice(0, offset).split('\n').length)}`;
    throw new PaycertError('config-syntax', `${field} has an alias (&name, *name), which is not allowed`, { field });
  }
}

function assertListener({ listen, admin, proxy }: Config): void {
  assertPlaces('listen', listen);
  assertPort('admin.address', admin?.address);
  const sockets = socketsOf(listen);
  assertDistinct(sockets);
  if (proxy === undefined) return;
  assertPlaces('proxy.listen', proxy.listen);
  const { socket } = proxy.listen;
  if (socket !== undefined && sockets.some(({ path }) => normalize(path) === normalize(socket))) {
    throw new PaycertError('config-invalid', 'proxy.listen.socket is a socket of listen as well', {
      field: 'proxy.listen.socket',
    });
  }
}

function assertPlaces(
  field: string,
  { socket, sockets, tcp }: Pick<Config['listen'], 'socket' | 'sockets' | 'tcp'>,
): void {
  assertPort(`${field}.tcp.address`, tcp?.address);
  if ((socket ?? sockets ?? tcp) === undefined) {
    throw new PaycertError('config-invalid', `${field} needs socket, tcp or both`, { field });
  }
  if (tcp && tcp.exposed !== true && !isLoopback(splitAddress(tcp.address).host)) {
    throw new PaycertError('listener-exposed', `${field}.tcp.address is not a loopback address`, {
      field: `${field}.tcp.address`,
    });
  }
  if (tcp && tcp.tokenFile === undefined && tcp.insecure !== true) {
    throw new PaycertError('config-invalid', `${field}.tcp.tokenFile is missing; without it, say insecure: true`, {
      field: `${field}.tcp.tokenFile`,
    });
  }
}

/** What a route says of a credential that is described here must fit it; of one that comes from a resource, the call says. */
function assertProxyRoutes({ proxy, credentials, resources }: Config): void {
  const names = new Set([...credentials.map(({ name }) => name), ...resources.map(({ name, resource }) => name ?? resource)]); // prettier-ignore
  const seen = new Set<string>();
  proxy?.routes?.forEach(({ credential, origin }, index) => {
    const field = `proxy.routes[${index}]`;
    const invalid = (member: string, message: string) =>
      new PaycertError('config-invalid', `${field}.${member} ${message}`, { field: `${field}.${member}` });
    if (seen.has(credential)) throw invalid('credential', 'is named by an earlier route');
    seen.add(credential);
    if (!names.has(credential)) throw invalid('credential', 'is no credential of this file');
    const described = credentials.find(({ name }) => name === credential);
    if (described === undefined || origin === undefined) return;
    const { platform, options } = platformOf(described.provider);
    const own = platform.origins(options);
    if (!own.includes(origin)) throw invalid('origin', `is none of the platform’s: ${own.join(', ')}`);
  });
}

/** Names of listeners that are not sockets of a list, and of callers that come through none. */
const reservedNames: ReadonlySet<string> = new Set(['socket', 'tcp', 'admin', 'library', 'proxy-socket', 'proxy-tcp']);

/** Two sockets of one name could not be told apart, and one path is one socket. */
function assertDistinct(sockets: readonly NamedSocket[]): void {
  sockets.forEach(({ name, path, field }, index) => {
    const [named, placed] = [`${field}.name`, field === 'listen.socket' ? field : `${field}.path`];
    const earlier = sockets.slice(0, index);
    if (field !== 'listen.socket' && reservedNames.has(name))
      throw new PaycertError('config-invalid', `${named} is the name of another listener: choose one of your own`, { field: named }); // prettier-ignore
    if (earlier.some((other) => other.name === name))
      throw new PaycertError('config-invalid', `${named} is the name of an earlier socket`, { field: named });
    if (earlier.some((other) => normalize(other.path) === normalize(path)))
      throw new PaycertError('config-invalid', `${placed} is the path of an earlier socket`, { field: placed });
  });
}

/** Tokens and keys go to servers over TLS, unless somebody says that they need not. */
function assertPrivate({ source }: CredentialConfig, index: number): void {
  const { merge = [], fallback = [] } = source;
  const all: (readonly [string, Pick<SourceConfig, 'vault' | 'consul' | 'etcd'>])[] = [
    ['source', source],
    ...merge.map((one, at) => [`source.merge[${String(at)}]`, one] as const),
    ...fallback.map((one, at) => [`source.fallback[${String(at)}]`, one] as const),
  ];
  for (const [path, { vault, consul, etcd }] of all) {
    const found = Object.entries({ vault, consul, etcd }).find(([, one]) => one !== undefined);
    const [kind, server] = found ?? [];
    if (kind === undefined || server === undefined) continue;
    const field = `credentials[${String(index)}].${path}.${kind}.address`;
    for (const address of [server.address].flat()) {
      const url = URL.parse(address);
      if (url === null) throw new PaycertError('config-invalid', `${field} is not an address`, { field });
      const isExposed = url.protocol === 'http:' && !isLoopback(url.hostname.replace(/^\[|\]$/g, ''));
      if (!isExposed || server.insecure === true) continue;
      const remedy = 'use https://, or say insecure: true';
      throw new PaycertError('config-invalid', `${field} is http:// on another host; ${remedy}`, { field });
    }
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
