// The packages beside the bundled program hold every name that the program uses of them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';

const bundling = readFileSync('scripts/bundle.ts', 'utf8');

it('the image’s copy of client-node has all that is used of it', () => {
  const source = readFileSync('src/kube/access.ts', 'utf8');
  const used = [...source.matchAll(/\bclientNode\.(\w+)/g)].map(([, name]) => name);
  const held = /buildApart\(clientNode, '([^']+)'\)/.exec(bundling)?.[1]?.split(', ');
  assert.deepEqual([...new Set(used)].sort(), held?.sort());
});

it('the image’s copy of undici has all that is used of it', () => {
  const source = readFileSync('src/gateway/connections.ts', 'utf8');
  const [, names = ''] = /const \{ ([^}]+) \} = await loadOptional\('undici'/.exec(source) ?? [];
  const used = names.split(', ').map((name) => name.split(':')[0]);
  const held = /buildApart\('undici', '([^']+)'\)/.exec(bundling)?.[1]?.split(', ');
  assert.deepEqual(used.sort(), held?.sort());
});
