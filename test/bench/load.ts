// The load generator: its own process, raw sockets and prepared bytes, so that it takes as little of the cores as Node can.
import { connect } from 'node:net';
import process from 'node:process';

/** What one run sends: each caller keeps one connection and waits for each answer. */
export interface Load {
  /** A path, or host:port. */
  readonly socket: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
  readonly callers: number;
  readonly milliseconds: number;
}

export interface LoadResult {
  readonly answers: number;
  readonly failures: number;
  readonly seconds: number;
  /** Milliseconds, sorted. */
  readonly latencies: readonly number[];
}

const headerEnd = Buffer.from('\r\n\r\n');

/** Sends until the time is up; what is in flight then is awaited and counted. */
export function run({ socket, path, headers = {}, body, callers, milliseconds }: Load): Promise<LoadResult> {
  const more = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const [host, port] = socket.split(':');
  const request = Buffer.from(
    `POST ${path} HTTP/1.1\r\nHost: paycert\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${more.join('')}\r\n${body}`,
  );
  const latencies: number[] = [];
  let failures = 0;
  const started = performance.now();
  const caller = () =>
    new Promise<void>((resolve, reject) => {
      const connection = port === undefined ? connect(socket) : connect(Number(port), host);
      let sentAt = 0;
      let received = 0;
      let expected = -1;
      const send = () => {
        received = 0;
        expected = -1;
        sentAt = performance.now();
        connection.write(request);
      };
      connection.on('connect', send);
      connection.on('error', reject);
      connection.on('data', (chunk: Buffer) => {
        if (expected < 0) {
          const end = chunk.indexOf(headerEnd);
          const head = chunk.toString('latin1', 0, end);
          expected = end + 4 + Number(/content-length: (\d+)/i.exec(head)?.[1]);
          if (!head.startsWith('HTTP/1.1 200')) failures += 1;
        }
        received += chunk.byteLength;
        if (received < expected) return;
        const now = performance.now();
        latencies.push(now - sentAt);
        if (now - started < milliseconds) send();
        else {
          connection.destroy();
          resolve();
        }
      });
    });
  return Promise.all(Array.from({ length: callers }, caller)).then(() => ({
    answers: latencies.length,
    failures,
    seconds: (performance.now() - started) / 1000,
    latencies: latencies.sort((a, b) => a - b),
  }));
}

// As a child process it runs one load after the other and sends what came of each, until its parent has enough.
process.on('message', (load: Load) => {
  void run(load).then((result) => process.send?.(result));
});
