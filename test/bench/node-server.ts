// What a team writes in an afternoon on node:http, a peer of the benchmark: `node node-server.ts SOCKET KEY.pem`, POST {"message"}.
import { createPrivateKey, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import process from 'node:process';

const [, , socket = '', file = ''] = process.argv;
const key = createPrivateKey(readFileSync(file));

createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { message } = JSON.parse(Buffer.concat(chunks).toString()) as { message: string };
    sign('sha256', Buffer.from(message), key, (error, signature) => {
      const body = JSON.stringify({ signature: error === null ? signature.toString('base64') : '', keyId: 'k' });
      response.writeHead(error === null ? 200 : 500, {
        'Content-Type': 'application/json',
        'Content-Length': Buffer.byteLength(body),
      });
      response.end(body);
    });
  });
}).listen(socket);
