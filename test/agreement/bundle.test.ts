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

for (const [name, importer] of [
  ['undici', 'src/gateway/connections.ts'],
  ['@redis/client', 'src/delivery/redis.ts'],
  ['aws4', 'src/origins/aws/sigv4.ts'],
] as const)
  it(`the image’s copy of ${name} has all that is used of it`, () => {
    const source = readFileSync(importer, 'utf8');
    const [, names = ''] = new RegExp(`const \\{ ([^}]+) \\} = await loadOptional\\('${name}'`).exec(source) ?? [];
    const used = names.split(', ').map((one) => one.split(':')[0]);
    const held = new RegExp(`buildApart\\('${name}', '([^']+)'\\)`).exec(bundling)?.[1]?.split(', ');
    assert.deepEqual(used.sort(), held?.sort());
  });
