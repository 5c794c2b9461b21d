// Material: its revision is equal for equal names and bytes, and for nothing else, and it has an end.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { material } from '../../src/sources/source.ts';
import { filesOf } from '../support/directories.ts';

const revision = (texts: Record<string, string>) => material(filesOf(texts)).revision;

describe('a revision', () => {
  it('does not depend on the order of the names', () => {
    assert.equal(revision({ a: '1', b: '2' }), revision({ b: '2', a: '1' }));
  });

  it('tells apart every change of names and bytes', () => {
    const variants = [{}, { a: '' }, { a: '1' }, { b: '1' }, { a: '1', b: '' }, { a: '1b0:' }, { a: '', '1': '' }];
    assert.equal(new Set(variants.map((texts) => revision(texts as Record<string, string>))).size, variants.length);
  });

  it('does not depend on what is only said about the material', () => {
    const about = { version: '7', changedAt: new Date(), frozenPaths: ['/k'] };
    assert.equal(material(filesOf({ a: '1' }), about).revision, revision({ a: '1' }));
  });

  it('is no plain digest that could be compared with a guess', () => {
    assert.match(revision({ a: '1' }), /^[0-9a-f]{64}$/);
    assert.ok(!revision({}).startsWith('e3b0c44298fc1c14'));
  });
});

describe('material', () => {
  it('has no more parts than anything has', () => {
    const parts = (count: number) => new Map(Array.from({ length: count }, (_, index) => [`p${index}`, Buffer.of()]));
    assert.match(material(parts(1024)).revision, /^[0-9a-f]{64}$/);
    assert.throws(() => material(parts(1025)), { code: 'source-too-large' });
  });
});
