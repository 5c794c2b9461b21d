// The body of a platform's response while it arrives: complete, or known to be cut off, and its connection ends with who does not want it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { after, describe, it, type TestContext } from 'node:test';
import { openConnections } from '../../src/gateway/connections.ts';

const connections = await openConnections();
after(() => connections.close());

const piece = Buffer.alloc(48 * 1024, 'a');
const ignore = () => undefined;

/** `answer` has the head that it writes first, and may go on later. */
async function ask(
  t: TestContext,
  answer: (response: ServerResponse) => unknown,
  signal = AbortSignal.any([]),
  first = piece,
) {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'Content-Length': 4 * first.byteLength });
    response.write(first);
    answer(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const closed = once(server, 'connection').then(([socket]) => once(socket as NodeJS.EventEmitter, 'close'));
  const outgoing = { method: 'GET', target: '/', headers: {}, body: Buffer.alloc(0) };
  const origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return { ...(await connections.send(origin, outgoing, { signal })), closed };
}

const allOf = (response: ServerResponse) => response.end(Buffer.concat([piece, piece, piece]));

describe('the body of a response', () => {
  it('is complete, also for who takes it after it has come', async (t) => {
    for (const take of ['whole', 'stream'] as const) {
      const { body } = await ask(t, allOf);
      // More than once what waits for a reader, in turns in which nobody reads.
      for (let turn = 0; turn < 20; turn += 1) await setImmediate();
      const sizes: number[] = [];
      const bytes = take === 'whole' ? await body.whole((size) => sizes.push(size)) : await buffer(body.stream());
      assert.ok(bytes.equals(Buffer.concat([piece, piece, piece, piece])));
      if (take === 'whole') assert.equal(sizes.reduce((sum, size) => sum + size), bytes.byteLength); // prettier-ignore
    }
  });

  it('that is cut off is never taken for a whole one', async (t) => {
    const cut = (response: ServerResponse) => response.write('a', () => response.destroy());
    await assert.rejects((await ask(t, cut)).body.whole(ignore), { code: 'UND_ERR_SOCKET' });
    await assert.rejects(buffer((await ask(t, cut)).body.stream()), { code: 'UND_ERR_SOCKET' });
    const { body, closed } = await ask(t, cut);
    await closed;
    await assert.rejects(body.whole(ignore), { code: 'UND_ERR_SOCKET' });
  });

  it('that is too much for who takes it ends its connection', async (t) => {
    const { body, closed } = await ask(t, ignore);
    const enough = new Error('enough');
    const whole = body.whole(() => {
      throw enough;
    });
    await assert.rejects(whole, enough);
    await closed;
  });

  it('that is too much is refused, also when all of it has come', async (t) => {
    const few = Buffer.from('few.');
    const { body } = await ask(t, (response) => response.end(Buffer.concat([few, few, few])), undefined, few);
    for (let turn = 0; turn < 20; turn += 1) await setImmediate();
    const enough = new Error('enough');
    const whole = body.whole(() => {
      throw enough;
    });
    await assert.rejects(whole, enough);
  });

  it('that nobody wants, or no longer, ends its connection', async (t) => {
    const dropped = await ask(t, ignore);
    dropped.body.drop();
    await dropped.closed;
    const left = await ask(t, ignore);
    left.body.stream().destroy();
    await left.closed;
  });

  it('of a call that is called off ends with it', async (t) => {
    const callsOff = new AbortController();
    const { body, closed } = await ask(t, ignore, callsOff.signal);
    const whole = body.whole(ignore);
    callsOff.abort(new Error('called off'));
    await assert.rejects(whole, /called off/);
    await closed;
  });
});
