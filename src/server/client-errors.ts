// What is no HTTP: a short answer where somebody still reads, and otherwise nothing, which is what a thousand broken heads at once may cost.
import type { Duplex } from 'node:stream';

/** By what Node calls it. Everything else is a bad request. */
const statuses: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Payload Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** The connection ended within a head or a body: who sent that has gone. */
const brokenOff = 'HPE_INVALID_EOF_STATE';

/** Node's own answer writes to everybody, and formats the stack of each error. */
export function refuseBroken({ code = '' }: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || code === brokenOff || code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  socket.end(`HTTP/1.1 ${statuses[code] ?? '400 Bad Request'}\r\nConnection: close\r\n\r\n`, () => socket.destroy());
}
