// docs/dependencies.md and package.json name the same packages.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { grouped, read } from './documents.ts';

type Section = 'dependencies' | 'devDependencies' | 'peerDependencies';
const manifest = JSON.parse(read('package.json')) as Partial<Record<Section, Record<string, string>>>;
const names = (section: Section): string[] => Object.keys(manifest[section] ?? {});
const documented = grouped('docs/dependencies.md', 3);
const under = (group: string): string[] =>
  documented.filter((section) => section.group === group).map(({ title }) => title);

describe('docs/dependencies.md', () => {
  it('has a section for every dependency at run time, and no other', () => {
    assert.deepEqual(under('At run time').sort(), names('dependencies').sort());
  });

  it('has a section for every other dependency, once, and no other', () => {
    const others = [...new Set([...names('devDependencies'), ...names('peerDependencies')])];
    assert.deepEqual([...under('Optional peers'), ...under('In development')].sort(), others.sort());
  });

  it('says what each is for', () => {
    for (const { title, body } of documented) assert.ok(body.trim().length > 30, title);
  });
});

describe('package.json', () => {
  it('pins every dependency to one version', () => {
    for (const section of ['dependencies', 'devDependencies'] as const)
      for (const [name, version] of Object.entries(manifest[section] ?? {}))
        assert.match(version, /^\d+\.\d+\.\d+$/, name);
  });
});
