// Bodies: what is too large, what is no JSON, and callers that hang up. Whatever comes, the caller gets an answer.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ClientRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, beforeEach, describe, it } from 'node:test';
import { makeMaterial, maxBodyBytes, startApi, verdictOf } from '../support/api-server.ts';
import { answerTo, open } from '../support/http-client.ts';

const material = await makeMaterial();
const api = await startApi({ shop: { files: material.files } });
after(() => api[Symbol.asyncDispose]());
beforeEach(() => void api.events.splice(0));

const path = '/v1/credentials/shop/sign';
const headers = { 'Content-Type': 'application/json' };
const post = async (body: string | Uint8Array) => {
  const answer = await api.call({ path, headers, body });
  return { ...answer, body: JSON.parse(answer.text) as Record<string, unknown> };
};
const padded = (size: number): string => '{"message":"x"}'.padEnd(size);
const isAlive = async () => assert.equal((await post('{"message":""}')).status, 200);
const start = (extra: Record<string, string | number> = {}): ClientRequest =>
  open(api.address, { method: 'POST', path, headers: { ...headers, ...extra } });

describe('a body', () => {
  it('of exactly the limit is taken, by its length or in chunks', async () => {
    assert.equal((await post(padded(maxBodyBytes))).status, 200);
    const chunked = start();
    const answered = answerTo(chunked);
    for (const half of [0, 1])
      chunked.write(padded(maxBodyBytes).slice((half * maxBodyBytes) / 2, ((half + 1) * maxBodyBytes) / 2));
    chunked.end();
    assert.equal((await answered).status, 200);
  });

  it('of more than the limit is refused before any of it is sent', async () => {
    const outgoing = start({ 'Content-Length': maxBodyBytes + 1 });
    const answered = answerTo(outgoing);
    outgoing.flushHeaders();
    assert.equal((await answered).status, 413);
    outgoing.destroy();
    await isAlive();
  });

  it('that never ends is refused as soon as it passes the limit', async () => {
    const outgoing = start();
    const chunk = Buffer.alloc(64 * 1024, ' ');
    let isAnswered = false;
    const pump = () => {
      while (!isAnswered && outgoing.write(chunk));
    };
    const answered = answerTo(outgoing);
    outgoing.on('response', () => (isAnswered = true));
    outgoing.on('drain', pump);
    pump();
    assert.equal((await answered).status, 413);
    outgoing.destroy();
    await isAlive();
  });

  const size = 8 * maxBodyBytes;
  const chunks = `${size.toString(16)}\r\n${' '.repeat(size)}\r\n0\r\n\r\n`;
  const framings = {
    'Content-Length': [`Content-Length: ${size}`, ' '.repeat(size)],
    chunks: ['Transfer-Encoding: chunked', chunks],
  };
  const destinations = { 'too large': [path, 413], 'for nobody': ['/v1/credentials/nobody/sign', 404] } as const;
  for (const [framing, [header = '', body = '']] of Object.entries(framings)) {
    for (const [what, [to, status]] of Object.entries(destinations)) {
      it(`${what}, in ${framing}, is answered even to a caller that reads only after it has sent everything`, async () => {
        const socket = connect(api.address);
        const written = new Promise<void>((resolve, reject) => {
          socket.on('error', reject);
          const head = `POST ${to} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${header}\r\n\r\n`;
          socket.write(head + body, () => resolve());
        });
        await written;
        const answer = await text(socket);
        assert.match(answer, new RegExp(`^HTTP/1.1 ${status} .*\\r\\n[^]*\\r\\n\\r\\n\\{.*\\}$`));
        await isAlive();
      });
    }
  }

  it('that nobody reads holds its connection for a while, and no longer', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const socket = connect(api.address);
    const ended = once(socket, 'end');
    socket.write(`POST ${path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    assert.match(answer.toString(), /^HTTP\/1.1 415 [^]*\r\nConnection: close\r\n/);
    t.mock.timers.tick(60_000);
    await ended;
    socket.destroy();
  });

  const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n`;
  it('whose caller hangs up in the middle is nobody’s bug', async () => {
    const hangUps: readonly ((socket: Socket) => unknown)[] = [(socket) => socket.destroy(), (socket) => socket.end()];
    for (const hangUp of hangUps) {
      const socket = connect(api.address).resume();
      await new Promise<void>((resolve) => socket.write(`${head}{"mess`, () => resolve()));
      const closed = once(socket, 'close');
      hangUp(socket);
      await closed;
      await isAlive();
    }
    assert.deepEqual(new Set(api.events.map(({ type }) => type)), new Set(['operated']));
  });
});

describe('a body that is no JSON object in UTF-8', () => {
  const malformed: Readonly<Record<string, string | Uint8Array>> = {
    'is empty': '',
    'is cut': '{"message":"x"',
    'holds two values': '{"message":"x"}{}',
    'has a trailing comma': '{"message":"x",}',
    'starts with a byte order mark': '\ufeff{"message":"x"}',
    'is Latin-1': Buffer.from('{"message":"\xe9"}', 'latin1'),
    'holds an overlong NUL': Buffer.from([...Buffer.from('{"message":"'), 0xc0, 0x80, ...Buffer.from('"}')]),
    'holds a surrogate in UTF-8': Buffer.from([...Buffer.from('{"message":"'), 0xed, 0xa0, 0x80, ...Buffer.from('"}')]),
    'is UTF-16': Buffer.from('{"message":"x"}', 'utf16le'),
    'is NaN': 'NaN',
  };
  for (const [title, body] of Object.entries(malformed)) {
    it(`because it ${title} is malformed`, async () => {
      assert.deepEqual(verdictOf(await post(body)), [400, 'request-malformed']);
    });
  }

  const deep = `${'['.repeat(400_000)}${']'.repeat(400_000)}`;
  const invalid: Readonly<Record<string, string>> = {
    'nested without end': '['.repeat(maxBodyBytes),
    'a list': '[]',
    'a text': '"x"',
    'a number': '1',
    null: 'null',
    'nested 400,000 deep': deep,
    'a message nested 400,000 deep': `{"message":${deep}}`,
    'nothing at all': '{}',
    'an unknown field': '{"message":"x","extra":1}',
    'a field named __proto__': '{"message":"x","__proto__":{"message":"y"}}',
    'only a field named __proto__': '{"__proto__":{"message":"y"}}',
    'a field named constructor': '{"message":"x","constructor":1}',
    'half a surrogate pair': '{"message":"\\ud800"}',
    'the other half': '{"message":"\\udc00\\ud800"}',
    'base64 with a line end': '{"messageBase64":"AAAA\\n"}',
    'base64 of the other alphabet': '{"messageBase64":"AA_-"}',
    'base64 without its padding': '{"messageBase64":"AA"}',
    'both forms of a message': '{"message":"x","messageBase64":"eA=="}',
  };
  for (const [title, body] of Object.entries(invalid)) {
    it(`but ${title} is invalid`, async () => {
      assert.deepEqual(verdictOf(await post(body)), [400, 'request-invalid']);
    });
  }
});

describe('a megabyte of many values', () => {
  const megabyte = 1_000_000;
  const list = (item: string, open = '[', close = ']') =>
    `{"items":${open}${Array(Math.floor(megabyte / (item.length + 1))).fill(item).join()}${close}}`; // prettier-ignore
  const names = Array.from({ length: 90_000 }, (_, index) => `"n${index}":0`).join();
  const bodies = {
    items: list('{}'),
    numbers: list('0'),
    members: `{${names}}`,
    headers: `{"kind":"response","headers":{${names}}}`,
  };
  for (const [what, body] of Object.entries(bodies)) {
    it(`is refused before it is parsed: ${what}`, async (t) => {
      const parse = t.mock.method(JSON, 'parse');
      const { status, text } = await api.call({
        path: '/v1/credentials/shop/verify',
        headers: { 'Content-Type': 'application/json' },
        body,
      });
      assert.equal(parse.mock.callCount(), 0);
      assert.deepEqual([status, /"title":"([a-z-]+)"/.exec(text)?.[1]], [400, 'request-invalid']);
    });
  }

  it('is taken where it is one text, whatever the text has in it', async () => {
    const message = '[{",\\'.repeat(100_000);
    const { status } = await api.post('sign', { message });
    assert.equal(status, 200);
  });
});
