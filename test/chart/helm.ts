// Calls helm, and reads what it renders. Every test runs with each version of Helm that is installed.
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments, stringify } from 'yaml';

export const root = fileURLToPath(new URL('../../', import.meta.url));
export const chart = 'charts/paycert';
export const namespace = 'paycert-system';

/** For `skip`: false where the program is installed. */
export function lacks(program: string): string | false {
  try {
    execFileSync(program, [program === 'helm' || program === 'helm3' ? 'version' : '--version'], { stdio: 'ignore' });
    return false;
  } catch {
    return `${program} is not installed: what it would check is not checked`;
  }
}

/** `helm` is version 4 or 3, whichever people have; `helm3` is version 3 beside it. */
export const helms = ['helm', 'helm3'] as const;
export type Helm = (typeof helms)[number];
export const noHelm = lacks('helm');

/** An object of YAML or JSON. */
export type Fields = Readonly<Record<string, unknown>>;

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Programs of Go that live for seconds collect their garbage rarely: a sixth less to compute, for some megabytes more. */
const env = { GOGC: '400', ...process.env };

export const run = (program: string, args: readonly string[], input?: string): Promise<Ran> =>
  new Promise((resolve) => {
    const child = execFile(program, [...args], { cwd: root, env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
    });
    child.stdin?.end(input);
  });

interface RenderOptions {
  readonly helm?: Helm;
  /** Files of values, and values. */
  readonly files?: readonly string[];
  readonly values?: object;
  readonly release?: string;
  readonly args?: readonly string[];
}

/** `helm template`, as it ended. */
export async function template({
  helm = 'helm',
  files = [],
  values = {},
  release = 'paycert',
  args = [],
}: RenderOptions): Promise<Ran> {
  const directory = mkdtempSync(join(tmpdir(), 'paycert-chart-'));
  try {
    const own = join(directory, 'values.yaml');
    writeFileSync(own, stringify(values));
    const named = [...files, own].flatMap((file) => ['--values', file]);
    return await run(helm, [
      'template',
      release,
      chart,
      '-n',
      namespace,
      '--kube-version',
      '1.35.0',
      ...named,
      ...args,
    ]);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** What `helm template` renders. @throws Error with what helm says */
export async function render(options: RenderOptions = {}): Promise<Manifest[]> {
  const { code, stdout, stderr } = await template(options);
  if (code !== 0) throw new Error(stderr);
  return parseAllDocuments(stdout).flatMap((document) => {
    if (document.errors[0]) throw document.errors[0];
    return (document.toJSON() as Manifest | null) ?? [];
  });
}

/** What helm prints after an install: `helm template` prints no notes, and to dry-run an install Helm 3 needs a cluster. */
export async function notes(options: RenderOptions = {}): Promise<string> {
  const text = readFileSync(join(root, chart, 'templates/NOTES.txt'), 'utf8');
  const object =
    '{ apiVersion: v1, kind: ConfigMap, metadata: { name: notes }, data: { notes: {{ tpl .Values.global.notes . | toJson }} } }';
  const values = { ...options.values, global: { notes: text }, extraObjects: [object] };
  return at(one(await render({ ...options, values }), 'ConfigMap', 'notes'), 'data.notes') as string;
}

export const ofKind = (manifests: readonly Manifest[], kind: string): Manifest[] =>
  manifests.filter((manifest) => manifest.kind === kind);

/** The one of that kind, and of that name if one is given. */
export function one(manifests: readonly Manifest[], kind: string, name?: string): Manifest {
  const found = ofKind(manifests, kind).filter(({ metadata }) => name === undefined || metadata.name === name);
  if (found[0] === undefined || found.length > 1) throw new Error(`${found.length} objects ${kind} ${name ?? ''}`);
  return found[0];
}

/** What stands at a path such as `spec.containers.0.args`; undefined where only its last field is missing. */
export function at(from: object, path: string): unknown {
  const steps = path.split('.');
  return steps.reduce<unknown>((value, step, index) => {
    if (typeof value !== 'object' || value === null)
      throw new Error(`there is nothing at ${steps.slice(0, index).join('.')} of ${JSON.stringify(from)}`);
    return (value as Fields)[step];
  }, from);
}

/** The object at that path. */
export function fieldsAt(from: object, path: string): Fields {
  const value = at(from, path);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`no object at ${path}`);
  return value as Fields;
}

/** The objects of the list at that path. */
export function listAt(from: object, path: string): readonly Fields[] {
  const value = at(from, path);
  if (!Array.isArray(value)) throw new Error(`no list at ${path}`);
  return value as Fields[];
}

/** The example values, one file per feature. */
export const exampleFiles = readdirSync(join(root, chart, 'ci')).map((name) => `${chart}/ci/${name}`);
