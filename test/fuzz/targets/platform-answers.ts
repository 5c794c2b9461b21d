// Bytes that a platform responds with: the application gets a success only if the platform has signed it, and always gets an answer.
import assert from 'node:assert/strict';
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { gzipSync } from 'node:zlib';
import { makeProbe, type PlatformMessage, signMessage } from '../../../src/testing/index.ts';
import { makeLocalIdentity } from '../../support/local-identity.ts';
import { type Corpus, now } from '../corpus.ts';
import { byteMutations } from '../mutate-bytes.ts';
import { mutateText } from '../mutate-text.ts';
import type { Random } from '../random.ts';
import { mutate, type Target } from '../target.ts';
import { serialOf } from './independent.ts';
import { startProxy } from './proxy.ts';

const call = { path: '/shop/v3/pay/transactions/jsapi', body: '{}' };

const mutations = [...byteMutations, ...byteMutations.map(() => mutateText)];
const statuses = ['200 OK', '200 OK', '204 No Content', '202', '404 Not Found', '429 X', '500 Oh', '302 Found', '101 Up', '100 Continue', '999 X', '600 X', '099 X']; // prettier-ignore
const lines = [
  'Location: http://evil.example/',
  'Transfer-Encoding: chunked',
  'Content-Length: 3',
  'Content-Encoding: gzip',
  'Content-Encoding: br',
  'Content-Encoding: __proto__',
  'Content-Type: \u00e4\u00f6\u00fc; charset=\u00ff',
  'X-A: \u5fae\u4fe1',
  'X-B: a\tb',
  '__proto__: a',
  'constructor: a',
  'Connection: close, content-type',
  'Set-Cookie: a=b',
  'Set-Cookie: c=d',
  'Date: Thu, 01 Jan 1970 00:00:00 GMT',
  'Date: never',
  'Retry-After: -1',
  'Paycert-Verified: yes',
  'Wechatpay-Nonce: other',
  'Wechatpay-Signature: AAAA',
  'Trailer: Wechatpay-Signature',
  ' folded',
];

/** Over the wire as it is; by chance with more headers, compressed, in chunks, or with another status. */
function write({ headers, body }: PlatformMessage, random: Random): Buffer {
  const isPacked = random.isOneIn(6);
  const content = isPacked ? gzipSync(body) : Buffer.from(body);
  const isChunked = random.isOneIn(6);
  const head = Object.entries(headers).map((pair) => pair.join(': '));
  head.push(
    isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${String(content.length)}`,
    'Connection: close',
  );
  if (isPacked) head.push('Content-Encoding: gzip');
  for (let count = random.below(3); count > 0; count--)
    head.splice(random.below(head.length + 1), random.isOneIn(4) ? 1 : 0, random.pick(lines));
  const line = `HTTP/1.1 ${random.isOneIn(2) ? '200 OK' : random.pick(statuses)}`;
  const chunk = isChunked ? [`${content.length.toString(16)}\r\n`, content, '\r\n0\r\n\r\n'] : [content];
  return Buffer.concat([`${[line, ...head].join('\r\n')}\r\n\r\n`, ...chunk].map((part) => Buffer.from(part)));
}

const valueOf = (headers: IncomingHttpHeaders, name: string): string =>
  [headers[`wechatpay-${name}`] ?? ''].flat().join().trim();

function isSignedBy(key: KeyObject, headers: IncomingHttpHeaders, body: string): boolean {
  const text = `${valueOf(headers, 'timestamp')}\n${valueOf(headers, 'nonce')}\n${body}\n`;
  return verify('sha256', Buffer.from(text), key, Buffer.from(valueOf(headers, 'signature'), 'base64'));
}

export async function platformAnswers(corpus: Corpus): Promise<Target> {
  const { platformKeys } = corpus.material;
  const proxy = await startProxy(corpus);
  const { platform, proxied } = proxy;
  const identity = await makeLocalIdentity();
  const resigning = await startProxy(corpus, identity.local);
  const localKey = createPublicKey(identity.given['pub_key.pem'] ?? '');

  /** Whether the platform signed what was delivered, found out without the product. */
  const isSigned = (headers: IncomingHttpHeaders, body: string): boolean => {
    const keyId = valueOf(headers, 'serial');
    const key = platformKeys.find(
      ({ keyId: id, issued }) => id === keyId || (issued && serialOf(keyId) !== undefined && serialOf(id) === serialOf(keyId)), // prettier-ignore
    );
    return key !== undefined && isSignedBy(key.publicKey, headers, body);
  };

  return {
    async run(random) {
      const options = { platformKey: random.pick(platformKeys), now, nonce: random.bytes(8).toString('hex') };
      const text = random.isOneIn(8) ? '' : `{"prepay_id":"${random.bytes(6).toString('hex')}"}`;
      const signed = signMessage(text, options);
      const good = write(random.isOneIn(8) ? makeProbe(signed) : signed, random);
      const response = random.isOneIn(3) ? good : mutate(good, mutations, random, [good, Buffer.from(text)]);
      platform.respond(response);
      const { status, headers, text: delivered } = await proxied.call(call);
      proxy.assertNoInternalError();
      const verified = headers['paycert-verified'];
      if (status >= 200 && status < 300) assert.equal(verified, 'yes', 'a success that is not verified is not delivered');
      if (verified === 'yes') assert.ok(isSigned(headers, delivered), 'what the platform did not sign is not called verified');
      assert.ok(status >= 200 && status < 600);
      resigning.platform.respond(response);
      const signatures = identity.signatures();
      const again = await resigning.proxied.call(call);
      resigning.assertNoInternalError();
      assert.deepEqual([again.status, again.headers['paycert-verified']], [status, verified]);
      assert.equal(identity.signatures() - signatures, verified === 'yes' ? 1 : 0, 'what verified is signed again, and nothing else');
      if (verified === 'yes') {
        assert.equal(again.text, delivered);
        assert.ok(isSignedBy(localKey, again.headers, again.text));
      }
      return verified === 'yes' ? 'accepted' : 'refused';
    }, // prettier-ignore
    async [Symbol.asyncDispose]() {
      await Promise.all([proxy[Symbol.asyncDispose](), resigning[Symbol.asyncDispose]()]);
    },
  };
}
