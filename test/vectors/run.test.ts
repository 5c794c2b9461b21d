// The runner never passes in silence: what it does not know, cannot find or finds otherwise fails.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { isObject, type Json } from './read.ts';
import { files, specimens } from './specimens/all.ts';
import { apiV3Key } from './specimens/material.ts';
import { shangmiImpostors, shangmiSpecimens } from './specimens/shangmi.ts';

const root = mkdtempSync(join(tmpdir(), 'paycert-vectors-'));
after(() => rmSync(root, { recursive: true }));

let folders = 0;
function folderWith(vectors: unknown, { nested = '' } = {}): string {
  folders += 1;
  const folder = join(root, String(folders));
  const inner = join(folder, nested);
  mkdirSync(inner, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(inner, name), text);
  writeFileSync(join(inner, 'vectors.json'), typeof vectors === 'string' ? vectors : JSON.stringify({ vectors }));
  return folder;
}

function run(folder: string): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, 'run.ts')], {
    env: { ...process.env, PAYCERT_VECTORS: folder },
    encoding: 'utf8',
  });
  assert.equal(stderr, '');
  return { status, output: stdout };
}

const specimen = (kind: string): Json => specimens.find((vector) => vector['kind'] === kind) ?? assert.fail(kind);

const lineOf = (output: string, id: string): string =>
  output.split('\n').find((line) => line.includes(` ${id} `)) ?? '';

/** Everything that can be spoiled in an expectation, one at a time. */
function* spoiled(value: unknown): Generator {
  if (typeof value === 'boolean') yield !value;
  else if (typeof value === 'number') yield value + 1;
  else if (typeof value === 'string')
    yield /^(?:error|ok)$/.test(value) ? (value === 'ok' ? 'error' : 'ok') : `1${value}`;
  else if (Array.isArray(value))
    for (const [i, element] of value.entries()) for (const other of spoiled(element)) yield value.with(i, other);
  else if (isObject(value))
    for (const [key, member] of Object.entries(value))
      for (const other of spoiled(member)) yield { ...value, [key]: other };
}

describe('the vector runner', () => {
  it('passes a vector of every family, in nested folders', () => {
    const { status, output } = run(folderWith([...specimens, ...shangmiSpecimens], { nested: 'source/part' }));
    assert.equal(status, 0, output);
    assert.match(output, new RegExp(`^${specimens.length + shangmiSpecimens.length} passed, 0 failed$`, 'm'));
    const passedOver = [...output.matchAll(/^note: .*\((.*), .*\): not asserted: /gm)].map(([, protocol]) => protocol);
    assert.deepEqual([...new Set(passedOver)], ['wechat-v3-shangmi', 'sm']);
    assert.match(output, /^\d+ expectations were not asserted/m);
  });

  it('passes no vector of which one expected value is spoiled', () => {
    const vectors = specimens.flatMap((vector) =>
      [...spoiled(vector['expected'])].map((expected, i) => ({
        ...vector,
        id: `${String(vector['id'])} ${i}`,
        expected,
      })),
    );
    assert.ok(vectors.length > specimens.length);
    const { status, output } = run(folderWith(vectors));
    assert.equal(status, 1);
    const survivors = vectors
      .filter(({ id }) => !/(?:FAILED|SHAPE UNKNOWN) vectors\.json /.test(lineOf(output, id)))
      .map(({ id }) => id);
    assert.deepEqual(survivors, []);
    assert.match(output, /^0 passed, /m);
  });

  it('names no key when it fails', () => {
    const vectors = specimens.map((vector) => ({ ...vector, expected: { valid: false, plaintext: 'x' } }));
    const { output } = run(folderWith(vectors));
    assert.match(output, /^FAILED/m);
    assert.ok(!output.includes(apiV3Key));
    assert.doesNotMatch(output, /BEGIN|PRIVATE/);
  });

  it('does not pass a kind and a protocol that it does not know, and calls no product wrong for it', () => {
    const known = specimen('rsa-sha256-sign');
    const { status, output } = run(
      folderWith([known, { ...known, id: 'a', kind: 'tea-leaves' }, { ...known, id: 'b', protocol: 'x' }]),
    );
    assert.equal(status, 1);
    assert.match(output, /^SHAPE UNKNOWN vectors\.json a \(wechat-v3, tea-leaves\): /m);
    assert.match(output, /^SHAPE UNKNOWN vectors\.json b .*: unknown protocol "x"$/m);
    assert.match(output, /^1 passed, 0 failed, 2 shape unknown$/m);
  });

  it('does not pass a vector that expects nothing it can assert', () => {
    const vectors = [{}, undefined, { see: 'elsewhere' }].flatMap((expected) =>
      specimens.map((vector) => ({ ...vector, expected })),
    );
    const { output } = run(folderWith(vectors));
    assert.match(output, /^0 passed, /m);
    assert.match(output, /^SHAPE UNKNOWN .*: nothing that is expected was asserted$/m);
  });

  it('fails a vector of SM that the product does not refuse as the documents say', () => {
    const { status, output } = run(folderWith(shangmiImpostors));
    assert.equal(status, 1);
    for (const { id } of shangmiImpostors) assert.match(output, new RegExp(`^FAILED vectors\\.json ${id} `, 'm'));
    assert.match(output, new RegExp(`^0 passed, ${shangmiImpostors.length} failed$`, 'm'));
  });

  it('fails on a folder that is empty, missing, or holds a file that cannot be read', () => {
    const empty = join(root, 'empty');
    mkdirSync(empty);
    const [nothing, missing, broken] = [run(empty), run(join(root, 'missing')), run(folderWith('{'))];
    assert.deepEqual([nothing.status, missing.status, broken.status], [1, 1, 1]);
    assert.match(nothing.output, /^0 passed, 0 failed$/m);
    assert.match(missing.output, /^There is no folder .*PAYCERT_VECTORS/m);
    assert.match(broken.output, /^FAILED vectors\.json: is not JSON/m);
  });
});
