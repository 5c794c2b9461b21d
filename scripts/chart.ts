// npm run chart: writes what the chart takes from elsewhere. With --check it writes nothing and names what is stale.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parse } from 'yaml';
import { replacedPattern } from '../src/providers/roles.ts';
import { dashboard } from './chart/dashboard.ts';
import { toJsonSchema } from './chart/json-schema.ts';
import { chartReadme } from './chart/readme.ts';
import { valuesSchema } from './chart/schema.ts';
import { readValues } from './chart/values.ts';

const root = new URL('../', import.meta.url);
const chart = new URL('charts/paycert/', root);
const read = (name: string, base = chart): string => readFileSync(new URL(name, base), 'utf8');

const groups = parse(read('files/alerts.yaml'), { merge: true }) as readonly { readonly alerts?: object }[];
const values = readValues(read('values.yaml'));
const crds = readdirSync(new URL('deploy/crds/', root));

/** File of the chart → what it must hold. */
const wanted: Readonly<Record<string, string>> = {
  'README.md': chartReadme(values),
  'values.schema.json': toJsonSchema(valuesSchema(groups.flatMap(({ alerts = {} }) => Object.keys(alerts))), values),
  'files/dashboard.json': `${JSON.stringify(dashboard, undefined, 2)}\n`,
  'files/roles.yaml': `# What alerts leave out: keys whose successor is in use. Written by npm run chart.\nreplaced: ${replacedPattern}\n`,
  ...Object.fromEntries(crds.map((name) => [`files/crds/${name}`, read(`deploy/crds/${name}`, root)])),
};

const current = (name: string): string | undefined => {
  try {
    return read(name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
};

const stale = Object.keys(wanted).filter((name) => current(name) !== wanted[name]);
// A CRD that went away must leave the chart too.
const extra = readdirSync(new URL('files/crds/', chart)).filter((name) => !crds.includes(name));
if (process.argv.includes('--check')) {
  for (const name of [...stale, ...extra]) console.error(`charts/paycert/${name} is stale: npm run chart`);
  process.exitCode = stale.length + extra.length > 0 ? 1 : 0;
} else {
  mkdirSync(new URL('files/crds/', chart), { recursive: true });
  for (const name of stale) writeFileSync(new URL(name, chart), wanted[name] ?? '');
}
