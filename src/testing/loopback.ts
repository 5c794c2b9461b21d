// An HTTP server on loopback for platform doubles: whole requests in, whole responses out.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Answer, ReceivedRequest } from './answer.ts';
import { end, type Fault, type FaultOptions, Faults, sendFaulty } from './faults.ts';

export type { Answer, ReceivedRequest } from './answer.ts';

export interface Listener {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** Ends the listener and every connection; a second call does nothing. */
  close(): Promise<void>;
  /** From the next request on: the first fault that is meant for a request is what it meets, as often as `times` says. */
  misbehave(fault: Fault, options?: FaultOptions): void;
  /** Forgets every fault that is still to come. */
  behave(): void;
}

/** Listens on 127.0.0.1; the system chooses port 0. Rejects with the listener's own error, such as EADDRINUSE. */
export async function listenOnLoopback(port: number, respond: (request: ReceivedRequest) => Answer): Promise<Listener> {
  const faults = new Faults();
  const server = createServer((incoming, outgoing) => {
    const { method = '', url = '', headers } = incoming;
    incoming
      .toArray()
      .then(async (chunks: Buffer[]) => {
        const request = { method, url, headers, body: Buffer.concat(chunks) };
        const { fault, acts } = faults.next(request) ?? { acts: true };
        const answer = acts ? respond(request) : undefined;
        if (fault !== undefined) await sendFaulty(outgoing, fault, answer);
        else if (answer !== undefined) end(outgoing, answer);
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
    misbehave: (fault, options = {}) => faults.add(fault, options),
    behave: () => faults.clear(),
  };
}
