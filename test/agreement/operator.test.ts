// docs/operator.md, src/operator/labels.ts, the command's options and the resource's definition say the same.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { commands } from '../../src/cli/commands.ts';
import { ResourceSpecSchema } from '../../src/config/resource.ts';
import { labels } from '../../src/operator/labels.ts';
import { quoted, read, sections, sourceFiles, tableRows } from './documents.ts';

const path = 'docs/operator.md';
const rowsOf = (title: string): string[][] => tableRows(sections(path).find((section) => section.title === title)?.body ?? ''); // prettier-ignore

describe('docs/operator.md', () => {
  it('has every label and annotation, where it stands and what it means, and no other', () => {
    const documented = rowsOf('Labels and annotations').map(([name = '', ...row]) => [quoted(name).join(), ...row]);
    assert.deepEqual(documented, Object.entries(labels).map(([name, { on, is, meaning }]) => [name, on, is, meaning])); // prettier-ignore
  });

  it('has every option of the command, and no other', () => {
    const documented = rowsOf('Running it').map(([name = '']) => /--([a-z-]+)/.exec(name)?.[1]);
    assert.deepEqual(documented, Object.keys(commands['operator']!.options));
  });

  it('has every field of the resource, and no other', () => {
    const documented = rowsOf('The resource').flatMap(([name = '']) =>
      quoted(name).map((field) => field.split('.')[0]),
    );
    assert.deepEqual(documented.sort(), Object.keys(ResourceSpecSchema.properties).sort());
  });
});

describe('the definition of the resource', () => {
  it('has no pattern that the API server, which reads RE2, refuses', () => {
    const definition = read('deploy/crds/paymentcredentials.paycert.dev.yaml');
    const patterns = [...definition.matchAll(/rule: .*self\.matches\("(.+)"\)/g)];
    assert.ok(patterns.length > 10);
    // The API server would show it to who wrote the resource.
    assert.doesNotMatch(definition, /^ *pattern:/m);
    for (const [, pattern = ''] of patterns) {
      assert.doesNotMatch(pattern, /\(\?[=!<]|\\[1-9]/, 'RE2 neither looks around nor refers back');
      for (const [, times] of pattern.matchAll(/\{(?:\d+,)?(\d+)\}/g)) assert.ok(Number(times) <= 1000, pattern);
    }
  });
});

describe('labels and annotations', () => {
  it('are written out in one file of the code, beside what explains them to people', () => {
    const others = sourceFiles().filter(
      (file) => !file.startsWith('src/cli/') && !['src/operator/labels.ts', 'src/config/resource.ts'].includes(file),
    );
    for (const file of others) assert.doesNotMatch(read(file).replaceAll(/^.*(?:\/\/|\*).*$/gm, ''), /paycert\.dev\/(?:provider|option|require|refresh)/, file); // prettier-ignore
  });
});
