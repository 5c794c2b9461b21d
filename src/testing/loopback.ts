// An HTTP server on loopback for platform doubles: whole requests in, whole responses out.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';

export interface ReceivedRequest {
  readonly method: string;
  /** Path and query exactly as sent. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface Listener {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** Ends the listener and every connection; a second call does nothing. */
  close(): Promise<void>;
}

/** Listens on 127.0.0.1; the system chooses port 0. Rejects with the listener's own error, such as EADDRINUSE. */
export async function listenOnLoopback(port: number, respond: (request: ReceivedRequest) => Answer): Promise<Listener> {
  const server = createServer((incoming, outgoing) => {
    const { method = '', url = '', headers } = incoming;
    incoming
      .toArray()
      .then((chunks: Buffer[]) => {
        const received = Buffer.concat(chunks);
        const { status, headers: responseHeaders, body } = respond({ method, url, headers, body: received });
        outgoing.writeHead(status, { ...responseHeaders, 'Content-Length': String(body.byteLength) }).end(body);
      })
      // The client hung up, or the double has a defect: a reset says that no response is meant.
      .catch(() => outgoing.destroy());
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const boundPort = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://127.0.0.1:${String(boundPort)}`,
    async close() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
