// The end of a server whose callers do not play along.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { describe, it } from 'node:test';
import { createHttpServer } from '../../src/server/closable.ts';
import { limitsOf } from '../../src/server/limits.ts';

describe('an HTTP server', () => {
  it('closes even if a caller never reads its answer', async () => {
    const { server, close } = createHttpServer(
      (_, response) => void response.end(Buffer.alloc(64 * 1024 * 1024)),
      limitsOf('callers'),
      1,
    );
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').pause();
    socket.on('error', () => undefined);
    const asked = once(server, 'request');
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await asked;
    await close();
    socket.destroy();
    assert.equal(server.listening, false);
  });
});
