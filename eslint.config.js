// Lint rules: type-checked correctness only; layout belongs to prettier.
import regexp from 'eslint-plugin-regexp';
import tseslint from 'typescript-eslint';

/** What reads a clock, an environment or chance, waits or talks: globals, and names of node:crypto. */
const impureGlobals = [
  ...[
    'process',
    'globalThis',
    'global',
    'navigator',
    'crypto',
    'performance',
    'console',
    'fetch',
    'WebSocket',
    'EventSource',
  ],
  ...['setTimeout', 'setInterval', 'setImmediate'],
];
const chance = [
  ...['randomBytes', 'randomFill', 'randomFillSync', 'randomInt', 'randomUUID', 'getRandomValues', 'webcrypto'],
  ...['generateKey', 'generateKeySync', 'generateKeyPair', 'generateKeyPairSync', 'generatePrime', 'generatePrimeSync'],
];

export default tseslint.config(
  { ignores: ['dist', 'node_modules', 'coverage'] },
  ...tseslint.configs.strictTypeChecked.map((config) => ({ ...config, files: ['**/*.ts'] })),
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true, varsIgnorePattern: '^_$' }],
      // There are no enums, as is said below: to look at each value for one is a tenth of the whole.
      '@typescript-eslint/no-unsafe-enum-assignment': 'off',
      // What was caught is unknown, and is passed on as it is, as `throw` may.
      '@typescript-eslint/prefer-promise-reject-errors': ['error', { allowThrowingUnknown: true }],
      // An async function without await turns a throw into a rejection, which is what a promise interface promises.
      '@typescript-eslint/require-await': 'off',
      'no-restricted-syntax': ['error', { selector: 'TSEnumDeclaration', message: 'Use a union of literals.' }],
    },
  },
  {
    files: ['src/**/*.ts'],
    plugins: { regexp },
    rules: {
      '@typescript-eslint/max-params': ['error', { max: 4 }],
      // Whoever sends a text decides how long a pattern looks at it: no pattern may take longer than in proportion to its length.
      'regexp/no-super-linear-backtracking': ['error', { report: 'potential' }],
      'regexp/no-super-linear-move': ['error', { report: 'potential' }],
    },
  },
  {
    // The rule of purity that imports cannot show: time, chance, the environment and timers are arguments.
    files: ['src/{crypto,providers,store}/**/*.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...impureGlobals.map((name) => ({
          name,
          message: 'crypto, providers and store are pure: pass what is needed.',
        })),
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'Time is an argument.' },
        { object: 'Math', property: 'random', message: 'Chance is an argument.' },
        { object: 'Temporal', property: 'Now', message: 'Time is an argument.' },
      ],
      'no-restricted-imports': [
        'error',
        {
          paths: [
            ...['node:crypto', 'crypto'].map((name) => ({
              name,
              importNames: ['default', ...chance],
              message: 'Chance is an argument.',
            })),
          ],
          patterns: [
            { regex: '/nonce\\.ts$', message: 'Chance is an argument.' },
            { regex: '/clock\\.ts$', importNames: ['systemClock'], message: 'Time is an argument.' },
          ],
        },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: 'TSEnumDeclaration', message: 'Use a union of literals.' },
        { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'Time is an argument.' },
        { selector: "CallExpression[callee.name='Date']", message: 'Time is an argument.' },
      ],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // node:test's describe and it return promises that the runner awaits.
      '@typescript-eslint/no-floating-promises': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
);
