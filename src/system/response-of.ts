// The response to a request, or why there is none: also of a server that says what nobody asked for.
import type { ClientRequest, IncomingMessage } from 'node:http';
import { boundPieces } from './pieces.ts';

/** Sends it, and resolves once the head of the response is there. Rejects with what has a code. */
export const responseOf = (call: ClientRequest, body?: string | Uint8Array): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    call
      .on('response', (response) => {
        boundPieces(response);
        resolve(response);
      })
      // 101: of a request without this listener Node says nothing more, not even when it is aborted.
      .on('upgrade', (_, socket) => {
        socket.destroy();
        reject(Object.assign(new Error('the server speaks another protocol'), { code: 'PROTOCOL_SWITCHED' }));
      })
      .on('error', reject)
      .end(body);
  });
