// CONNECT is refused on every listener: a tunnel carries bytes that nothing here could sign or verify.
import type { Duplex } from 'node:stream';
import { PaycertError } from '../errors.ts';
import { problemOf } from './problem.ts';

/** What the caller has sent after the head is dropped. Written whole, then the connection ends. */
export function refuseTunnel(socket: Duplex): void {
  const problem = problemOf(
    new PaycertError('connect-refused', 'a tunnel (CONNECT) carries TLS that cannot be signed'),
  );
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} Method Not Allowed`,
    'Allow: GET, POST, PUT, PATCH, DELETE',
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.on('error', () => undefined);
  socket.resume();
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
