// A local private key: what it signs and opens, and that it takes its turn, once for each operation.
import assert from 'node:assert/strict';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { oaep, pkcs1, sealOaep } from '../../src/crypto/cipher.ts';
import { isCertifiedBy, localKey, type Turn } from '../../src/crypto/private-key.ts';
import { rsaPkcs1, rsaPss } from '../../src/crypto/suites.ts';
import { generateKeyPair } from '../../src/testing/index.ts';
import { issue, makeAuthority } from '../support/mtls.ts';

const [own, other] = await Promise.all([generateKeyPair(), generateKeyPair()]);
const key = localKey(own.privateKey);
const message = Buffer.from('message');

describe('a local private key', () => {
  it('signs with the suite that it is given, and knows its public half', async () => {
    for (const suite of [rsaPkcs1, rsaPss]) {
      assert.ok(suite.verify(own.publicKey, message, await key.sign(suite, message)));
    }
    assert.ok(key.publicKey.equals(own.publicKey));
  });

  it('opens what was encrypted for it, and nothing else', async () => {
    const sealed = sealOaep(own.publicKey, message);
    assert.deepEqual(Buffer.from((await key.open(oaep, sealed)) ?? []), message);
    assert.equal(await localKey(other.privateKey).open(oaep, sealed), undefined);
    assert.equal(await key.open(pkcs1, Buffer.alloc(3)), undefined);
  });

  it('takes one turn for each operation, and computes nothing before it', async () => {
    const waiting: (() => void)[] = [];
    const turn: Turn = async (work) => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      return work();
    };
    const results = [key.sign(rsaPkcs1, message, turn), key.open(oaep, sealOaep(own.publicKey, message), turn)];
    assert.equal(waiting.length, 2);
    for (const start of waiting) start();
    assert.ok((await Promise.all(results)).every((result) => result !== undefined));
  });

  it('may sign in the event loop where that takes a millisecond at most, and so neither by a long key nor a long text', async () => {
    const offered = async (signing: ReturnType<typeof localKey>, text: Uint8Array, suite = rsaPkcs1) => {
      let here: (() => unknown) | undefined;
      const turn: Turn = (work, inThread) => {
        here = inThread;
        return work();
      };
      const signature = await signing.sign(suite, text, turn);
      return here === undefined ? 'nothing' : suite.verify(own.publicKey, text, here() as Uint8Array) && signature;
    };
    for (const suite of [rsaPkcs1, rsaPss]) assert.notEqual(await offered(key, message, suite), 'nothing');
    const long = localKey(generateKeyPairSync('rsa', { modulusLength: 3072 }).privateKey);
    assert.equal(await offered(long, message), 'nothing');
    assert.equal(await offered(key, Buffer.alloc(64 * 1024 + 1)), 'nothing');
  });

  it('belongs to a certificate of its public half alone', async () => {
    const authority = await makeAuthority();
    const issued = await issue(authority, 'own', { keyPair: own });
    const certificate = new X509Certificate(issued.certificate);
    assert.equal(isCertifiedBy(key, certificate), true);
    assert.equal(isCertifiedBy(localKey(other.privateKey), certificate), false);
  });
});
