// The steps of `helm test`, run as its containers run them, beside a real sidecar: they pass when it signs, and fail when it does not.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { makeDirectory, Sidecar } from '../support/sidecar.ts';
import { noHelm, one, render, run } from './helm.ts';

interface Container {
  readonly name: string;
  readonly command?: readonly string[];
  readonly args: readonly string[];
}

/** The words of each container, in another directory and with another operator than in the cluster. */
async function steps(directory: string, operator: string): Promise<Record<string, string[]>> {
  const { initContainers, containers } = one(await render(), 'Pod')['spec'] as Record<string, Container[]>;
  return Object.fromEntries(
    [...(initContainers ?? []), ...(containers ?? [])].map(({ name, command = [], args }) => [
      name,
      [...command.slice(1), ...args].map((word) =>
        word.endsWith('/readyz') ? operator : word.replace(/^\/work/, directory),
      ),
    ]),
  );
}

/** Something that answers as the operator's /readyz does. */
async function answer(t: TestContext, status: number): Promise<string> {
  const server = createServer((_, response) => response.writeHead(status).end('ok\n')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/readyz`;
}

async function prepare(t: TestContext, operator: string) {
  const directory = await makeDirectory(t);
  const words = await steps(directory, operator);
  const made = await run(process.execPath, words['make-key'] ?? []);
  assert.equal(made.code, 0, made.stderr);
  const config = join(directory, 'paycert.yaml');
  await writeFile(config, (await readFile(config, 'utf8')).replace(':9464', '127.0.0.1:0'));
  const sidecar = new Sidecar(t, words['paycert'] ?? []);
  await sidecar.ready(['helm-test']);
  return { directory, sign: () => run(process.execPath, words['sign'] ?? []) };
}

describe('helm test', { skip: noHelm, timeout: 900_000 }, () => {
  it('passes when the sidecar signs and the operator is ready', async (t) => {
    const { sign } = await prepare(t, await answer(t, 200));
    const { code, stdout, stderr } = await sign();
    assert.equal(code, 0, stderr);
    assert.match(stdout, /the signature verifies\nthe operator is ready/);
  });

  it('fails when what was signed does not verify', async (t) => {
    const { directory, sign } = await prepare(t, await answer(t, 200));
    const other = await prepare(t, '');
    await writeFile(join(directory, 'public.pem'), await readFile(join(other.directory, 'public.pem')));
    const { code, stderr } = await sign();
    assert.notEqual(code, 0);
    assert.match(stderr, /the signature does not verify/);
  });
});
