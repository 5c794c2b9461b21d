// docs/configuration.md and what else `npm run docs` writes agree with the code; the examples are configurations.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { parseConfig } from '../../src/config/load.ts';
import { defaults } from '../../src/config/defaults.ts';
import { codeBlocks, read, rootPath } from './documents.ts';

const path = 'docs/configuration.md';

describe('generated documentation', () => {
  it('is what the code says: npm run docs -- --check', () => {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/docs.ts', '--check'], {
      cwd: rootPath,
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
  });
});

describe('docs/configuration.md', () => {
  const examples = codeBlocks(path).filter(({ info }) => info === 'yaml');

  it('has four complete examples, and each is a valid configuration', () => {
    assert.equal(examples.length, 4);
    for (const { text } of examples) assert.ok(parseConfig(text).credentials.length > 0);
  });

  it('has parts that make a valid configuration without credentials', () => {
    const parts = codeBlocks(path).filter(({ info }) => info === 'yaml part');
    assert.ok(parts.length > 0);
    for (const { text } of parts) assert.deepEqual(parseConfig(`${text}credentials: []`).credentials, []);
  });

  it('shows a mounted Secret, variables, a merge with other names, and a Secret by API with its mount', () => {
    const sources = examples.map(({ text }) => Object.keys(parseConfig(text).credentials[0]!.source).join());
    assert.deepEqual(sources, ['files', 'env', 'merge', 'fallback']);
    assert.match(examples[2]!.text, /keys:/);
  });

  it('has every default of the schema', () => {
    const text = read(path);
    for (const [name, value] of Object.entries(defaults)) {
      const isShown = [`\`${JSON.stringify(value)}\``, `:${JSON.stringify(value)}}\``].some((form) =>
        text.includes(form),
      );
      assert.ok(isShown, `${name} ${JSON.stringify(value)}`);
    }
  });
});
