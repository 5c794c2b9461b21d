// The packages beside the bundled program hold every name that the program uses of them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';

it('the image’s copy of client-node has all that is used of it', () => {
  const source = readFileSync('src/kube/access.ts', 'utf8');
  const used = [...source.matchAll(/\bclientNode\.(\w+)/g)].map(([, name]) => name);
  const held = /buildApart\(clientNode, '([^']+)'\)/.exec(readFileSync('scripts/bundle.ts', 'utf8'))?.[1]?.split(', ');
  assert.deepEqual([...new Set(used)].sort(), held?.sort());
});
