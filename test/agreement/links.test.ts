// Links between documents lead somewhere: to a file that exists, to a heading that it has; and commands start what every Node can read.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, it } from 'node:test';
import { anchors, documentPaths, read, root } from './documents.ts';

const linksOf = (path: string): string[] =>
  [
    ...read(path)
      .replace(/^```[\s\S]*?^```$|`[^`\n]*`(?!\])/gm, '')
      .matchAll(/\]\(([^)\s]+)\)/g),
  ]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target));

describe('links between documents', () => {
  for (const path of documentPaths()) {
    it(`of ${path} lead somewhere`, () => {
      for (const target of linksOf(path)) {
        const [file = '', fragment] = target.split('#', 2);
        const resolved = file === '' ? path : posix.join(posix.dirname(path), decodeURIComponent(file));
        assert.ok(existsSync(new URL(resolved, root)), `${target}: ${resolved} is not there`);
        if (fragment !== undefined && resolved.endsWith('.md'))
          assert.ok(anchors(resolved).has(decodeURIComponent(fragment)), `${target}: no such heading`);
      }
    });
  }
});

it('no document starts a file of src that an older Node cannot read, and so cannot say which Node is needed', () => {
  for (const path of documentPaths()) assert.doesNotMatch(read(path), /node src\/\S+\.ts/, path);
});
