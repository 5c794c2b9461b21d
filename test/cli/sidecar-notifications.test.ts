// A real sidecar that takes notifications: an application on loopback or a socket, through a rotation and a new secret.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer as createSecureServer } from 'node:https';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import { makeNotification } from '../../src/testing/wechatpay-message.ts';
import type { WechatpayMaterial } from '../../src/testing/wechatpay-material.ts';
import { exchange } from '../support/http-client.ts';
import { listen, listenFor } from '../support/listening.ts';
import { issue, makeAuthority, pairFiles } from '../support/mtls.ts';
import { call, configuration, credential, makeDirectory, makeMaterial, replaceFile, startSidecar } from '../support/sidecar.ts'; // prettier-ignore

const secret = 'a-secret-of-the-application';

interface Handed {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

const notificationOf = ({ platformKeys: [platformKey], apiV3Key }: WechatpayMaterial, id: string) =>
  makeNotification({ platformKey: platformKey!, apiV3Key, id, resource: { out_trade_no: id } });

function isSealedWith(known: string, { headers, body }: Handed): boolean {
  const names = ['timestamp', 'credential', 'id', 'type', 'key-id', 'verified', 'target'];
  const lines = names.map((name) => `${String(headers[`paycert-${name}`])}\n`).join('');
  return (
    headers['paycert-signature'] === `sha256=${createHmac('sha256', known).update(lines).update(body).digest('hex')}`
  );
}

describe('a sidecar that takes notifications', { timeout: 900_000 }, () => {
  it('hands them to an application on loopback, through a rotation and a new secret, and names no secret', async (t) => {
    const directory = await makeDirectory(t);
    const [material, rotated] = [await makeMaterial(), await makeMaterial(1)];
    const handed: Handed[] = [];
    const application = await listenFor(t, (request, response) => {
      void request.toArray().then((chunks: Buffer[]) => {
        handed.push({ headers: request.headers, body: Buffer.concat(chunks) });
        response.writeHead(200).end();
      });
    });
    const secretFile = join(directory, 'notification-secret');
    await replaceFile(secretFile, `${secret}\n`);
    const volume = await createSecretVolume(join(directory, 'keys'), material.files);
    const more = `notifications: { listen: { address: "127.0.0.1:0" }, forwardTo: { url: "${application}/notified" }, secretFile: ${JSON.stringify(secretFile)} }\n`;
    const credentials = [credential({ path: join(directory, 'keys') })];
    const sidecar = await startSidecar(t, directory, configuration(directory, credentials, more));
    const address = String(sidecar.lines.find(({ listener }) => listener === 'notifications')?.['address']);
    const post = (message: ReturnType<typeof notificationOf>) =>
      exchange(address, { path: '/wechat-main', method: 'POST', ...message });

    assert.equal((await post(notificationOf(material, '1'))).status, 204);
    assert.ok(handed[0] && isSealedWith(secret, handed[0]));
    assert.equal((await post({ ...notificationOf(material, '2'), headers: {} })).status, 401);

    const replaced = sidecar.event('token-replaced', { file: 'notification-secret' });
    await replaceFile(secretFile, `${secret}-2`);
    await replaced;
    const swapped = sidecar.event('swapped', { generation: 2 });
    await volume.write(rotated.files);
    await swapped;
    for (const [keys, id] of [
      [rotated, '3'],
      [material, '4'],
      [material, '1'],
    ] as const)
      // prettier-ignore
      assert.equal((await post(notificationOf(keys, id))).status, 204);
    assert.deepEqual(handed.map(({ body }) => (JSON.parse(body.toString()) as { out_trade_no: string }).out_trade_no), ['1', '3', '4']); // prettier-ignore
    assert.ok(handed[1] && isSealedWith(`${secret}-2`, handed[1]));

    assert.equal((await exchange(address, { path: '/v1/credentials' })).status, 405);
    assert.equal((await exchange(address, { path: '/v1/credentials/wechat-main/sign', body: '{}' })).status, 404);
    const metrics = (await call(sidecar.admin, '/metrics')).content;
    assert.match(metrics, /paycert_notifications_total\{credential="wechat-main",outcome="accepted"\} 3/);
    assert.match(metrics, /paycert_notifications_total\{credential="wechat-main",outcome="repeated"\} 1/);
    assert.match(metrics, /paycert_notifications_total\{credential="wechat-main",outcome="refused"\} 1/);
    assert.match(metrics, /paycert_deliveries_total\{credential="wechat-main",outcome="accepted"\} 3/);
    const said = JSON.stringify(sidecar.lines);
    for (const hidden of [secret, material.apiV3Key, 'out_trade_no']) assert.ok(!said.includes(hidden) && !metrics.includes(hidden)); // prettier-ignore
  });

  it('hands them to an application elsewhere over TLS, with an authority that the environment names', async (t) => {
    const directory = await makeDirectory(t);
    const material = await makeMaterial();
    await createSecretVolume(join(directory, 'keys'), material.files);
    const authority = await makeAuthority();
    await writeFile(join(directory, 'ca.crt'), authority.certificate);
    const { 'tls.crt': cert, 'tls.key': key } = pairFiles(await issue(authority, 'localhost'));
    let isEncrypted = false;
    const server = createSecureServer({ cert, key }, (request, response) => {
      isEncrypted = 'encrypted' in request.socket;
      request.resume().on('end', () => response.end());
    });
    const port = await listen(t, server, '127.0.0.1');
    const secretFile = join(directory, 'notification-secret');
    await replaceFile(secretFile, secret);
    const more = `notifications: { listen: { address: "127.0.0.1:0" }, forwardTo: { url: "https://localhost:${String(port)}/n" }, secretFile: ${JSON.stringify(secretFile)} }\n`;
    const config = configuration(directory, [credential({ path: join(directory, 'keys') })], more);
    const env = { NODE_EXTRA_CA_CERTS: join(directory, 'ca.crt') };
    const sidecar = await startSidecar(t, directory, config, { env });
    const address = String(sidecar.lines.find(({ listener }) => listener === 'notifications')?.['address']);
    const message = notificationOf(material, '1');
    assert.equal((await exchange(address, { path: '/wechat-main', method: 'POST', ...message })).status, 204);
    assert.ok(isEncrypted);
  });

  it('hands them to an application on a Unix socket, and says which one it does not reach', async (t) => {
    const directory = await makeDirectory(t);
    const material = await makeMaterial();
    await createSecretVolume(join(directory, 'keys'), material.files);
    const secretFile = join(directory, 'notification-secret');
    await replaceFile(secretFile, secret);
    const socket = join(directory, 'application.sock');
    const more = `notifications: { listen: { address: "127.0.0.1:0" }, forwardTo: { socket: ${JSON.stringify(socket)}, path: /n }, secretFile: ${JSON.stringify(secretFile)}, deliver: raw }\n`;
    const sidecar = await startSidecar(t, directory, configuration(directory, [credential({ path: join(directory, 'keys') })], more)); // prettier-ignore
    const address = String(sidecar.lines.find(({ listener }) => listener === 'notifications')?.['address']);
    const message = notificationOf(material, '1');
    const post = () => exchange(address, { path: '/wechat-main/x', method: 'POST', ...message });
    assert.equal((await post()).status, 502);
    await sidecar.event('delivered', { outcome: 'unreachable', code: 'application-unreachable' });
    const paths: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      paths.push(request.url);
      request.resume().on('end', () => response.end());
    });
    server.listen(socket);
    await once(server, 'listening');
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    assert.equal((await post()).status, 204);
    assert.deepEqual(paths, ['/n']);
  });
});
