// docs/errors.md and src/errors.ts say the same, both ways.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import { type ErrorCode, errorTable, PaycertError } from '../../src/errors.ts';
import { problemOf } from '../../src/server/problem.ts';
import { grouped, read, sections, sourceFiles, tableRows } from './documents.ts';

const path = 'docs/errors.md';
const documented = grouped(path, 3);
const codes = Object.keys(errorTable) as ErrorCode[];
const statusOf = (code: ErrorCode): number => problemOf(new PaycertError(code, '')).status;
const kinds = [...new Set(codes.map((code) => errorTable[code].kind))];

describe('docs/errors.md', () => {
  it('has one section for every code, and none for any other, in the order of the table', () => {
    assert.deepEqual(
      documented.map(({ title }) => title),
      codes,
    );
  });

  it('has every code under its kind', () => {
    for (const { title, group } of documented) {
      const kind = group === 'Warnings about material' ? 'material' : group;
      assert.equal(kind, errorTable[title as ErrorCode].kind, title);
    }
  });

  it('has warnings apart: what contexts tell and no check refuses', () => {
    const warnings = documented.filter(({ group }) => group === 'Warnings about material').map(({ title }) => title);
    assert.deepEqual(
      warnings,
      codes.filter((code) => errorTable[code].isWarning),
    );
  });

  it('says in every section what to do, and tells its story in a few lines', () => {
    for (const { title, body } of documented) {
      const [fact = '', ...story] = body.trim().split('\n\n');
      const { hint, status } = errorTable[title as ErrorCode];
      assert.equal(fact, `${status === undefined ? '' : `HTTP ${String(status)}. `}**Do:** ${hint}`);
      assert.ok(story.join('\n').split('\n').length <= 7, title);
    }
  });

  it('gives each kind its HTTP status and its exit code', () => {
    const [overview] = sections(path);
    const rows = new Map(
      tableRows(overview?.body ?? '').map((cells) => [/\[(.+?)\]/.exec(cells[0] ?? '')?.[1], cells]),
    );
    assert.deepEqual([...rows.keys()], kinds);
    for (const kind of kinds) {
      const [, , , http = '', exit] = rows.get(kind) ?? [];
      assert.equal(exit, String(exitCodes[kind]), kind);
      const isAnswered = !['config', 'source', 'material'].includes(kind);
      const plain = codes.find((code) => errorTable[code].kind === kind && errorTable[code].status === undefined);
      assert.equal(http.slice(0, 3), isAnswered ? String(statusOf(plain!)) : '–', kind);
    }
  });
});

describe('src/errors.ts', () => {
  it('has no code that nothing uses', () => {
    const text = sourceFiles()
      .filter((file) => file !== 'src/errors.ts')
      .map(read)
      .join('\n');
    for (const code of codes) assert.ok(text.includes(`'${code}'`), code);
  });
});
