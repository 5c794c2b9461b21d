// paycert sidecar as a process: it starts, follows its configuration, and stops without losing a request.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { stat, writeFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import { paycert } from '../support/paycert.ts';
import { call, configuration, credential, makeDirectory, makeMaterial, startSidecar } from '../support/sidecar.ts';

const signing = { body: { message: 'x' } };
const signRoute = (name = 'wechat-main') => `/v1/credentials/${name}/sign`;

/** A call that is in flight: it is answered when the test sends the rest, and this resolves to all that came. */
async function begin(socketPath: string): Promise<() => Promise<string>> {
  const body = JSON.stringify(signing.body);
  const socket = connect(socketPath);
  let received = '';
  const isContinued = new Promise<void>((resolve) =>
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString();
      if (received.includes('100 Continue')) resolve();
    }),
  );
  socket.write(
    `POST ${signRoute()} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n`,
  );
  await isContinued;
  return async () => {
    const isClosed = once(socket, 'close');
    socket.write(body);
    await isClosed;
    return received;
  };
}

describe('paycert sidecar', { timeout: 900_000 }, () => {
  it('starts hundreds of credentials and can use every one of them', async (t) => {
    const directory = await makeDirectory(t);
    const names = Array.from({ length: 300 }, (_, index) => `merchant-${index}`);
    await createSecretVolume(join(directory, 'one'), (await makeMaterial()).files);
    const credentials = names.map((name) => credential({ name, path: join(directory, 'one') }));
    const sidecar = await startSidecar(t, directory, configuration(directory, credentials), { waitFor: names });
    const answers = await Promise.all(names.map((name) => call(sidecar.socket, signRoute(name), signing)));
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    assert.equal((await stat(sidecar.socket)).mode & 0o777, 0o660);
  });

  it('ends with the reason when it is stopped before a required credential was ever loaded', async (t) => {
    const directory = await makeDirectory(t);
    const { files } = await makeMaterial();
    const { files: others } = await makeMaterial(1);
    const mismatched = new Map([...files, ['apiclient_key.pem', others.get('apiclient_key.pem')!]]);
    await createSecretVolume(join(directory, 'bad'), mismatched);
    const required = credential({ path: join(directory, 'bad'), more: '    required: true\n' });
    const sidecar = await startSidecar(t, directory, configuration(directory, [required]), { waitFor: [] });
    await sidecar.event('rejected');
    sidecar.terminate();
    assert.equal(await sidecar.ended, 65);
    assert.match(sidecar.stderr, /apiclient_key\.pem does not belong.*key-mismatch/s);
  });

  it('is not ready before a required credential is loaded, from the first answer on', async (t) => {
    const directory = await makeDirectory(t);
    const required = credential({ path: join(directory, 'missing'), more: '    required: true\n' });
    const sidecar = await startSidecar(t, directory, configuration(directory, [required]), { waitFor: [] });
    const probes = await Promise.all(
      ['/livez', '/startupz', '/readyz', '/readyz/wechat-main'].map((path) => call(sidecar.admin, path)),
    );
    assert.deepEqual(
      probes.map(({ status }) => status),
      [200, 503, 503, 503],
    );
    await createSecretVolume(join(directory, 'missing'), (await makeMaterial()).files);
    await sidecar.event('swapped');
    assert.equal((await call(sidecar.admin, '/readyz')).status, 200);
    assert.equal((await call(sidecar.admin, '/startupz')).status, 200);
  });

  it('finishes what is in flight after SIGTERM, takes nothing new, and ends with exit code 0', async (t) => {
    const directory = await makeDirectory(t);
    await createSecretVolume(join(directory, 'main'), (await makeMaterial()).files);
    const config = configuration(directory, [credential({ path: join(directory, 'main') })]);
    const sidecar = await startSidecar(t, directory, config);
    const finish = await begin(sidecar.socket);
    sidecar.terminate();
    await sidecar.event('stopping');
    assert.match(await finish(), /HTTP\/1\.1 200 OK[\s\S]*"signature"/);
    assert.equal(await sidecar.ended, 0, sidecar.stderr);
    await assert.rejects(call(sidecar.socket, '/statusz'));
  });

  for (const signal of ['SIGHUP', 'SIGUSR2', 'SIGALRM', 'SIGINT'] as const)
    it(`answers what is in flight and ends with 0 after ${signal} too`, async (t) => {
      const directory = await makeDirectory(t);
      await createSecretVolume(join(directory, 'main'), (await makeMaterial()).files);
      const config = configuration(directory, [credential({ path: join(directory, 'main') })]);
      const sidecar = await startSidecar(t, directory, config, { args: ['--drain', '1s'] });
      const finish = await begin(sidecar.socket);
      sidecar.child.kill(signal);
      await sidecar.event('stopping', { drainSeconds: 1 });
      assert.match(await finish(), /HTTP\/1\.1 200 OK/);
      assert.equal(await sidecar.ended, 0);
    });

  it('knows its callers by the socket that they come through', async (t) => {
    const directory = await makeDirectory(t);
    await createSecretVolume(join(directory, 'main'), (await makeMaterial()).files);
    const place = (name: string) => JSON.stringify(join(directory, `${name}.sock`));
    const sockets = ['shop', 'refunds'].map((name) => `{ name: ${name}, path: ${place(name)} }`).join(', ');
    const config = configuration(directory, [credential({ path: join(directory, 'main') })], 'log: { level: debug }\n');
    const sidecar = await startSidecar(t, directory, config.replace('tcp:', `sockets: [${sockets}], tcp:`));
    for (const listener of ['shop', 'refunds', 'socket']) {
      const path = listener === 'socket' ? sidecar.socket : join(directory, `${listener}.sock`);
      const operated = sidecar.event('operated', { listener });
      assert.equal((await call(path, signRoute(), signing)).status, 200);
      await operated;
    }
    sidecar.terminate();
    assert.equal(await sidecar.ended, 0);
    for (const name of ['shop', 'refunds']) await assert.rejects(stat(join(directory, `${name}.sock`)));
  });

  it('serves on for as long as --drain says, then ends', async (t) => {
    const directory = await makeDirectory(t);
    await createSecretVolume(join(directory, 'main'), (await makeMaterial()).files);
    const config = configuration(directory, [credential({ path: join(directory, 'main') })]);
    const sidecar = await startSidecar(t, directory, config, { args: ['--drain', '5s'] });
    // Before its own time begins, so that what is late here is no time that it did not serve.
    const started = performance.now();
    sidecar.terminate();
    await sidecar.event('stopping', { drainSeconds: 5 });
    assert.equal((await call(sidecar.socket, signRoute(), signing)).status, 200);
    assert.equal((await call(sidecar.admin, '/readyz')).status, 200);
    assert.equal(await sidecar.ended, 0);
    assert.ok(performance.now() - started > 4900);
  });

  it('goes on when whoever reads its log has gone', async (t) => {
    const directory = await makeDirectory(t);
    const volume = await createSecretVolume(join(directory, 'main'), (await makeMaterial()).files);
    const config = configuration(directory, [credential({ path: join(directory, 'main') })]);
    const sidecar = await startSidecar(t, directory, config);
    sidecar.child.stdout.destroy();
    await volume.write((await makeMaterial(1)).files);
    const generation = async (): Promise<number> => {
      const { content } = await call(sidecar.socket, signRoute(), signing);
      return (JSON.parse(content) as { generation: number }).generation;
    };
    while ((await generation()) < 2);
    sidecar.terminate();
    assert.equal(await sidecar.ended, 0);
  });

  const failures: readonly (readonly [
    title: string,
    code: number,
    reason: string,
    config: (directory: string) => string,
  ])[] = [
    ['has a syntax error', 78, 'config-syntax', () => 'listen: ['],
    [
      'is not valid',
      78,
      'config-invalid',
      (directory) => configuration(directory, [credential({ path: 'x', merchant: 'abc' })]),
    ],
    [
      'exposes the API',
      78,
      'listener-exposed',
      () =>
        'listen: { tcp: { address: "0.0.0.0:0", insecure: true } }\nadmin: { address: "127.0.0.1:0" }\ncredentials: []',
    ],
    [
      'names a token file that is not there',
      78,
      'token-unusable',
      () =>
        'listen: { tcp: { address: "127.0.0.1:0", tokenFile: /nowhere } }\nadmin: { address: "127.0.0.1:0" }\ncredentials: []',
    ],
    [
      'names a file as socket',
      78,
      'listener-unusable',
      (directory) =>
        `listen: { socket: ${join(directory, 'paycert.yaml')} }\nadmin: { address: "127.0.0.1:0" }\ncredentials: []`,
    ],
  ];
  for (const [title, expected, reason, config] of failures) {
    it(`ends at once with exit code ${expected} when its configuration ${title}`, async (t) => {
      const directory = await makeDirectory(t);
      const path = join(directory, 'paycert.yaml');
      await writeFile(path, config(directory));
      const { code, stderr } = await paycert(['sidecar', '--config', path]);
      assert.equal(code, expected);
      assert.match(stderr, new RegExp(`^error: .*\\(${reason}\\)\nhint: .+\n$`));
    });
  }

  it('ends at once with exit code 78 when its port is taken', async (t) => {
    const directory = await makeDirectory(t);
    const taken = createServer().listen(0, '127.0.0.1');
    t.after(() => taken.close());
    await once(taken, 'listening');
    const address = taken.address() as { port: number };
    const path = join(directory, 'paycert.yaml');
    await writeFile(
      path,
      `listen: { socket: ${join(directory, 's')} }\nadmin: { address: "127.0.0.1:${address.port}" }\ncredentials: []`,
    );
    const { code, stderr } = await paycert(['sidecar', '--config', path]);
    assert.equal(code, 78);
    assert.match(stderr, /EADDRINUSE.*\(listener-in-use\)/);
  });

  it('keeps a caller’s connection through a rotation', async (t) => {
    const directory = await makeDirectory(t);
    const volume = await createSecretVolume(join(directory, 'main'), (await makeMaterial()).files);
    const config = configuration(directory, [credential({ path: join(directory, 'main') })]);
    const sidecar = await startSidecar(t, directory, config);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    t.after(() => agent.destroy());
    const keyId = async (): Promise<string> => {
      const { status, content } = await call(sidecar.socket, signRoute(), { ...signing, agent });
      assert.equal(status, 200);
      return (JSON.parse(content) as { keyId: string }).keyId;
    };
    await keyId();
    const next = await makeMaterial(2);
    await volume.write(next.files);
    await sidecar.event('swapped', { generation: 2 });
    assert.equal(await keyId(), next.merchant.serialNumber);
  });
});
