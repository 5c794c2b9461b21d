// Closing: what is in flight finishes, what is idle ends, what is new is refused, and nothing waits for ever.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, type RequestListener } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, describe, it } from 'node:test';
import type { Listener } from '../../src/server/bind.ts';
import { listenOnPort, listenOnTcp } from '../../src/server/listeners.ts';
import { listenOnSocket } from '../../src/server/socket.ts';
import { answerTo, exchange, open } from '../support/http-client.ts';

const directory = await mkdtemp(join(tmpdir(), 'paycert-'));
after(() => rm(directory, { recursive: true }));
const path = join(directory, 'api.sock');

const token = 'a-token-of-24-characters';
const kinds: Readonly<Record<string, (listener: RequestListener) => Promise<Listener>>> = {
  'a socket': (listener) => listenOnSocket(path, listener),
  'a port': (listener) => listenOnPort('127.0.0.1:0', listener),
  'a guarded port': (listener) =>
    listenOnTcp({ address: '127.0.0.1:0', token: () => token, isExposed: false }, listener),
};
const authorized = { Authorization: `Bearer ${token}` };
const head = `GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`;
const strangersHead = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';

function dial(address: string): Socket {
  const [host = '', port = ''] = address.split(':');
  return address.startsWith('/') ? connect(address) : connect(Number(port), host);
}

/** However it ended: what was sent to a server that will not read it resets the connection. */
const ended = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.on('error', () => undefined);
    socket.once('close', () => resolve());
  });

/** Answers when the test says so. */
function heldListener() {
  const arrival = Promise.withResolvers<undefined>();
  const release = Promise.withResolvers<undefined>();
  const listener: RequestListener = (request, response) => {
    void Promise.all([buffer(request), release.promise]).then(() => response.end('done'));
    arrival.resolve(undefined);
  };
  return { listener, arrival: arrival.promise, release: () => release.resolve(undefined) };
}

for (const [kind, listen] of Object.entries(kinds)) {
  describe(`closing ${kind}`, () => {
    it('lets a request in flight finish, and tells its caller to come back on another connection', async () => {
      const { listener, arrival, release } = heldListener();
      const { address, close } = await listen(listener);
      using agent = new ClosingAgent();
      const pending = exchange(address, { path: '/', headers: authorized, agent });
      await arrival;
      const closed = close();
      release();
      const answer = await pending;
      assert.deepEqual([answer.status, answer.text, answer.headers.connection], [200, 'done', 'close']);
      await closed;
    });

    it('lets a body that is on its way arrive', async () => {
      const { listener, arrival, release } = heldListener();
      const { address, close } = await listen(listener);
      const outgoing = open(address, { path: '/', headers: authorized, method: 'POST' });
      const answered = answerTo(outgoing);
      outgoing.write('half');
      await arrival;
      const closed = close();
      release();
      outgoing.end('half');
      assert.equal((await answered).text, 'done');
      await closed;
    });

    it('lets a slow reader have the whole answer', async () => {
      const size = 8 * 1024 * 1024;
      const { address, close } = await listen((_, response) => void response.end(Buffer.alloc(size, 'x')));
      const socket = dial(address);
      socket.write(head);
      await once(socket, 'readable');
      const closed = close();
      const answer = await buffer(socket);
      assert.equal(answer.byteLength - answer.indexOf('\r\n\r\n') - 4, size);
      await closed;
    });

    it('ends connections that are kept, or that never said a word or a whole head', async () => {
      const { address, close } = await listen((_, response) => void response.end('ok'));
      const sockets = ['', 'GET', head].map((said) => {
        const socket = dial(address);
        socket.write(said);
        return socket;
      });
      const ends = sockets.map(ended);
      // The last one is answered, and the others were accepted before it.
      await once(sockets[2]!, 'data');
      for (const socket of sockets) socket.resume();
      await close();
      await Promise.all(ends);
    });

    it('refuses new connections, and a second close does nothing', async () => {
      const { address, close } = await listen((_, response) => void response.end('ok'));
      await Promise.all([close(), close()]);
      await close();
      await assert.rejects(exchange(address, { path: '/' }), {
        code: address.startsWith('/') ? 'ENOENT' : 'ECONNREFUSED',
      });
    });

    it('survives a stranger’s request behind one in flight', async () => {
      const { listener, arrival, release } = heldListener();
      const { address, close } = await listen(listener);
      const socket = dial(address);
      socket.write(head);
      await arrival;
      const closed = close();
      await new Promise<void>((resolve) => socket.write(strangersHead, () => resolve()));
      release();
      let answer = '';
      socket.on('data', (chunk) => (answer += chunk.toString()));
      await ended(socket);
      assert.match(answer, /^HTTP\/1.1 200 [^]*done/);
      await closed;
    });
  });
}

class ClosingAgent extends Agent implements Disposable {
  constructor() {
    super({ keepAlive: true });
  }

  [Symbol.dispose](): void {
    this.destroy();
  }
}
