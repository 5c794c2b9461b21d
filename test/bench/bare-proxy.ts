// The bare reverse proxy beside which the signing proxy is measured: forty lines of undici that sign and verify, and do nothing else.
// `node bare-proxy.ts SOCKET ORIGIN MERCHANT SERIAL KEY.pem PLATFORM.pem`
import { createPrivateKey, createPublicKey, randomBytes, sign, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import process from 'node:process';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { Pool } from 'undici';

const [, , socket = '', origin = '', merchant = '', serial = '', keyFile = '', platformFile = ''] = process.argv;
const [key, platformKey] = [createPrivateKey(readFileSync(keyFile)), createPublicKey(readFileSync(platformFile))];
const [signs, verifies] = [promisify(sign), promisify(verify)];
const pool = new Pool(origin, { connections: 1024 });

createServer((request, response) => {
  void (async () => {
    const { method = '', url = '', headers: given } = request;
    const body = await buffer(request);
    const [timestamp, nonce] = [String(Math.floor(Date.now() / 1000)), randomBytes(16).toString('hex')];
    const text = Buffer.concat([Buffer.from(`${method}\n${url}\n${timestamp}\n${nonce}\n`), body, Buffer.from('\n')]);
    const signature = (await signs('sha256', text, key)).toString('base64');
    const headers = {
      'Content-Type': given['content-type'] ?? '',
      Authorization: `WECHATPAY2-SHA256-RSA2048 mchid="${merchant}",nonce_str="${nonce}",timestamp="${timestamp}",serial_no="${serial}",signature="${signature}"`,
    };
    const received = await pool.request({ method, path: url, headers, body });
    const bytes = Buffer.from(await received.body.arrayBuffer());
    const valueOf = (name: string) => String(received.headers[`wechatpay-${name}`]);
    const signed = Buffer.concat([Buffer.from(`${valueOf('timestamp')}\n${valueOf('nonce')}\n`), bytes, Buffer.from('\n')]);
    const isGenuine = await verifies('sha256', signed, platformKey, Buffer.from(valueOf('signature'), 'base64'));
    response.writeHead(isGenuine ? received.statusCode : 502, { 'Content-Length': bytes.byteLength }).end(bytes);
  })().catch(() => response.destroy());
}).listen(socket); // prettier-ignore
