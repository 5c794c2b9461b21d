// A crowd that connects while a sidecar gets no CPU: more than Node's own backlog are let in, who waits is served, and nobody else.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { createSecretVolume } from '../../src/testing/index.ts';
import { call, configuration, credential, makeDirectory, makeMaterial, startSidecar } from '../support/sidecar.ts';

const limit = { timeout: 900_000 };
/** More than Node's own backlog of 511. */
const crowd = 700;
const path = '/v1/credentials/wechat-main/sign';
const body = JSON.stringify({ message: 'm' });
const request = `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

async function start(t: TestContext) {
  const directory = await makeDirectory(t);
  const volume = `${directory}/keys`;
  await createSecretVolume(volume, (await makeMaterial()).files);
  const sidecar = await startSidecar(t, directory, configuration(directory, [credential({ path: volume })]));
  /** Calls since it started that ended so. */
  const ended = async (outcome: string): Promise<number> => {
    const { content } = await call(sidecar.admin, '/metrics');
    const counts = [...content.matchAll(/^paycert_operations_total\{([^}]*)\} (\d+)/gm)];
    return counts
      .filter(([, labels]) => labels?.includes('operation="sign"') && labels.includes(`outcome="${outcome}"`))
      .reduce((sum, [, , count]) => sum + Number(count), 0);
  };
  /** Each has connected and asked while the process stands still. */
  const gather = async (): Promise<readonly Socket[]> => {
    sidecar.child.kill('SIGSTOP');
    const sockets = Array.from({ length: crowd }, () => connect(sidecar.socket));
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.write(request, resolve))));
    return sockets;
  };
  return { sidecar, ended, gather };
}

describe(`${crowd} callers at once`, limit, () => {
  it('are all let in, and each that waits gets its signature', async (t) => {
    const { sidecar, ended, gather } = await start(t);
    const sockets = await gather();
    const answers = sockets.map(async (socket) => String((await once(socket, 'data'))[0]).slice(0, 12));
    sidecar.child.kill('SIGCONT');
    assert.deepEqual(new Set(await Promise.all(answers)), new Set(['HTTP/1.1 200']));
    for (const socket of sockets) socket.destroy();
    assert.equal(await ended('ok'), crowd);
  });

  it('are not signed for when they have left before the process gets on, but for the one who waits', async (t) => {
    const { sidecar, ended, gather } = await start(t);
    const [patient, ...others] = await gather();
    for (const socket of others) socket.destroy();
    const answer = once(patient!, 'data');
    sidecar.child.kill('SIGCONT');
    assert.match(String((await answer)[0]), /^HTTP\/1.1 200/);
    patient!.destroy();
    // Scrapes go on until every call has ended.
    while ((await ended('ok')) + (await ended('caller-error')) < crowd);
    assert.deepEqual([await ended('ok'), await ended('caller-error')], [1, crowd - 1]);
  });
});
