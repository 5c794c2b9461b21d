// Bytes to a listener, as no HTTP client would send them, and what comes back.
import { connect } from 'node:net';

/** How long to wait for an answer to what may be no whole request. */
const patienceMilliseconds = 20;

/** Everything that comes back until the connection closes. */
export function sendRaw(address: string, request: Buffer): Promise<string> {
  const [host, port] = address.split(':');
  return new Promise((resolve) => {
    let received = '';
    const socket = connect({ host: host ?? '', port: Number(port) });
    // Not at once: Node drops answers that are not ready when the caller has closed its half.
    const patience = setTimeout(() => socket.end(), patienceMilliseconds);
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      patience.refresh();
    });
    // A reset is an answer too: the caller broke the protocol.
    socket
      .on('error', () => undefined)
      .on('close', () => {
        clearTimeout(patience);
        resolve(received);
      });
    socket.write(request);
  });
}
