// As much of a web server as a CGI program needs (RFC 3875): one process for each request, which reads the body and writes the response.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { TestContext } from 'node:test';

/** Serves the script with that environment, and returns `host:port`. */
export async function startCgi(t: TestContext, script: string, env: NodeJS.ProcessEnv): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    const answer = async () => {
      const body = await buffer(incoming);
      const headers = Object.entries(incoming.headers).map(([name, value]): [string, string] => [
        `HTTP_${name.toUpperCase().replaceAll('-', '_')}`,
        String(value),
      ]);
      const meta = {
        PATH_INFO: incoming.url,
        REQUEST_METHOD: incoming.method,
        CONTENT_LENGTH: String(body.byteLength),
        CONTENT_TYPE: incoming.headers['content-type'],
      };
      const environment: NodeJS.ProcessEnv = { ...env, ...Object.fromEntries(headers), ...meta };
      const child = spawn('bash', [script], { env: environment });
      child.stdin.on('error', () => undefined).end(body);
      const [written] = await Promise.all([buffer(child.stdout), once(child, 'close'), buffer(child.stderr)]);
      const [head = '', text = ''] = written.toString().split('\r\n\r\n', 2);
      outgoing.writeHead(Number(/^Status: (\d{3})/m.exec(head)?.[1] ?? 500)).end(text);
    };
    answer().catch(() => outgoing.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
