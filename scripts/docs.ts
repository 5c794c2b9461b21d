// npm run docs: writes what the documentation takes from the code. With --check it writes nothing and names what is stale.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Option } from '../src/cli/command.ts';
import { commands } from '../src/cli/commands.ts';
import { defaults } from '../src/config/defaults.ts';
import { ConfigSchema } from '../src/config/schema/config.ts';
import type { Platform } from '../src/providers/platform.ts';
import { platforms } from '../src/providers/registry.ts';
import { type RoleRow, roles } from '../src/providers/roles.ts';
import { factsOfMessages, type Form, type Takes } from '../src/providers/takes.ts';
import { systemClock } from '../src/clock.ts';
import { Store } from '../src/store/store.ts';
import type { About } from '../src/telemetry/counted/row.ts';
import { createMetrics } from '../src/telemetry/metrics.ts';
import { alertParagraphs, alertRows, readAlerts } from './chart/alerts.ts';
import { readValues } from './chart/values.ts';
import { crdPath, crdText } from './crd.ts';
import { errorsPage } from './docs-errors.ts';

const root = new URL('../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const row = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
const table = (header: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(header), row(header.map(() => '---')), ...rows.map(row)].join('\n');

// docs/configuration.md and docs/providers/: one table per object of the schema

/** The part of JSON Schema that the configuration uses. */
interface Schema {
  readonly type?: string;
  readonly const?: string | number | boolean;
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly form?: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}

// A schema of TypeBox is JSON Schema; its type says more than is looked at here.
const configSchema = ConfigSchema as unknown as Schema;

/** Defaults of whole objects: what holds where the object is absent. */
const absentObjects: Readonly<Record<string, object>> = {
  admin: { address: defaults.adminAddress },
  log: { level: defaults.logLevel },
};

/** Of a platform: the name of its page is its id in kebab case. */
const pageOf = (id: string): string => `providers/${id.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}.md`;

/** Where a platform's options are written in the configuration; they are described in its own page. */
const providerPath = 'credentials[].provider';

const providerTable = (): string =>
  table(
    ['field', 'whose rules', 'options'],
    Object.values<Platform>(platforms).map(({ id, name, options }) => {
      const members = Object.keys(options.properties).map((member) => `\`${member}\``);
      const told = members.length > 0 ? members.join(', ') : 'none';
      return [`\`${id}\``, name, `${told}: [${pageOf(id)}](${pageOf(id)}#options)`];
    }),
  );

/** Equal objects are described once, where they come first. */
const firstPaths = new Map<string, string>();

function firstPath(schema: Schema, path: string): string {
  const key = JSON.stringify(schema);
  const first = firstPaths.get(key) ?? path;
  firstPaths.set(key, first);
  return first;
}

const link = (path: string): string => `[\`${path}\`](#${path.toLowerCase().replace(/[^a-z0-9]/g, '')})`;

/** One of several forms of a list's items goes by the name of its first field. */
const optionPath = (path: string, index: number, { properties = {} }: Schema): string =>
  index > 0 && path.endsWith('[]') ? `${path}.${Object.keys(properties)[0] ?? ''}` : path;

function typeName(schema: Schema, path: string): string {
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (schema.anyOf)
    return schema.anyOf.map((option, index) => typeName(option, optionPath(path, index, option))).join(' or ');
  if (schema.items) return `list of ${range(schema)}${typeName(schema.items, `${path}[]`)}`;
  if (schema.patternProperties) return 'map of text to text';
  if (schema.properties) return link(firstPath(schema, path));
  if (schema.form !== undefined) return schema.form.replace(/^an? /, '');
  if (schema.pattern !== undefined) return `text like \`${schema.pattern}\``;
  const { type = 'any', minimum, maximum } = schema;
  const bounds = minimum === undefined || maximum === undefined ? '' : `, ${minimum} to ${maximum}`;
  return `${type === 'string' ? 'text' : type}${bounds}`;
}

const range = ({ minItems = 0, maxItems }: Schema): string =>
  maxItems === undefined ? '' : `${minItems}–${maxItems} `;

function defaultOf(path: string, name: string, schema: Schema): string {
  const absent: unknown =
    schema.default ?? absentObjects[path] ?? (defaults as Readonly<Record<string, unknown>>)[name];
  if (absent !== undefined) return `\`${JSON.stringify(absent)}\``;
  const [, told] = /\bDefault (\w+)\b/.exec(schema.description ?? '') ?? [];
  return told === undefined ? '' : `\`${told}\``;
}

/** Every object of the schema, by its path, with its table. */
function* configTables(schema: Schema, path: string): Generator<[string, string]> {
  for (const [index, option] of (schema.anyOf ?? []).entries())
    yield* configTables(option, optionPath(path, index, option));
  if (schema.items) yield* configTables(schema.items, `${path}[]`);
  if (!schema.properties || firstPath(schema, path) !== path) return;
  if (path === providerPath) {
    yield [`fields ${path}`, providerTable()];
    return;
  }
  const inside = (name: string) => (path === '' ? name : `${path}.${name}`);
  const members = Object.entries(schema.properties);
  const rows = members.map(([name, member]) => [
    `\`${name}\``,
    schema.required?.includes(name) === true ? '**required**' : defaultOf(inside(name), name, member),
    typeName(member, inside(name)),
    (member.description ?? '').replace(/ ?Default .+?\.(?= |$)/, ''),
  ]);
  const key = path.startsWith('options') ? path : `fields ${path === '' ? 'paycert.yaml' : path}`;
  if (rows.length > 0) yield [key, table(['field', 'default', 'type', 'meaning'], rows)];
  for (const [name, member] of members) yield* configTables(member, inside(name));
}

// docs/files.md: the tree; docs/architecture.md: who may import whom

/** The first line of a file tells what it is for. */
function purpose(path: string): string {
  const [first = '', second = ''] = read(path).split('\n', 2);
  return (first.startsWith('#!') ? second : first).replace(/^\/\/ /, '');
}

function tree(folder: string, depth = 0): string[] {
  const entries = readdirSync(new URL(folder, root), { withFileTypes: true });
  const names = (wanted: boolean) =>
    entries
      .filter((entry) => entry.isDirectory() === wanted)
      .map(({ name }) => name)
      .sort();
  const indent = '  '.repeat(depth + 1);
  return [
    ...names(false).map((name) => `${indent}${name}`.padEnd(34) + purpose(`${folder}${name}`)),
    ...names(true).flatMap((name) => ['', `${indent}${name}/`, ...tree(`${folder}${name}/`, depth + 1)]),
  ];
}

interface Rule {
  readonly name: string;
  readonly from: { readonly path?: string; readonly pathNot?: string };
  readonly to: { readonly path?: string; readonly pathNot?: string | readonly string[] };
}

const rules = (createRequire(import.meta.url)('../.dependency-cruiser.cjs') as { forbidden: readonly Rule[] })
  .forbidden;
const paths = (pattern: string): string => pattern.replace(/^\^/, '').replace(/\$$/, '').replaceAll('\\.', '.');

function layers(): string {
  const rows = rules.flatMap(({ name, to }) => {
    const layer = /^layer-(.+)$/.exec(name)?.[1];
    if (layer === undefined) return [];
    const allowed = [to.pathNot ?? []].flat().flatMap((pattern) => /^\^src\/(\w+)\/$/.exec(pattern)?.[1] ?? []);
    return [[layer, allowed.filter((other) => other !== layer).join(', ') || '–']];
  });
  return table(['folder', 'may import, besides itself and the ground'], rows);
}

function importers(): string {
  const rows = rules.flatMap(({ name, from, to }) =>
    name.startsWith('only-importer-')
      ? [[`\`${paths(to.path ?? '').replace(/^node_modules\/|\/$/g, '')}\``, `\`${paths(from.pathNot ?? '')}\``]]
      : [],
  );
  return table(['package', 'its only importer'], rows);
}

// docs/api.md: what operations take, of each platform that signs messages

const signing = Object.values<Platform>(platforms).filter(({ takes }) => Object.keys(takes).length > 0);

const words = (members: readonly string[]): string => members.map((member) => `\`${member}\``).join(', ');

const pageLink = (id: string): string => `[${pageOf(id).replace('providers/', '')}](${pageOf(id)})`;

/** A platform of several forms has a row for each, by its name. */
const formRows = ({ id, name }: Platform, forms: Readonly<Record<string, Form>> = {}): string[][] =>
  Object.entries(forms).map(([form, { takes, needs }], _, { length }) => [
    length > 1 ? `${name}, ${form}` : name,
    words(takes),
    words(needs),
    pageLink(id),
  ]);

const formTable = (operation: 'authorize' | 'paymentParameters' | 'decrypt'): string =>
  table(
    ['platform', 'takes', 'needs', 'page'],
    signing.flatMap((platform) => formRows(platform, platform.takes[operation])),
  );

function receivedTable(): string {
  const isFact = (member: string) => (factsOfMessages as readonly string[]).includes(member);
  const rows = signing.flatMap(({ name, takes }) =>
    Object.entries(takes.verify ?? {}).map(([form, { kinds, takes: taken, needs }]) => [
      kinds.length > 1 || ['request', ...kinds].includes(form) ? name : `${name}, ${form}`,
      kinds.includes('message') ? 'none: a message' : words(kinds),
      kinds.includes('message') ? '' : words(taken.filter((member) => !isFact(member))),
      words(needs),
    ]),
  );
  return table(['platform', '`kind`', 'takes, besides the facts', 'needs'], rows);
}

/** By the names that the API has for them. */
const operationNames: Readonly<Record<keyof Takes, string>> = {
  authorize: 'authorize',
  sign: 'sign',
  verify: 'verify',
  decrypt: 'decrypt',
  openNotification: 'notification',
  encrypt: 'encrypt',
  paymentParameters: 'payment-parameters',
};

function operationTable(): string {
  const names = Object.entries(operationNames) as [keyof Takes, string][];
  const rows = signing.map(({ id, name, takes }) => [
    name,
    ...names.map(([operation]) => (takes[operation] === undefined ? '' : '✓')),
    pageLink(id),
  ]);
  return table(['platform', ...names.map(([, name]) => `\`${name}\``), 'page'], rows);
}

// docs/metrics.md: what a role means

const owners: Readonly<Record<RoleRow['owner'], string>> = {
  own: 'yours',
  peer: 'the platform’s or partner’s',
  authority: 'an authority’s',
  shared: 'known to both sides',
};

function roleRows(): string {
  const rows = Object.entries(roles).map(
    ([name, { owner, holds, expiry, isReplaced, isPresented }]: [string, RoleRow]) => [
      `\`${name}\``,
      owners[owner],
      holds,
      expiry === undefined ? '–' : expiry.name,
      [isReplaced && 'replaced', isPresented && 'presented in TLS: the first to expire counts']
        .filter(Boolean)
        .join(', '),
    ],
  );
  return table(['role', 'whose', 'holds', 'expires with', 'notes'], rows);
}

const described = createMetrics({ store: new Store(), clock: systemClock, version: '0.0.0' }).describe();

function metricRows(part: About): string {
  const rows = described
    .filter(({ about }) => about === part)
    .map(({ name, type, labels, help, more }) => [
      `\`${name}\``,
      type,
      labels.map((label) => `\`${label}\``).join(', '),
      [help, ...(more === undefined ? [] : [more])].join(' '),
    ]);
  return table(['metric', 'type', 'labels', 'meaning'], rows);
}

const parts: readonly About[] = [
  'keys',
  'reloads',
  'operations',
  'proxy',
  'notifications',
  'audit',
  'operator',
  'process',
];

// docs/operator.md: what the command takes, from the rows that its help is made of

/** The help of one option as sentences: names as code, and the default last. */
function describeOption({ help, more, choices = [] }: Option): string {
  const [, meaning = help, colon, value = ''] = /^(.*?) \(default(:?) (.*)\)$/.exec(help) ?? [];
  const listed = choices.length > 0 && `${choices.map((choice) => `\`${choice}\``).join(', ')}.`;
  const named = (text: string) => text.replace(/--[a-z-]+|paycert\.dev\/[a-z-]+|\btls\.(?:crt|key)|\/metrics/g, '`$&`');
  const fallback = value === '' ? [] : [colon === ':' ? `Default: ${value}.` : `Default \`${value}\`.`];
  return [
    listed || `${named(meaning.replace(/^./, (first) => first.toUpperCase()))}.`,
    ...(more ? [more] : []),
    ...fallback,
  ].join(' ');
}

