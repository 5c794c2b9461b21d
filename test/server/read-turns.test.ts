// What many connections send at once is read in several turns of the event loop, and all of it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { ReadTurns } from '../../src/server/read-turns.ts';

/** So many connections that each have done something before any of it is read, and a clock that moves so far for each of them. */
async function readAll(connections: number, milliseconds: number, act: (client: Socket) => void) {
  let now = 0;
  const sockets = new Set<Socket>();
  const turns = new ReadTurns(
    () => sockets,
    () => now,
  );
  const server = createServer((incoming, response) => {
    incoming.resume().on('end', () => response.end());
  }).listen(0, '127.0.0.1');
  let read = 0;
  const hear = () => {
    read += 1;
    now += milliseconds;
  };
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('end', hear);
    turns.follow(socket);
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const clients = Array.from({ length: connections }, () => connect(port, '127.0.0.1'));
  while (sockets.size < connections) await turn();
  server.on('request', hear);
  const ended = clients.map((client) => once(client, 'close'));
  for (const client of clients) act(client.resume());
  const inTurns: number[] = [];
  for (let before = 0; read < connections; before = read) {
    await turn();
    if (read > before) inTurns.push(read - before);
  }
  server.closeAllConnections();
  server.close();
  await Promise.all(ended);
  return inTurns;
}

const ask = (client: Socket) => void client.write('GET / HTTP/1.1\r\nHost:\r\n\r\n');
const leave = (client: Socket) => void client.end();

describe('what many connections send at once', { timeout: 900_000 }, () => {
  it('is read in one turn where that is quick', async () => {
    const inTurns = await readAll(64, 0.01, ask);
    assert.ok(inTurns.length < 8, inTurns.join());
  });

  for (const [what, act] of Object.entries({ asks: ask, leaves: leave }))
    it(`is read in several where it is not, and all of it, also where each ${what}`, async () => {
      const inTurns = await readAll(64, 3, act);
      // The one with which the time is over is read, too.
      assert.ok(Math.max(...inTurns) <= 4, inTurns.join());
      assert.equal(inTurns.reduce((sum, one) => sum + one), 64); // prettier-ignore
    });
});
