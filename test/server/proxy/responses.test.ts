// What comes back: responses that verify, errors as the platform gave them, and never a success that nobody signed.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, RequestListener, Server } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { BufferBudget } from '../../../src/system/buffer-budget.ts';
import type { Event } from '../../../src/events.ts';
import { rotatePlatform } from '../../../src/testing/wechatpay-material.ts';
import { makeProbe, signMessage } from '../../../src/testing/wechatpay-message.ts';
import { makeMaterial, start } from '../../support/api-server.ts';
import { freePort } from '../../support/free-port.ts';
import { open } from '../../support/http-client.ts';
import { listenFor } from '../../support/listening.ts';
import { type Proxied, type ProxiedOptions, startProxied } from '../../support/proxied.ts';

const material = await makeMaterial();
const [, platformKey, publicKey] = material.platformKeys;
assert.ok(platformKey && publicKey);

async function platform(t: TestContext, listener: RequestListener, options: Partial<ProxiedOptions> = {}) {
  return startProxied(t, { material, double: await listenFor(t, listener), ...options });
}

const body = Buffer.from('{"prepay_id":"wx1"}');
const signed = (content: Buffer = body, key = platformKey) => signMessage(content, { platformKey: key, now: start });
type Spoil = (headers: Record<string, string>) => { headers: Record<string, string>; content?: Buffer };

const respond =
  (status: number, spoil: Spoil = (headers) => ({ headers })): RequestListener =>
  (_, response) => {
    const { headers, content = body } = spoil({ 'Content-Type': 'application/json', ...signed().headers });
    response.writeHead(status, headers).end(content);
  };

const forwarded = ({ events }: Proxied) =>
  events.filter((event): event is Extract<Event, { type: 'forwarded' }> => event.type === 'forwarded').at(-1);

const pay = { path: '/shop/v3/pay/transactions/jsapi', body: '{}' };

describe('a success', () => {
  it('that verifies comes back as the platform sent it, with what paycert knows of it', async (t) => {
    const proxied = await platform(
      t,
      respond(200, (headers) => ({
        headers: { ...headers, 'Request-ID': '8', 'Set-Cookie': 'a=b', Connection: 'close' },
      })),
    );
    const { status, text, headers } = await proxied.call(pay);
    assert.deepEqual([status, text], [200, body.toString()]);
    assert.equal(headers['content-type'], 'application/json');
    assert.equal(headers['request-id'], '8');
    assert.equal(headers['set-cookie'], undefined);
    assert.equal(headers['wechatpay-serial'], platformKey.keyId);
    assert.deepEqual(
      [headers['paycert-key-id'], headers['paycert-verified'], headers['paycert-attempts']],
      [material.merchant.serialNumber, 'yes', '1'],
    );
    const { outcome, verified, attempts, status: told } = forwarded(proxied) ?? {};
    assert.deepEqual([outcome, verified, attempts, told], ['ok', 'yes', 1, 200]);
  });

  it('without a body verifies too, and stays without one', async (t) => {
    const empty = signed(Buffer.alloc(0));
    const proxied = await platform(t, (_, response) => void response.writeHead(204, empty.headers).end());
    const { status, text, headers } = await proxied.call({ ...pay, path: '/shop/v3/close' });
    assert.deepEqual(
      [status, text, headers['paycert-verified'], headers['content-length']],
      [204, '', 'yes', undefined],
    );
  });

  it('that came compressed is verified over its content, and delivered unpacked', async (t) => {
    const proxied = await platform(
      t,
      respond(200, (headers) => ({ headers: { ...headers, 'Content-Encoding': 'gzip' }, content: gzipSync(body) })),
    );
    const { text, headers } = await proxied.call(pay);
    assert.deepEqual(
      [text, headers['content-encoding'], headers['paycert-verified']],
      [body.toString(), undefined, 'yes'],
    );
  });

  it('is verified with the keys of the time when it arrives, not of the time when it was sent', async (t) => {
    const rotated = await rotatePlatform(material, { now: start });
    const newest = rotated.platformKeys.find(({ keyId }) => !material.platformKeys.some((old) => old.keyId === keyId));
    assert.ok(newest);
    const proxied: Proxied = await platform(t, (_, response) => {
      void proxied
        .load('shop', rotated.files)
        .then(() => response.writeHead(200, signed(body, newest).headers).end(body));
    });
    assert.equal((await proxied.call(pay)).headers['paycert-verified'], 'yes');
  });

  const forged: Readonly<Record<string, [Spoil, string]>> = {
    'without a signature': [() => ({ headers: { 'Content-Type': 'application/json' } }), 'signature-missing'],
    'with a signature over another body': [
      (headers) => ({ headers, content: Buffer.from('{"prepay_id":"wx2"}') }),
      'signature-invalid',
    ],
    'with a signature of an unknown key': [
      (headers) => ({ headers: { ...headers, 'Wechatpay-Serial': 'ABCDEF' } }),
      'key-id-unknown',
    ],
    'with an old signature': [
      () => ({ headers: signMessage(body, { platformKey, now: new Date(start.getTime() - 400_000) }).headers }),
      'timestamp-outside-window',
    ],
    'with one of the platform’s own probes': [() => ({ headers: makeProbe(signed()).headers }), 'signature-probe'],
    'compressed in an unknown way': [
      (headers) => ({ headers: { ...headers, 'Content-Encoding': 'zip' } }),
      'compressed',
    ],
    'compressed in none': [(headers) => ({ headers: { ...headers, 'Content-Encoding': 'gzip' } }), 'compressed'],
  };
  for (const [what, [spoil, why]] of Object.entries(forged)) {
    it(`${what} never reaches the application: whether it was done is unknown`, async (t) => {
      const proxied = await platform(t, respond(200, spoil));
      const { status, problem, headers, text } = await proxied.call(pay);
      assert.deepEqual([status, problem?.title, problem?.outcome], [502, 'response-unverified', 'unknown']);
      assert.ok(problem?.detail.includes(why), problem?.detail);
      assert.ok(!text.includes('prepay_id'));
      assert.equal(headers['paycert-attempts'], '1');
      assert.equal(headers['paycert-key-id'], material.merchant.serialNumber);
      assert.equal(forwarded(proxied)?.outcome, 'unknown');
    });
  }

  it('that is larger than anything a platform signs is not held', async (t) => {
    const large = Buffer.alloc(4 * 1024 * 1024 + 1);
    for (const content of [large, gzipSync(large)]) {
      const packed = content === large ? {} : { 'Content-Encoding': 'gzip' };
      const proxied = await platform(
        t,
        respond(200, (headers) => ({ headers: { ...headers, ...packed }, content })),
      );
      const { status, problem } = await proxied.call(pay);
      assert.deepEqual([status, problem?.title, problem?.outcome], [502, 'response-too-large', 'unknown']);
      assert.equal(proxied.gateway.budget.held, 0);
    }
  });
});

