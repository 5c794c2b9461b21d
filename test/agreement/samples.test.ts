// The samples of the pages of keys, sources and providers are configurations: whole ones start as they stand, and parts fit into one.
import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parseConfig } from '../../src/config/load.ts';
import { codeBlocks, rootPath } from './documents.ts';

const pages = ['docs/keys.md', ...globSync('docs/{sources,providers}/*.md', { cwd: rootPath }).sort()];
const listen = 'listen: { socket: /run/paycert/paycert.sock }\n';

/** Of paycert.yaml, and not of a pod or of another program. */
const samples = pages.flatMap((page) =>
  codeBlocks(page)
    .filter(({ info, text }) => info.startsWith('yaml') && /^(listen|credentials|keyServices):/m.test(text))
    .map(({ info, text }) => ({ page, info, text })),
);

describe('a sample', () => {
  for (const { page, info, text } of samples)
    it(`of ${page}, ${info} that begins with ${text.split('\n', 1)[0] ?? ''}, is a configuration`, () => {
      if (info === 'yaml') {
        assert.ok(text.startsWith(listen), 'a whole one says where its socket is; another one is `yaml part`');
        assert.ok(parseConfig(text).credentials.length > 0);
        return;
      }
      assert.equal(info, 'yaml part');
      const rest = /^credentials:/m.test(text) ? '' : 'credentials: []\n';
      assert.ok(parseConfig(`${listen}${text}${rest}`));
    });

  it('stands on every page of a source, a provider and keys', () => {
    const pagesWithOne = new Set(samples.map(({ page }) => page));
    assert.deepEqual(
      pages.filter((page) => !pagesWithOne.has(page)),
      [],
    );
  });
});
