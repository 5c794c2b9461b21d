// Notifications per second through the listener to an application and back, beside a bare verify and open in process, and a bare gateway.
import { fork } from 'node:child_process';
import { createDecipheriv, createSecretKey, type KeyObject, verify } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { makeNotification, type PlatformMessage, type WechatpayMaterial } from '../../src/testing/index.ts';
import { median, type Sidecar, startBareServer, startSidecar } from './fixture.ts';
import { startProgram } from './program.ts';
import type { Figures } from './rates.ts';

export interface NotificationBench {
  readonly directory: string;
  readonly path: string;
  readonly material: WechatpayMaterial;
  readonly rounds: number;
  /** In each round. */
  readonly count: number;
}

interface Sending {
  /** host:port, or a path. */
  readonly address: string;
  readonly requests: readonly string[];
  readonly callers: number;
}

export async function notificationRates({
  directory,
  path,
  material,
  rounds,
  count,
}: NotificationBench): Promise<Figures> {
  const [platformKey] = material.platformKeys;
  if (platformKey === undefined) throw new Error('the material has no platform key');
  const application = await startBareServer(directory);
  await writeFile(join(directory, 'secret'), 's'.repeat(32));
  const more = `notifications: { listen: { address: "127.0.0.1:0" }, forwardTo: { socket: ${application.socket} }, secretFile: ${join(directory, 'secret')} }\n`;
  let sidecar: Sidecar | undefined;
  try {
    sidecar = await startSidecar(directory, [{ name: 'wechat', path }], more);
    const address = sidecar.listeners.get('notifications') ?? '';
    const gateway = join(directory, 'bare-gateway.sock');
    const parameters = [join(import.meta.dirname, 'bare-gateway.ts'), gateway, application.socket];
    await using _ = await startProgram(process.execPath, parameters, gateway);
    const key = createSecretKey(Buffer.from(material.apiV3Key));
    const pairs: { ours: number; theirs: number; bare: number }[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const resource = { out_trade_no: '1217752501201407033233368018', trade_state: 'SUCCESS', amount: { total: 1 } };
      const messages = Array.from({ length: count }, () => makeNotification({ platformKey, apiV3Key: material.apiV3Key, resource })); // prettier-ignore
      const started = performance.now();
      for (const message of messages) openBare(message, platformKey.publicKey, key);
      const theirs = (count * 1000) / (performance.now() - started);
      const requests = messages.map(requestOf);
      const bare = await send({ address: gateway, requests, callers: 32 });
      pairs.push({ theirs, bare, ours: await send({ address, requests, callers: 32 }) });
    }
    return {
      notification_over_inprocess: median(pairs.map(({ ours, theirs }) => ours / theirs)),
      bare_gateway_over_inprocess: median(pairs.map(({ bare, theirs }) => bare / theirs)),
      notification_over_bare_gateway: median(pairs.map(({ ours, bare }) => ours / bare)),
      notification_per_s: median(pairs.map(({ ours }) => ours)),
    };
  } finally {
    await sidecar?.stop();
    await application.stop();
  }
}

/** What a program without paycert would write. */
function openBare({ headers, body }: PlatformMessage, publicKey: KeyObject, key: KeyObject): unknown {
  const value = (name: string) => headers[`Wechatpay-${name}`] ?? '';
  const text = Buffer.concat([Buffer.from(`${value('Timestamp')}\n${value('Nonce')}\n`), body, Buffer.from('\n')]);
  if (!verify('sha256', text, publicKey, Buffer.from(value('Signature'), 'base64'))) throw new Error('forged');
  const { resource } = JSON.parse(Buffer.from(body).toString()) as { resource: Record<'ciphertext' | 'nonce' | 'associated_data', string> }; // prettier-ignore
  const sealed = Buffer.from(resource.ciphertext, 'base64');
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(resource.nonce), { authTagLength: 16 });
  decipher.setAAD(Buffer.from(resource.associated_data));
  decipher.setAuthTag(sealed.subarray(-16));
  return JSON.parse(Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]).toString());
}

function requestOf({ headers, body }: PlatformMessage): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `POST /wechat/notify HTTP/1.1\r\nHost: a\r\nContent-Length: ${String(body.byteLength)}\r\n${lines.join('')}\r\n`;
  return head + Buffer.from(body).toString('latin1');
}

/** All of them from another process, each once; how many a second. */
async function send(sending: Sending): Promise<number> {
  const child = fork(import.meta.filename, ['sender'], { execArgv: [] });
  child.send(sending);
  const [{ seconds, failures }] = (await once(child, 'message')) as [{ seconds: number; failures: number }];
  if (failures > 0) throw new Error(`${String(failures)} notifications were not accepted`);
  return sending.requests.length / seconds;
}

async function sendAll({ address, requests, callers }: Sending): Promise<{ seconds: number; failures: number }> {
  const [host = '', port] = address.split(':');
  const waiting = requests.values();
  let failures = 0;
  const caller = () =>
    new Promise<void>((resolve, reject) => {
      const connection = port === undefined ? connect(address) : connect({ host, port: Number(port) });
      const next = () => {
        const { value, done = false } = waiting.next();
        if (!done) connection.write(value ?? '', 'latin1');
        else {
          connection.destroy();
          resolve();
        }
      };
      connection.on('connect', next).on('error', reject);
      // A response without a body comes in one piece.
      connection.on('data', (chunk: Buffer) => {
        if (!chunk.toString('latin1', 0, 12).startsWith('HTTP/1.1 204')) failures += 1;
        next();
      });
    });
  const started = performance.now();
  await Promise.all(Array.from({ length: callers }, caller));
  return { seconds: (performance.now() - started) / 1000, failures };
}

if (process.argv[2] === 'sender')
  process.once('message', (sending: Sending) => {
    void sendAll(sending).then((result) => process.send?.(result, () => process.disconnect()));
  });