describe('a redirect, or a status that HTTP does not have,', () => {
  for (const status of [301, 302, 303, 307, 308, 304, 600, 999]) {
    it(`(${status}) is neither followed nor passed on`, async (t) => {
      let asked = 0;
      const proxied = await platform(t, (request, response) => {
        asked += 1;
        response.writeHead(status, { Location: `http://${String(request.headers.host)}/v3/elsewhere` }).end();
      });
      const { status: got, problem, headers } = await proxied.call(pay);
      assert.equal(headers['paycert-key-id'], material.merchant.serialNumber);
      assert.deepEqual([got, problem?.title, problem?.outcome], [502, 'gateway-redirected', 'unknown']);
      assert.deepEqual([asked, headers.location], [1, undefined]);
    });
  }
});

describe('an error of the platform', () => {
  const outcomes = {
    400: 'refused',
    401: 'refused',
    404: 'refused',
    429: 'unknown',
    500: 'unknown',
    503: 'unknown',
  } as const;
  for (const [status, outcome] of Object.entries(outcomes)) {
    it(`(${status}) is passed on as it is, unsigned as it may be`, async (t) => {
      const proxied = await platform(
        t,
        respond(Number(status), () => ({ headers: { 'Content-Type': 'application/json', 'Retry-After': '3' } })),
      );
      const answer = await proxied.call(pay);
      assert.deepEqual(
        [answer.status, answer.text, answer.headers['retry-after']],
        [Number(status), body.toString(), '3'],
      );
      assert.equal(answer.headers['paycert-verified'], 'no');
      assert.equal(forwarded(proxied)?.outcome, outcome);
    });
  }

  it('that is signed says so, and one whose signature is wrong is not passed on', async (t) => {
    const good = await platform(t, respond(404));
    assert.equal((await good.call(pay)).headers['paycert-verified'], 'yes');
    const bad = await platform(
      t,
      respond(404, (headers) => ({ headers, content: Buffer.from('{}') })),
    );
    const { status, problem } = await bad.call(pay);
    assert.deepEqual([status, problem?.title, problem?.outcome], [502, 'response-unverified', 'unknown']);
  });
});

