// Texts keep to the field's words: the table in CONTRIBUTING.md says which phrases they avoid.
import { equal, ok } from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { read, rootPath, sections, tableRows } from './documents.ts';

const table = tableRows(sections('CONTRIBUTING.md').find(({ title }) => title === 'Words')?.body ?? '');
const phrases = table.flatMap(([avoided = '']) => avoided.split(', '));

const folders = ['src', 'docs', 'charts', 'deploy', 'examples', 'README.md', 'SECURITY.md', 'VERSIONING.md'];
const paths = execFileSync('git', ['ls-files', '--', ...folders], { cwd: rootPath, encoding: 'utf8' })
  .split('\n')
  .filter((path) => /\.(?:ts|md|ya?ml|tpl|txt|json|go|py|java|mjs|sh)$/.test(path));

/** `the answer is no` decides a question, and `known answers` are the field's words for test vectors. */
const isMeant = (text: string, index: number): boolean =>
  /^(?:the|an) answer (?:is )?no\b/i.test(text.slice(index, index + 20)) || text.startsWith(']', index + 10);

/** Every use of a phrase as whole words, as `line: text`. */
function findPhrases(text: string): string[] {
  const uses = phrases.flatMap((phrase) =>
    [...text.matchAll(new RegExp(`\\b${phrase.replaceAll("'", "['’]")}\\b`, 'gi'))].filter(
      ({ index }) => !isMeant(text, index),
    ),
  );
  return uses.map(({ 0: phrase, index }) => `${String(text.slice(0, index).split('\n').length)}: ${phrase}`);
}

describe('words', () => {
  it('of the table are found wherever they begin and end as words', () => {
    ok(phrases.includes('taken back'));
    equal(findPhrases('A certificate\nthat was Taken back, whoever did it.').length, 2);
    equal(findPhrases('The answer is no.').length, 0);
  });

  for (const path of paths) {
    it(`of ${path} are the field’s`, () => equal(findPhrases(read(path)).join('\n'), ''));
  }
});
