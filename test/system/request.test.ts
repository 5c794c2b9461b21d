// One request: a silent or broken peer is given up with a reason, a kept connection may be repeated once, a body has an end.
import assert from 'node:assert/strict';
import { getEventListeners, once } from 'node:events';
import { Agent, type RequestListener } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { readBytes, readLines, request, TooLarge, Unreachable } from '../../src/system/request.ts';
import { listenFor } from '../support/listening.ts';

const signal = new AbortController().signal;
const patient = { silenceMilliseconds: 10_000, mayRepeat: false };

const serve = async (t: TestContext, listener: RequestListener): Promise<URL> => new URL(await listenFor(t, listener));

const switched = 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n';

const reasonIs = (pattern: RegExp) => (error: unknown) => error instanceof Unreachable && pattern.test(error.reason);

describe('a request', () => {
  it('gives its response, and as much of the body as there is room for', async (t) => {
    const server = await serve(t, (_, response) => response.end('12345'));
    const ask = () => request(server, { path: '/', agent: new Agent() }, patient, signal);
    assert.equal((await readBytes(await ask(), 5, signal)).toString(), '12345');
    await assert.rejects(readBytes(await ask(), 4, signal), TooLarge);
  });

  it('to a peer that is silent is given up, and says for how long it was', async (t) => {
    const server = await serve(t, () => undefined);
    const asked = request(server, { agent: new Agent() }, { silenceMilliseconds: 50, mayRepeat: false }, signal);
    await assert.rejects(asked, reasonIs(/^nothing for 0\.05 s$/));
  });

  it('says by a code of the system why nobody answers, and not by foreign text', async (t) => {
    const server = await serve(t, () => undefined);
    server.port = '1';
    await assert.rejects(request(server, { agent: new Agent() }, patient, signal), reasonIs(/^ECONNREFUSED$/));
  });

  it('says that a body ended too early', async (t) => {
    const server = await serve(t, (_, response) => {
      response.writeHead(200, { 'Content-Length': 10 }).write('1');
      setImmediate(() => response.destroy());
    });
    const response = await request(server, { agent: new Agent() }, patient, signal);
    await assert.rejects(readBytes(response, 10, signal), reasonIs(/^ECONNRESET$/));
  });

  it('to a server that switches to a protocol that nobody asked for is given up', async (t) => {
    const server = await serve(t, ({ socket }) => void socket.end(switched));
    await assert.rejects(request(server, { agent: new Agent() }, patient, signal), reasonIs(/^PROTOCOL_SWITCHED$/));
  });

  it('is sent again, once, where the server had closed the connection that was kept', async (t) => {
    let requests = 0;
    const server = await serve(t, (asked, response) => {
      requests += 1;
      // The second comes over the connection of the first, and finds it closed.
      if (requests === 2) asked.socket.destroy();
      else response.end('here');
    });
    const agent = new Agent({ keepAlive: true });
    t.after(() => agent.destroy());
    const ask = async (mayRepeat: boolean) => {
      const response = await request(server, { agent }, { ...patient, mayRepeat }, signal);
      return (await readBytes(response, 100, signal)).toString();
    };
    assert.equal(await ask(true), 'here');
    assert.equal(await ask(true), 'here');
    assert.equal(requests, 3);
    requests = 1;
    await assert.rejects(ask(false), reasonIs(/^ECONNRESET$/));
  });

  it('that is aborted rejects with the reason of whoever aborted it', async (t) => {
    const server = await serve(t, () => undefined);
    const stop = new AbortController();
    const asked = request(server, { agent: new Agent() }, patient, stop.signal);
    stop.abort(new Error('enough'));
    await assert.rejects(asked, /^Error: enough$/);
  });

  it('whose body is aborted rejects with that reason, and one that was answered leaves nothing at its signal', async (t) => {
    const server = await serve(t, ({ url }, response) => {
      if (url === '/whole') response.end('x');
      else response.writeHead(200, { 'Content-Length': '2' }).write('x');
    });
    const stop = new AbortController();
    const ask = (path: string) => request(server, { path, agent: new Agent() }, patient, stop.signal);
    const whole = await ask('/whole');
    const closed = once(whole.socket, 'close');
    await readBytes(whole, 10, stop.signal);
    await closed;
    await new Promise(setImmediate);
    assert.deepEqual(getEventListeners(stop.signal, 'abort'), []);
    const reading = readBytes(await ask('/half'), 10, stop.signal);
    stop.abort(new Error('enough'));
    await assert.rejects(reading, /^Error: enough$/);
    await assert.rejects(ask('/whole'), /^Error: enough$/);
  });
});

describe('a response in HTTP chunks of one byte', () => {
  it('is given up', async (t) => {
    const server = await serve(t, (_, { socket }) => {
      socket?.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      socket?.write('1\r\nx\r\n'.repeat(20_000));
    });
    const response = await request(server, { agent: new Agent() }, patient, signal);
    await assert.rejects(readBytes(response, 1_000_000, signal), reasonIs(/^BODY_IN_PIECES$/));
  });
});

describe('lines', () => {
  const chunksOf = async function* (text: string, size: number) {
    for (let at = 0; at < text.length; at += size) yield Buffer.from(text.slice(at, at + size));
  };

  const linesOf = async (chunks: AsyncIterable<Buffer>, most: number) => {
    const lines: string[] = [];
    for await (const line of readLines(chunks, most, () => new TooLarge())) lines.push(line.toString());
    return lines;
  };

  it('are the same however they are cut, and the last one counts only with its end', async () => {
    for (const size of [1, 2, 3, 5, 100]) {
      assert.deepEqual(await linesOf(chunksOf('a\n\nbcd\nef', size), 10), ['a', '', 'bcd']);
    }
  });

  it('have an end', async () => {
    await assert.rejects(linesOf(chunksOf('abcdefgh', 1), 5), TooLarge);
  });
});
