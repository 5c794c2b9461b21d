// The bare gateway beside which notifications are measured: takes a request, hands it to the application and waits, and checks nothing.
// `node bare-gateway.ts SOCKET APPLICATION-SOCKET`
import { Agent, createServer, request as httpRequest } from 'node:http';
import process from 'node:process';
import { buffer } from 'node:stream/consumers';

const [, , socket = '', socketPath = ''] = process.argv;
const agent = new Agent({ keepAlive: true });

createServer((request, response) => {
  void (async () => {
    const body = await buffer(request);
    const headers = { 'Content-Type': 'application/json', 'Content-Length': body.byteLength };
    httpRequest({ socketPath, method: 'POST', path: request.url ?? '', headers, agent }, (delivered) => {
      delivered.resume().on('end', () => response.writeHead(204).end());
    })
      .on('error', () => response.destroy())
      .end(body);
  })().catch(() => response.destroy());
}).listen(socket);
