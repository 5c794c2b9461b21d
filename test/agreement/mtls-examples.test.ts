// The programs of docs/providers/mtls.md do what they say, each as a process of its own, on the sources of this repository.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import { makeDirectory } from '../support/directories.ts';
import { filesOf, issue, makeAuthority, pairFiles, pem, startDemanding } from '../support/mtls.ts';
import { read } from './documents.ts';

const examples = [...read('docs/providers/mtls.md').matchAll(/^```js\n([\s\S]*?)^```$/gm)].map(([, code = '']) => code);
const authority = await makeAuthority();

async function start(t: TestContext, code: string, env: NodeJS.ProcessEnv = {}) {
  const directory = await makeDirectory(t);
  const issued = await issue(authority, 'shop', { hostNames: ['localhost'] });
  const material = join(directory, 'material');
  await createSecretVolume(material, filesOf({ ...pairFiles(issued), 'ca.crt': authority.certificate }));
  const program = join(directory, 'program.mjs');
  await writeFile(
    program,
    code.replace("'paycert'", JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)),
  );
  const child = spawn(process.execPath, [program], { env: { ...process.env, ...env, MATERIAL: material } });
  t.after(() => child.kill('SIGKILL'));
  child.stderr.pipe(process.stderr);
  return { child, issued };
}

describe('the programs of docs/providers/mtls.md', { timeout: 900_000 }, () => {
  it('are three', () => assert.equal(examples.length, 3));

  for (const [index, name] of ['the agent', 'the dispatcher'].entries())
    it(`show their certificate: ${name}`, async (t) => {
      const { port } = await startDemanding(t, authority);
      const { child, issued } = await start(t, examples[index] ?? '', { BANK: `https://localhost:${port}/` });
      const [output] = await Promise.all([text(child.stdout), once(child, 'close')]);
      assert.deepEqual([output, child.exitCode], [`200 ${issued.serialNumber}\n`, 0]);
    });

  it('demand a certificate: the server', async (t) => {
    const { child } = await start(t, examples[2] ?? '');
    const [port] = (await once(createInterface(child.stdout), 'line')) as [string];
    const { certificate: cert, privateKey } = await issue(authority, 'caller');
    const options = { host: 'localhost', port, ca: authority.certificate, agent: false } as const;
    const [response] = (await once(request({ ...options, cert, key: pem(privateKey) }).end(), 'response')) as [
      AsyncIterable<Uint8Array>,
    ];
    assert.equal(await text(response), 'caller');
    await assert.rejects(once(request(options).end(), 'response'));
    child.kill('SIGTERM');
    const [code] = (await once(child, 'close')) as [number];
    assert.equal(code, 0);
  });
});
