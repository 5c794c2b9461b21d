// Decision records: each has a number and a file of its own, and a line in the list.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import { read, root } from './documents.ts';

const files = readdirSync(new URL('docs/adr/', root))
  .filter((name) => name !== 'README.md')
  .sort();
const numberOf = (file: string): number => Number(file.slice(0, 4));

describe('decision records', () => {
  it('are numbered from 1 on, each once', () => {
    assert.deepEqual(
      files.map(numberOf),
      files.map((_, index) => index + 1),
    );
  });

  for (const file of files)
    it(`${file} has its number and title in its first line and in the list, and a status`, () => {
      const text = read(`docs/adr/${file}`);
      const [, number, title = ''] = /^# (\d+)\. (.+)\n/.exec(text) ?? [];
      assert.equal(Number(number), numberOf(file));
      assert.ok(read('docs/adr/README.md').includes(`${numberOf(file)}. [${title}](${file})`), title);
      assert.match(text, /^\*\*Status:\*\* (?:accepted|superseded by \d+)/m);
    });
});
