// Overseas statements, which WeChat Pay signs by their hash: passed on while they arrive, and never to their end if they are others.
import assert from 'node:assert/strict';
import { createHash, createPublicKey, randomBytes, verify } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { BufferBudget } from '../../../src/system/buffer-budget.ts';
import { signMessage } from '../../../src/testing/wechatpay-message.ts';
import { makeMaterial, start } from '../../support/api-server.ts';
import { open, readResponse } from '../../support/http-client.ts';
import { listenFor } from '../../support/listening.ts';
import { makeLocalIdentity } from '../../support/local-identity.ts';
import { type Proxied, type ProxiedOptions, startProxied } from '../../support/proxied.ts';

const material = await makeMaterial();
const [, platformKey] = material.platformKeys;
assert.ok(platformKey);

const call = { path: '/shop/v3/global/statements?date=20260101' };
const hashOf = (statement: Uint8Array) => createHash('sha1').update(statement).digest('hex');

const headersFor = (statement: Uint8Array): Record<string, string> => {
  const sha1 = hashOf(statement);
  const { headers } = signMessage(JSON.stringify({ sha1 }), { platformKey, now: start });
  return { 'Content-Type': 'text/plain', 'Wechatpay-Statement-Sha1': sha1, ...headers };
};

async function serve(t: TestContext, respond: (response: ServerResponse) => void, more: Partial<ProxiedOptions> = {}) {
  const double = await listenFor(t, (_, response) => respond(response));
  return startProxied(t, { material, double, ...more });
}

const unverified = ({ events }: Proxied) =>
  events.flatMap((event) => (event.type === 'unverified' ? [event.error.code] : []));

const large = Buffer.from(randomBytes(150 * 1024).toString('base64'));
/** More than is held of a response that is signed as a whole. */
const huge = Buffer.alloc(5 * 1024 * 1024, 'x');
const small = Buffer.from('date,amount\n');

describe('a statement whose hash is signed', () => {
  it('of any size passes whole, and counts towards no limit of what is held', async (t) => {
    for (const statement of [small, huge, Buffer.alloc(0)]) {
      const respond = (response: ServerResponse) => response.writeHead(200, headersFor(statement)).end(statement);
      const proxied = await serve(t, respond, { budget: new BufferBudget(1000) });
      const { status, headers, text } = await proxied.call(call);
      assert.deepEqual([status, headers['paycert-verified'], headers['paycert-outcome']], [200, 'yes', 'ok']);
      assert.ok(text === statement.toString());
      assert.equal(headers['wechatpay-statement-sha1'], hashOf(statement));
      assert.deepEqual(unverified(proxied), []);
    }
  });

  it('passes while it arrives', async (t) => {
    let finish = (): unknown => assert.fail('it has begun');
    const proxied = await serve(t, (response) => {
      response.writeHead(200, headersFor(large)).write(large.subarray(0, -9));
      finish = () => response.end(large.subarray(-9));
    });
    const outgoing = open(proxied.socket, call);
    const response = await new Promise<IncomingMessage>((resolve) => outgoing.on('response', resolve).end());
    await new Promise((resolve) => response.once('readable', resolve));
    assert.ok((response.read(1) as Buffer).equals(large.subarray(0, 1)));
    finish();
    assert.ok((await readResponse(response)).text === large.subarray(1).toString());
  });

  it('that came packed is compared by what is in it, and delivered as it came', async (t) => {
    const packed = gzipSync(large);
    const proxied = await serve(t, (response) => response.writeHead(200, headersFor(large)).end(packed));
    const pieces: Buffer[] = [];
    const response = await new Promise<IncomingMessage>((resolve) => open(proxied.socket, call).on('response', resolve).end()); // prettier-ignore
    for await (const piece of response) pieces.push(piece as Buffer);
    assert.ok(Buffer.concat(pieces).equals(packed));
    assert.equal(response.headers['paycert-verified'], 'yes');
  });

  const forged: Readonly<Record<string, Buffer>> = {
    'another one': Buffer.from('date,amount\n1,1\n'),
    'a long one that differs in its last byte': Buffer.concat([large.subarray(0, -1), Buffer.from('!')]),
    'a packed one that is another': gzipSync('date,amount\n1,1\n'),
    'a packed one with more behind its end': Buffer.concat([gzipSync(small), Buffer.from('more')]),
    'a packed one that is cut off': gzipSync(large).subarray(0, -20),
    'what looks packed and is not': Buffer.from([0x1f, 0x8b, 1, 2, 3, 4]),
  };
  for (const [what, statement] of Object.entries(forged)) {
    it(`never reaches its end if it is ${what}`, async (t) => {
      const expected = what.includes('long') || what.includes('cut') ? large : small;
      const proxied = await serve(t, (response) => response.writeHead(200, headersFor(expected)).end(statement));
      await assert.rejects(proxied.call(call), { code: 'ECONNRESET' });
      assert.deepEqual(unverified(proxied), ['signature-invalid']);
    });
  }

  it('is refused before any of it if its signature does not verify', async (t) => {
    const other = { ...headersFor(large), 'Wechatpay-Statement-Sha1': hashOf(small) };
    const proxied = await serve(t, (response) => response.writeHead(200, other).end(small));
    const { status, problem } = await proxied.call(call);
    assert.deepEqual([status, problem?.title, problem?.outcome], [502, 'response-unverified', 'unknown']);
  });

  it('breaks off where the platform does', async (t) => {
    const proxied = await serve(t, (response) => {
      response.writeHead(200, { ...headersFor(large), 'Content-Length': String(large.length) });
      response.write(large.subarray(0, 150_000), () => response.destroy());
    });
    await assert.rejects(proxied.call(call), { code: 'ECONNRESET' });
    assert.deepEqual(unverified(proxied), []);
  });

  it('is signed again by its hash with `resign: local`', async (t) => {
    const { local, given } = await makeLocalIdentity();
    const proxied = await serve(t, (response) => response.writeHead(200, headersFor(large)).end(large), { local });
    const { headers, text } = await proxied.call(call);
    const [timestamp, nonce, signature] = ['timestamp', 'nonce', 'signature'].map((name) => String(headers[`wechatpay-${name}`])); // prettier-ignore
    const message = `${String(timestamp)}\n${String(nonce)}\n${JSON.stringify({ sha1: hashOf(large) })}\n`;
    const publicKey = createPublicKey(given['pub_key.pem'] ?? '');
    assert.ok(verify('sha256', Buffer.from(message), publicKey, Buffer.from(String(signature), 'base64')));
    assert.ok(text === large.toString());
  });
});
