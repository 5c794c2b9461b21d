// The name of a server is resolved in no thread that signs, however connections are made, and as the system would resolve it.
import assert from 'node:assert/strict';
import dns from 'node:dns';
import { once } from 'node:events';
import { request } from 'node:https';
import type { LookupFunction } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { createDispatcher, createHttpsAgent, startPaycert } from '../../src/index.ts';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import { makeDirectory } from '../support/directories.ts';
import { filesOf, issue, makeAuthority, pairFiles, startDemanding } from '../support/mtls.ts';

/** A program with a certificate, the server that it talks to, and how often Node's own look-up was asked, which holds a thread. */
async function start(t: TestContext) {
  const authority = await makeAuthority();
  const server = await startDemanding(t, authority);
  const issued = await issue(authority, 'shop');
  const directory = await makeDirectory(t);
  await createSecretVolume(directory, filesOf({ ...pairFiles(issued), 'ca.crt': authority.certificate }));
  const paycert = await startPaycert([
    { name: 'bank', provider: { mtls: {} }, source: { files: { path: directory } } },
  ]);
  t.after(() => paycert.stop());
  const { mock } = t.mock.method(dns, 'lookup');
  return { paycert, serial: issued.serialNumber, port: server.port, held: () => mock.callCount() };
}

async function askWith(agent: ReturnType<typeof createHttpsAgent>, host: string, port: number): Promise<string> {
  const sent = request({ agent, host, port, servername: 'localhost' }).end();
  const [response] = (await once(sent, 'response')) as [AsyncIterable<Uint8Array>];
  return text(response);
}

describe('the name of a server', () => {
  it('holds no thread with the agent for node:https', async (t) => {
    const { paycert, serial, port, held } = await start(t);
    const agent = createHttpsAgent(paycert, 'bank');
    t.after(() => agent.destroy());
    assert.equal(await askWith(agent, 'localhost', port), serial);
    assert.equal(held(), 0);
  });

  it('is resolved as the program says, where it says how', async (t) => {
    const { paycert, serial, port } = await start(t);
    const asked: string[] = [];
    const lookup: LookupFunction = (name, _, answer) => {
      asked.push(name);
      answer(null, [{ address: '127.0.0.1', family: 4 }]);
    };
    const agent = createHttpsAgent(paycert, 'bank', { lookup });
    t.after(() => agent.destroy());
    assert.equal(await askWith(agent, 'bank.invalid', port), serial);
    assert.deepEqual(asked, ['bank.invalid']);
  });

  it('holds no thread with the dispatcher for undici', async (t) => {
    const { paycert, serial, port, held } = await start(t);
    const dispatcher = await createDispatcher(paycert, 'bank');
    t.after(() => dispatcher.destroy());
    const { body } = await dispatcher.request({ origin: `https://localhost:${port}`, path: '/', method: 'GET' });
    assert.equal(await body.text(), serial);
    assert.equal(held(), 0);
  });
});
