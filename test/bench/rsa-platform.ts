// The platform of the proxy's benchmark, in a process of its own: it verifies each request and signs each response with RSA.
// It can also hold calls back until it is told, and has a download without a signature.
import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign, verify } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import process from 'node:process';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';

/** What it is told first; PEM. */
export interface PlatformKeys {
  readonly merchantKey: string;
  readonly platformKey: string;
  readonly keyId: string;
}

/** What it says: where it is, then each time how many calls it holds back. Any message from its parent lets them go. */
export type Said = { readonly port: number } | { readonly held: number };

/** Of calls that it holds back. */
export const slowPath = '/v3/slow';
export const downloadPath = '/v3/billdownload/file';
export const downloadBytes = 100 * 1024 * 1024;

const content = Buffer.from('{"prepay_id":"wx26112221580621e9b071c00d9e093b0000"}');
const [signs, verifies] = [promisify(sign), promisify(verify)];

/** Whether the merchant signed exactly this. Nonces are not remembered: the callers without a proxy send one request again and again. */
async function isSigned({ method = '', url = '', headers }: IncomingMessage, body: Buffer, key: KeyObject) {
  const field = (name: string) => new RegExp(`[ ,]${name}="([^"]*)"`).exec(headers.authorization ?? '')?.[1] ?? '';
  const head = `${method}\n${url}\n${field('timestamp')}\n${field('nonce_str')}\n`;
  const text = Buffer.concat([Buffer.from(head), body, Buffer.from('\n')]);
  return verifies('sha256', text, key, Buffer.from(field('signature'), 'base64'));
}

async function respond(response: ServerResponse, key: KeyObject, keyId: string): Promise<void> {
  const [timestamp, nonce] = [String(Math.floor(Date.now() / 1000)), randomBytes(16).toString('hex')];
  const text = Buffer.concat([Buffer.from(`${timestamp}\n${nonce}\n`), content, Buffer.from('\n')]);
  response
    .writeHead(200, {
      'Content-Type': 'application/json',
      'Content-Length': content.byteLength,
      'Wechatpay-Timestamp': timestamp,
      'Wechatpay-Nonce': nonce,
      'Wechatpay-Serial': keyId,
      'Wechatpay-Signature': (await signs('sha256', text, key)).toString('base64'),
    })
    .end(content);
}

function* zeros(): Generator<Buffer> {
  const piece = Buffer.alloc(64 * 1024);
  for (let left = downloadBytes; left > 0; left -= piece.byteLength) yield piece;
}

async function serve({ merchantKey, platformKey, keyId }: PlatformKeys): Promise<void> {
  const [merchant, own] = [createPublicKey(merchantKey), createPrivateKey(platformKey)];
  const tell = (said: Said) => process.send?.(said);
  const held: ServerResponse[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (!(await isSigned(request, await buffer(request), merchant))) response.writeHead(401).end();
    else if (request.url?.startsWith(downloadPath) === true) Readable.from(zeros()).pipe(response);
    else if (request.url?.startsWith(slowPath) === true) tell({ held: held.push(response) });
    else await respond(response, own, keyId);
  };
  const server = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1');
  process.on('message', () => {
    for (const response of held.splice(0)) void respond(response, own, keyId);
  });
  await once(server, 'listening');
  tell({ port: (server.address() as AddressInfo).port });
}

if (process.argv[2] === 'serve') process.once('message', (keys: PlatformKeys) => void serve(keys));
