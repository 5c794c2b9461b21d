// The API over TCP: for processes on this machine that know the token, and for nobody who came through a browser or proxy.
import assert from 'node:assert/strict';
import type { OutgoingHttpHeaders, RequestListener } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, describe, it } from 'node:test';
import type { Listener } from '../../src/server/bind.ts';
import { listenOnPort, listenOnTcp, type TcpOptions } from '../../src/server/listeners.ts';
import { type Answer, exchange } from '../support/http-client.ts';

const token = 'a-token-of-24-characters';
const open: Listener[] = [];
after(() => Promise.all(open.map(({ close }) => close())));
const answerOk: RequestListener = (_, response) => void response.end('ok');
async function listen(options: Partial<TcpOptions> = {}): Promise<string> {
  const listener = await listenOnTcp(
    { address: '127.0.0.1:0', token: () => token, isExposed: false, ...options },
    answerOk,
  );
  open.push(listener);
  return listener.address;
}
const guarded = await listen();
const insecure = await listen({ token: () => undefined });
const exposed = await listen({ address: '0.0.0.0:0', isExposed: true });
const bearer = { Authorization: `Bearer ${token}` };
const call = (address: string, headers: OutgoingHttpHeaders = {}): Promise<Answer> =>
  exchange(address, { path: '/', headers });
const verdict = ({ status, text: body }: Answer): unknown[] => [
  status,
  (JSON.parse(body) as Record<string, unknown>)['title'],
];

describe('an address', () => {
  for (const address of ['127.0.0.1:0', '127.8.8.8:0', 'localhost:0', '[::1]:0']) {
    it(`${address} is loopback, and is told with the port that was bound`, async () => {
      const bound = await listen({ address });
      assert.match(bound, /:[1-9]\d*$/);
      assert.ok(bound.startsWith(address.slice(0, -1)));
      assert.equal((await call(bound, bearer)).status, 200);
    });
  }

  it('that cannot be bound says what is wrong with it, and nothing of sockets', async () => {
    for (const [address, said] of [
      ['nosuch.invalid:8010', /\(E(?:NOTFOUND|AI_AGAIN)\): .*write an address, such as 127\.0\.0\.1$/],
      ['192.0.2.1:0', /\(EADDRNOTAVAIL\): the address is not one of this machine’s$/],
      ['127.0.0.1:65536', /\(ERR_SOCKET_BAD_PORT\): a port is a number from 0 to 65535$/],
    ] as const)
      await assert.rejects(listen({ address, isExposed: true }), { code: 'listener-unusable', message: said });
  });

  it('that is in use, is not ours or has no such port is an error of the configuration', async () => {
    const codes = { [guarded]: 'in-use', '192.0.2.1:0': 'unusable', '127.0.0.1:65536': 'unusable' };
    for (const [address, code] of Object.entries(codes)) {
      await assert.rejects(
        listen({ address, isExposed: true }),
        { name: 'PaycertError', code: `listener-${code}` },
        address,
      );
    }
  });

  it('with an empty host is every address', async () => {
    const listener = await listenOnPort(':0', answerOk);
    open.push(listener);
    const port = listener.address.slice(1);
    assert.equal((await call(`127.0.0.1:${port}`)).status, 200);
  });
});

describe('a token', () => {
  it('is required', async () => {
    for (const authorization of [
      undefined,
      '',
      'Bearer',
      'Bearer ',
      `Bearer ${token}x`,
      `Bearer  ${token}`,
      token,
      `Basic ${token}`,
    ]) {
      const answer = await call(guarded, authorization === undefined ? {} : { Authorization: authorization });
      assert.deepEqual(verdict(answer), [401, 'token-required'], authorization);
      assert.equal(answer.headers['www-authenticate'], 'Bearer');
      assert.ok(!answer.text.includes(token));
    }
  });

  it('opens, whatever the case of its scheme', async () => {
    assert.equal((await call(guarded, bearer)).text, 'ok');
    assert.equal((await call(guarded, { Authorization: `bearer ${token}` })).text, 'ok');
  });

  it('is not asked for where none is configured, and asked for where the listener is exposed', async () => {
    assert.equal((await call(insecure)).status, 200);
    assert.equal((await call(exposed)).status, 401);
    assert.equal((await call(exposed, bearer)).status, 200);
  });
});

describe('a request from elsewhere', () => {
  const foreign = [
    'example.com',
    'example.com:80',
    'localhost.example.com',
    '127.0.0.1.example.com',
    '192.0.2.1',
    'example.com:127.0.0.1',
  ]
    .concat([
      '[::2]',
      '[::2]:80',
      '::1',
      '[::1].example.com',
      ':80',
      'localhost@example.com',
      'localhost:80:80',
      '0.0.0.0',
      '[::]',
    ])
    .concat(['[localhost', 'localhost]', '[127.0.0.1]']);
  for (const host of foreign) {
    it(`that names the host "${host}" is refused, with the token or without`, async () => {
      assert.deepEqual(verdict(await call(guarded, { ...bearer, Host: host })), [403, 'request-forwarded']);
      assert.deepEqual(verdict(await call(insecure, { Host: host })), [403, 'request-forwarded']);
    });
  }

  for (const host of [
    'localhost',
    'localhost:80',
    'LocalHost:80',
    '127.0.0.1',
    '127.0.0.1:65535',
    '127.1.2.3',
    '[::1]',
    '[::1]:80',
  ]) {
    it(`does not name the host ${host}`, async () => {
      assert.equal((await call(guarded, { ...bearer, Host: host })).status, 200);
    });
  }

  it('that was forwarded, or that a browser sent, is refused on every listener', async () => {
    const marks = {
      'X-Forwarded-For': '10.0.0.1',
      Forwarded: 'for=10.0.0.1',
      Origin: 'http://localhost',
      origin: 'null',
    };
    for (const [name, value] of Object.entries(marks)) {
      for (const address of [guarded, insecure, exposed]) {
        assert.deepEqual(verdict(await call(address, { ...bearer, [name]: value })), [403, 'request-forwarded'], name);
        assert.deepEqual(verdict(await call(address, { ...bearer, [name]: '' })), [403, 'request-forwarded'], name);
      }
    }
  });

  it('without a Host is refused: HTTP/1.0 allows it', async () => {
    const [host = '', port = ''] = insecure.split(':');
    const socket = connect(Number(port), host);
    socket.write('GET / HTTP/1.0\r\n\r\n');
    assert.match(await text(socket), /^HTTP\/1.1 403 /);
  });

  it('may name any host where the listener is exposed', async () => {
    assert.equal((await call(exposed, { ...bearer, Host: 'paycert.payments.svc' })).status, 200);
  });
});