function optionRows(command: string): string {
  const { options } = commands[command] ?? {};
  if (options === undefined) throw new Error(`paycert ${command} is no command`);
  const rows = Object.entries(options).map(([name, option]) => [
    `\`--${name}${option.value === undefined ? '' : ` ${option.value}`}\``,
    describeOption(option),
  ]);
  return table(['option', 'meaning'], rows);
}

// docs/dependencies.md: what is installed, and what it pulls in

interface Locked {
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** Where Node finds a package from inside another: the nearest node_modules upwards. */
function locate(packages: Readonly<Record<string, Locked>>, from: string, name: string): string | undefined {
  for (let at = from; ; at = at.replace(/\/?node_modules\/(?:@[^/]+\/)?[^/]+$/, '')) {
    const path = `${at === '' ? '' : `${at}/`}node_modules/${name}`;
    if (packages[path]) return path;
    if (at === '') return undefined;
  }
}

function pulledIn(packages: Readonly<Record<string, Locked>>, from: string, found: Set<string>): Set<string> {
  for (const name of Object.keys(packages[from]?.dependencies ?? {})) {
    const path = locate(packages, from, name);
    if (path === undefined || found.has(path)) continue;
    found.add(path);
    pulledIn(packages, path, found);
  }
  return found;
}

function dependencies(section: 'dependencies' | 'devDependencies'): string {
  const { packages } = JSON.parse(read('package-lock.json')) as { packages: Readonly<Record<string, Locked>> };
  const rows = Object.keys(packages['']?.[section] ?? {}).map((name) => {
    const path = `node_modules/${name}`;
    const count = pulledIn(packages, path, new Set()).size;
    return [`[${name}](#${name.replace(/[@/]/g, '')})`, packages[path]?.version ?? '', String(count)];
  });
  return table(['package', 'version', 'packages it pulls in'], rows);
}

// docs/alerts.md and docs/runbook.md: every alert of the chart

const alerts = readAlerts(read('charts/paycert/files/alerts.yaml'), readValues(read('charts/paycert/values.yaml')));

const documents: Readonly<Record<string, ReadonlyMap<string, string>>> = {
  'docs/configuration.md': new Map(configTables(configSchema, '')),
  'docs/files.md': new Map([['tree', ['```text', 'src/', ...tree('src/'), '```'].join('\n')]]),
  ...Object.fromEntries(
    Object.values<Platform>(platforms).map(({ id, options }) => [
      `docs/${pageOf(id)}`,
      new Map(configTables(options as unknown as Schema, 'options')),
    ]),
  ),
  'docs/architecture.md': new Map([
    ['layers', layers()],
    ['importers', importers()],
  ]),
  'docs/api.md': new Map([
    ['operations', operationTable()],
    ['takes authorize', formTable('authorize')],
    ['takes verify', receivedTable()],
    ['takes decrypt', formTable('decrypt')],
    ['takes payment-parameters', formTable('paymentParameters')],
  ]),
  'docs/metrics.md': new Map([
    ['roles', roleRows()],
    ...parts.map((part) => [`metrics ${part}`, metricRows(part)] as const),
  ]),
  'docs/alerts.md': new Map([['alerts', table(['alert', 'level', 'for', 'value', 'fires when'], alertRows(alerts))]]),
  'docs/runbook.md': alertParagraphs(alerts),
  'docs/operator.md': new Map([['options', optionRows('operator')]]),
  'docs/dependencies.md': new Map([
    ['runtime', dependencies('dependencies')],
    ['development', dependencies('devDependencies')],
  ]),
};

/** The document with every generated part as it should be; a part without markers, or markers without a part, is an error. */
function fill(file: string, text: string, parts: ReadonlyMap<string, string>): string {
  const placed = new Set<string>();
  const filled = text.replace(
    /(<!-- generated: (.+?) -->\n)[\s\S]*?(<!-- end -->)/g,
    (_, start: string, key: string, end: string) => {
      const part = parts.get(key);
      if (part === undefined) throw new Error(`${file}: nothing is generated for "${key}"`);
      placed.add(key);
      return `${start}\n${part}\n\n${end}`;
    },
  );
  const missing = [...parts.keys()].filter((key) => !placed.has(key));
  if (missing.length > 0) throw new Error(`${file}: no markers for ${missing.map((key) => `"${key}"`).join(', ')}`);
  return filled;
}

const isCheck = process.argv.includes('--check');

function write(file: string, before: string, after: string): void {
  if (after === before) return;
  if (isCheck) {
    console.error(`${file} is stale: npm run docs`);
    process.exitCode = 1;
  } else writeFileSync(new URL(file, root), after);
}

for (const [file, parts] of Object.entries(documents)) {
  const text = read(file);
  write(file, text, fill(file, text, parts));
}
write('docs/errors.md', read('docs/errors.md'), errorsPage(read('docs/errors.md')));
write(crdPath, existsSync(new URL(crdPath, root)) ? read(crdPath) : '', crdText());
