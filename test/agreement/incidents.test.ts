// The table of incidents names each that a title in test/incidents names, and no other.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import { read, root, tableRows } from './documents.ts';

const folder = new URL('test/incidents/', root);
const named = /\b[a-z][\w-]*#\d+/g;
const titles = readdirSync(folder).flatMap((file) => {
  const text = read(`test/incidents/${file}`);
  // A title is the first thing that a test is given.
  return [...text.matchAll(/\bit\(\s*(['"`])(.*?)\1,/gs)].map(([, , title = '']) => title);
});
const rows = tableRows(read('docs/incidents.md')).map(([incident = '']) => incident);

describe('docs/incidents.md', () => {
  it('has a row for each incident that a test names, and a test for each row', () => {
    const tested = new Set(titles.flatMap((title) => title.match(named) ?? []));
    assert.ok(tested.size > 10, String(tested.size));
    assert.deepEqual([...rows].sort(), [...tested].sort());
  });
});