describe('a platform that does not answer', () => {
  it('and cannot be connected to has got nothing: the call was not done', async (t) => {
    const proxied = await startProxied(t, { material, double: `http://127.0.0.1:${String(await freePort())}` });
    const { status, problem, headers } = await proxied.call(pay);
    assert.deepEqual([status, problem?.title, problem?.outcome], [502, 'gateway-unreachable', 'refused']);
    assert.ok(problem?.detail.includes('ECONNREFUSED'));
    assert.equal(headers['paycert-attempts'], '1');
    assert.deepEqual(
      proxied.events.flatMap((event) => (event.type === 'attempted' ? [event.outcome] : [])),
      ['not-sent'],
    );
  });

  it('and ends the connection may have acted', async (t) => {
    const proxied = await platform(t, (request) => void request.socket.destroy());
    const { status, problem } = await proxied.call(pay);
    assert.deepEqual([status, problem?.title, problem?.outcome], [502, 'gateway-interrupted', 'unknown']);
  });

  it('and is gone when the call is made once more may have acted on the first', async (t) => {
    const proxied = await platform(t, (request) => {
      const { socket } = request as IncomingMessage & { socket: { server?: Server } };
      socket.server?.close();
      socket.destroy();
    });
    const { problem, headers } = await proxied.call({ path: '/shop/v3/certificates', method: 'GET' });
    assert.deepEqual([problem?.title, problem?.outcome], ['gateway-unreachable', 'unknown']);
    assert.equal(headers['paycert-attempts'], '2');
  });

  it('and breaks off within its response may have acted', async (t) => {
    const proxied = await platform(t, (_, response) => {
      response.writeHead(200, { ...signed().headers, 'Content-Length': '100' });
      response.write(body, () => response.destroy());
    });
    const { status, problem } = await proxied.call(pay);
    assert.deepEqual([status, problem?.title, problem?.outcome], [502, 'gateway-interrupted', 'unknown']);
  });

  it('within the deadline may have acted', async (t) => {
    let arrived = () => {};
    const deadline = () => new Promise<void>((resolve) => (arrived = resolve));
    const proxied = await platform(t, () => arrived(), { deadline });
    const { status, problem } = await proxied.call(pay);
    assert.deepEqual([status, problem?.title, problem?.outcome], [504, 'gateway-timeout', 'unknown']);
  });
});

describe('a download that the platform never signs', () => {
  const path = '/shop/v3/billdownload/file?token=1';

  it('streams to its reader while it arrives, and says that nobody has signed it', async (t) => {
    let finish = () => {};
    const proxied = await platform(t, (_, response) => {
      response.writeHead(200, { 'Content-Type': 'application/x-gzip' });
      response.write('first');
      finish = () => response.end('last');
    });
    const outgoing = open(proxied.socket, { path });
    const response = await new Promise<IncomingMessage>((resolve) => outgoing.on('response', resolve).end());
    const { headers } = response;
    assert.deepEqual([headers['paycert-verified'], headers['content-type']], ['none', 'application/x-gzip']);
    const pieces = response[Symbol.asyncIterator]();
    const next = async () => String((await pieces.next()).value);
    assert.equal(await next(), 'first');
    finish();
    assert.equal(await next(), 'last');
  });

  it('of any size passes whole, and counts towards no limit of what is held', async (t) => {
    const content = randomBytes(32 * 1024 * 1024);
    const proxied = await platform(t, (_, response) => void response.writeHead(200).end(content.toString('base64')), {
      budget: new BufferBudget(1000),
    });
    const { status, text } = await proxied.call({ path });
    assert.deepEqual([status, text === content.toString('base64')], [200, true]);
  });

  it('that breaks off ends its reader’s connection before the end', async (t) => {
    const proxied = await platform(t, (_, response) => {
      response.writeHead(200, { 'Content-Length': '100' });
      response.write('half', () => response.destroy());
    });
    await assert.rejects(proxied.call({ path }));
  });

  it('is verified all the same where it is signed', async (t) => {
    const proxied = await platform(t, respond(200));
    assert.equal((await proxied.call({ path })).headers['paycert-verified'], 'yes');
  });

  it('is a GET: what is sent to that path is not', async (t) => {
    const proxied = await platform(
      t,
      respond(200, () => ({ headers: {} })),
    );
    const { problem } = await proxied.call({ path, body: '{}' });
    assert.equal(problem?.title, 'response-unverified');
  });
});

describe('the bytes of all messages together', () => {
  it('are bounded: one more call is told to come back, and what ended gives its place back', async (t) => {
    let [arrive, release] = [() => {}, () => {}];
    const arrived = new Promise<void>((resolve) => (arrive = resolve));
    const proxied = await platform(
      t,
      (request, response) => {
        release = () => respond(200)(request, response);
        arrive();
      },
      { budget: new BufferBudget(1000) },
    );
    const large = JSON.stringify({ text: 'x'.repeat(800) });
    const first = proxied.call({ path: '/shop/v3/first', body: large });
    await arrived;
    const { status, problem, headers } = await proxied.call({ path: '/shop/v3/second', body: large });
    assert.deepEqual([status, problem?.title], [503, 'overloaded']);
    assert.equal(headers['retry-after'], '1');
    release();
    assert.equal((await first).status, 200);
    assert.equal(proxied.gateway.budget.held, 0);
  });
});
