// The lint rules refuse what they should: each line that is planted here breaks one, in a file that is not there.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';
import { rootPath } from './documents.ts';

// What needs types is left out: no program has these files.
const eslint = new ESLint({ cwd: rootPath, overrideConfig: [tseslint.configs.disableTypeChecked] });

async function rulesBroken(filePath: string, code: string): Promise<readonly (string | null)[]> {
  const [result] = await eslint.lintText(`${code}\n`, { filePath });
  assert.ok(result);
  return [...new Set(result.messages.filter(({ severity }) => severity === 2).map(({ ruleId }) => ruleId))];
}

/** What reads a clock, chance or the environment, by the rule that refuses it. */
const impure: Readonly<Record<string, readonly string[]>> = {
  'no-restricted-properties': [
    'export const now = () => Date.now();',
    'export const { now } = Date;',
    "export const now = () => Date['now']();",
    'export const chance = () => Math.random();',
    'export const { random } = Math;',
  ],
  'no-restricted-syntax': [
    'export const now = () => new Date();',
    'export const now = () => new Date;',
    'export const now = () => Date();',
  ],
  'no-restricted-globals': [
    "export const home = () => process.env['HOME'];",
    'export const now = () => process.hrtime();',
    'export const now = () => performance.now();',
    'export const id = () => crypto.randomUUID();',
    'export const id = () => crypto.getRandomValues(new Uint8Array(16));',
    'export const now = () => globalThis.performance.now();',
    'export const wait = (work: () => void) => setTimeout(work, 1);',
    'export const wait = (work: () => void) => setInterval(work, 1);',
    'export const wait = (work: () => void) => setImmediate(work);',
    "export const ask = () => fetch('https://pay.example/');",
    "export const say = () => console.log('');",
    'export const cores = () => navigator.hardwareConcurrency;',
  ],
  'no-restricted-imports': [
    ...['randomBytes', 'randomUUID', 'randomInt', 'randomFillSync', 'webcrypto', 'generateKeyPairSync'].map(
      (name) => `export { ${name} } from 'node:crypto';`,
    ),
    "import { randomBytes as bytes } from 'node:crypto'; export const id = () => bytes(16);",
    "import * as all from 'node:crypto'; export const id = () => all.randomBytes(16);",
    "import all from 'node:crypto'; export const id = () => all.randomBytes(16);",
    "import { randomBytes } from 'crypto'; export const id = () => randomBytes(16);",
    "import { systemClock } from '../clock.ts'; export const now = () => systemClock.now();",
    "import { randomNonce } from '../../nonce.ts'; export const id = () => randomNonce();",
  ],
};

const fine = [
  "import { createHash } from 'node:crypto'; export const digest = (text: string) => createHash('sha256').update(text);",
  "import type { Clock } from '../clock.ts'; export const time = (clock: Clock) => clock.now();",
  'export const later = (now: Date) => new Date(now.getTime() + 1000);',
  'export const parse = (text: string) => Date.parse(text);',
  'export const four = (a: string, b: string, c: string, d: string) => a + b + c + d;',
];

const pure = ['src/crypto/planted.ts', 'src/providers/alipay/planted.ts', 'src/store/planted.ts'];
const other = ['src/server/planted.ts', 'src/running/planted.ts', 'src/cli/init/planted.ts'];

describe('the lint rules of crypto, providers and store', () => {
  for (const [rule, lines] of Object.entries(impure))
    for (const line of lines)
      it(`refuse ${line}`, async () => {
        for (const path of pure) assert.deepEqual(await rulesBroken(path, line), [rule], path);
      });

  it('refuse nothing that is an argument', async () => {
    for (const path of pure) for (const line of fine) assert.deepEqual(await rulesBroken(path, line), [], line);
  });

  it('leave other rooms their clock, chance and environment', async () => {
    const lines = Object.values(impure).flat();
    for (const path of other) for (const line of lines) assert.deepEqual(await rulesBroken(path, line), [], line);
  });
});

describe('the lint rules of all sources', () => {
  const five = 'a: string, b: string, c: string, d: string, e: string';
  const planted = [
    `export function join(${five}) { return a + b + c + d + e; }`,
    `export const join = (${five}) => a + b + c + d + e;`,
    `export class Joined { join(${five}) { return a + b + c + d + e; } }`,
    `export class Joined { readonly text: string; constructor(${five}) { this.text = a + b + c + d + e; } }`,
  ];
  for (const line of planted)
    it(`take four positional parameters at most: ${line.slice(0, 40)}…`, async () => {
      for (const path of [...pure, ...other])
        assert.deepEqual(await rulesBroken(path, line), ['@typescript-eslint/max-params'], path);
    });

  for (const pattern of [
    '/^[A-Za-z0-9+/\\s]{16,}={0,2}\\s*$/',
    '/(?:^|\\n)\\s*-*[—]+-*\\s*BEGIN /',
    '/\\/+$/',
    '/<[^>]*>/g',
    '/^(?:a+)+$/',
  ])
    it(`have no pattern that takes longer than in proportion to the text: ${pattern}`, async () => {
      for (const path of [...pure, ...other]) {
        const [rule, ...more] = await rulesBroken(path, `export const is = (text: string) => ${pattern}.test(text);`);
        assert.match(String(rule), /^regexp\/no-super-linear-/, path);
        assert.deepEqual(more, []);
      }
    });

  it('have no enum', async () => {
    for (const path of [...pure, ...other])
      assert.deepEqual(await rulesBroken(path, 'export enum Kind { One, Two }'), ['no-restricted-syntax'], path);
  });
});
