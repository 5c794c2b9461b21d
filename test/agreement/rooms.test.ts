// Tests live in the rooms of what they test: what is promised of a file is found in one folder.
import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';

const root = join(import.meta.dirname, '../..');
const folders = (pattern: string) =>
  new Set(globSync(pattern, { cwd: root }).map((path) => dirname(path).split('/').slice(1).join('/')));

/** About more than one room, or about what is outside `src/`. */
const apart = ['adapters', 'agreement', 'chart', 'field', 'fuzz', 'incidents', 'scripts', 'vectors'];

describe('a test', () => {
  const rooms = folders('src/**/*.ts');
  const tested = folders('test/**/*.test.ts');

  it('is in a room of src, or in one of those for what is about several', () => {
    const lost = [...tested].filter((folder) => !rooms.has(folder) && !apart.includes(folder.split('/')[0] ?? ''));
    assert.deepEqual(lost, []);
  });

  it('is there for every room, or for the room that it is a part of', () => {
    const isTested = (room: string) => tested.has(room) || tested.has(dirname(room));
    assert.deepEqual(
      [...rooms].filter((room) => !isTested(room)),
      [],
    );
  });
});
