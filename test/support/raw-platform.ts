// A host on loopback that keeps every byte of each request and responds with bytes that the test chose.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** A test, or whatever else ends what was started in it. */
export interface Scope {
  after(end: () => unknown): void;
}

export interface RawRequest {
  /** Such as `POST /a?b HTTP/1.1`. */
  readonly line: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface RawPlatform {
  readonly origin: string;
  readonly requests: readonly RawRequest[];
  /** What the next requests get, in order; the last one is for all that follow. */
  respond(...responses: (string | Buffer)[]): void;
}

export async function startRawPlatform(t: Scope): Promise<RawPlatform> {
  const requests: RawRequest[] = [];
  let queue: (string | Buffer)[] = [];
  const server = createServer((socket) => {
    const chunks: Buffer[] = [];
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      const request = readRequest(Buffer.concat(chunks), socket);
      if (request === undefined) return;
      chunks.length = 0;
      requests.push(request);
      const [next = ''] = queue.length > 1 ? queue.splice(0, 1) : queue;
      socket.end(next);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${String(port)}`, requests, respond: (...responses) => void (queue = responses) };
}

function readRequest(bytes: Buffer, socket: Socket): RawRequest | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [line = '', ...rest] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const headers = Object.fromEntries(
    rest.map((header) => [
      header.slice(0, header.indexOf(':')).toLowerCase(),
      header.slice(header.indexOf(':') + 1).trim(),
    ]),
  );
  if (headers['expect'] !== undefined) socket.write('HTTP/1.1 100 Continue\r\n\r\n');
  const body = bytes.subarray(end + 4);
  return body.length < Number(headers['content-length'] ?? 0) ? undefined : { line, headers, body };
}
