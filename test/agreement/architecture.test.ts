// docs/architecture.md and the tree say the same, and every file says what it is for.
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import { quoted, read, root, sections, sourceFiles, tableRows } from './documents.ts';

const path = 'docs/architecture.md';
const { forbidden } = createRequire(import.meta.url)('../../.dependency-cruiser.cjs') as {
  forbidden: { name: string; to: { path?: string; pathNot?: string | string[] } }[];
};
const folders = readdirSync(new URL('src/', root), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort();
const body = (title: string): string => sections(path).find((section) => section.title === title)?.body ?? '';

describe('every source file', () => {
  for (const file of sourceFiles()) {
    it(`${file} says in its first line what it is for`, () => {
      const [first = '', second = ''] = read(file).split('\n', 2);
      assert.match(first.startsWith('#!') ? second : first, /^\/\/ \S.{19,}\.$/);
    });
  }
});

describe('every folder of src', () => {
  it('has a rule that says what it may import', () => {
    const ruled = forbidden.flatMap(({ name }) => /^layer-(.+)$/.exec(name)?.[1] ?? []);
    assert.deepEqual(ruled.sort(), folders);
  });

  it('is described in docs/architecture.md, and no other is', () => {
    const described = tableRows(body('Folders')).map(([name = '']) => name);
    assert.deepEqual(described.filter((name) => !name.includes('`')).sort(), folders);
  });

  it('stands in the table of who may import whom, with what its rule allows', () => {
    const table = new Map(
      tableRows(body('Who may import whom')).flatMap(([name = '', allowed = '']) =>
        name.startsWith('`') ? [] : [[name, allowed]],
      ),
    );
    assert.deepEqual([...table.keys()].sort(), folders);
    for (const [name, allowed = ''] of table) {
      const { to } = forbidden.find((rule) => rule.name === `layer-${name}`)!;
      const patterns = [to.pathNot ?? []].flat().map((pattern) => new RegExp(pattern));
      const mayImport = folders.filter((other) => patterns.some((pattern) => pattern.test(`src/${other}/file.ts`)));
      const documented = [name, ...allowed.split(', ').filter((other) => other !== '–')];
      assert.deepEqual(documented.sort(), mayImport, name);
    }
  });
});

describe('every file at the root of src', () => {
  it('is the ground or the library: nothing else has no rule', () => {
    const ground = new RegExp(forbidden.find(({ name }) => name === 'ground-imports-nothing')!.to.pathNot as string);
    const others = sourceFiles().filter((file) => /^src\/[^/]+$/.test(file) && !ground.test(file));
    assert.deepEqual(others, ['src/index.ts', 'src/library.ts']);
  });
});

describe('where does this line go', () => {
  it('names files that exist', () => {
    const named = tableRows(body('Where does this line go?')).flatMap(([, place = '']) => quoted(place));
    assert.ok(named.length > 15);
    for (const name of named) {
      if (name.includes('<')) continue;
      const candidates = name.startsWith('docs/') ? [name] : [`src/${name}`];
      assert.ok(
        candidates.some((candidate) => existsSync(new URL(candidate, root))),
        name,
      );
    }
  });
});
