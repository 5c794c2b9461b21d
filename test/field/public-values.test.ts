// Public values are shown where they help: how far a clock is off and whose, the unknown serial number, whose certificate it is, where a socket should be.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { callSidecar } from '../../src/cli/call-sidecar.ts';
import { readPrivateKey } from '../../src/crypto/containers.ts';
import { rsaPkcs1, rsaPss } from '../../src/crypto/suites.ts';
import { assertFresh } from '../../src/providers/shared/freshness.ts';
import { wechatpay } from '../../src/providers/wechatpay/provider.ts';
import { listenOnSocket } from '../../src/server/socket.ts';
import { makeRestResponse } from '../../src/testing/index.ts';
import { makeNotification } from '../../src/testing/wechatpay-message.ts';
import * as alipay from '../support/alipay.ts';
import { paycert } from '../support/paycert.ts';
import { makeDirectory, makeMaterial, merchantId } from '../support/sidecar.ts';

const now = new Date('2026-03-01T12:00:00Z');
const seconds = now.getTime() / 1000;

/** A merchant, and a notification that is signed for it. */
async function receive() {
  const material = await makeMaterial();
  const { operations } = await wechatpay({ merchantId }).load(material.files);
  const { apiV3Key } = material;
  const notification = makeNotification({ platformKey: material.platformKeys[0]!, now, apiV3Key, resource: {} });
  return { material, operations, ...notification };
}

/** Root may open any file: as a user who may not, where this is root. */
async function asNobody(work: () => Promise<void>): Promise<void> {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    await work();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

describe('a time outside the window', () => {
  for (const [title, text, unit, message] of [
    [
      'behind',
      String(seconds - 25 * 60),
      'seconds',
      /is 25 minutes behind this machine’s clock; five minutes are allowed/,
    ],
    ['ahead', String(seconds + 8 * 3600), 'seconds', /is 8 hours ahead of this machine’s clock/],
    ['of another day', String(seconds - 30 * 86_400), 'seconds', /is 30 days behind/],
    ['just outside', String(seconds - 301), 'seconds', /is 5 minutes behind/],
    ['in milliseconds', String(now.getTime()), 'seconds', /is in milliseconds, and is signed in seconds/],
    ['in seconds', String(seconds), 'milliseconds', /is in seconds, and is signed in milliseconds/],
    ['that is none', 'secret', 'seconds', /^the timestamp is not a number of seconds$/],
  ] as const)
    it(`is named with its offset and direction: ${title}`, () => {
      assert.throws(() => assertFresh(text, now, 'timestamp', unit), { code: 'timestamp-outside-window', message });
    });
});

describe('a key of another kind than the platform takes', () => {
  const pss = (options: object) => generateKeyPairSync('rsa-pss', { modulusLength: 2048, ...options }).publicKey;

  for (const [what, suite, key, message] of [
    ['EC', rsaPkcs1, generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey, /of type EC-P-256, not RSA$/],
    ['EC', rsaPss, generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).publicKey, /of type EC-P-384, not RSA$/],
    ['of a rare curve', rsaPkcs1, generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey, /EC-secp256k1, not RSA$/],
    ['Edwards', rsaPkcs1, generateKeyPairSync('ed25519').publicKey, /of type ED25519, not RSA$/],
    ['short', rsaPkcs1, generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey, /an RSA key of 1024 bits$/],
    ['bound', rsaPss, pss({ hashAlgorithm: 'sha512', mgf1HashAlgorithm: 'sha384', saltLength: 64 }), /bound to PSS with sha512, MGF1 with sha384 and a salt of 64 bytes/],
    ['bound', rsaPkcs1, pss({}), /of type RSA-PSS-2048, not RSA$/],
  ] as const)
    it(`is named with its curve, length or parameters: ${what} ${String(message)}`, () => {
      assert.match(suite.check(key, 'key.pem')[0]?.message ?? '', message);
    });

  it('of which only the parameters were copied is named, and the block that is missing', () => {
    const parameters = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';
    const message = 'key.pem names a curve and holds no private key: copy its EC PRIVATE KEY block too';
    assert.throws(() => readPrivateKey(Buffer.from(parameters), 'key.pem'), { code: 'private-key-malformed', message });
    const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'sec1', format: 'pem' });
    assert.equal(readPrivateKey(Buffer.from(`${parameters}${String(pem)}`), 'key.pem').asymmetricKeyType, 'ec');
  });
}); // prettier-ignore

describe('a time in another unit than the platform’s', () => {
  const hint = /and the unit of the time/;

  it('is named in what WeChat Pay signs in seconds: a header that was written in milliseconds', async () => {
    const { operations, headers, body } = await receive();
    const changed = { ...headers, 'Wechatpay-Timestamp': String(now.getTime()) };
    for (const kind of ['notification', 'response'] as const)
      await assert.rejects(operations.verify!({ kind, headers: changed, body }, now), {
        code: 'timestamp-outside-window',
        field: 'Wechatpay-Timestamp'.toLowerCase(),
        message: 'the timestamp is in milliseconds, and is signed in seconds',
        hint,
      });
  });

  it('is named in what Alipay signs in milliseconds: a header that was written in seconds', async () => {
    const material = await alipay.makeMaterial();
    const { verify } = await alipay.loadFit(material.files);
    const body = Buffer.from('{}');
    const { headers } = makeRestResponse(body, { alipayKey: material.alipayKeys[0]!, now: alipay.now });
    const changed = { ...headers, 'alipay-timestamp': String(alipay.now.getTime() / 1000) };
    await assert.rejects(verify({ kind: 'response', headers: changed, body }, alipay.now), {
      code: 'timestamp-outside-window',
      field: 'alipay-timestamp',
      message: 'the timestamp is in seconds, and is signed in milliseconds',
      hint,
    });
  });

  it('is named whatever else is wrong: an old message has its offset, and in the other unit that unit', async () => {
    const { operations, headers, body } = await receive();
    const old = { ...headers, 'Wechatpay-Timestamp': String(seconds - 3600) };
    await assert.rejects(operations.verify!({ kind: 'notification', headers: old, body }, now), {
      message: /^the timestamp is 60 minutes behind this machine’s clock/,
    });
    const oldInMilliseconds = { ...headers, 'Wechatpay-Timestamp': String(now.getTime() - 3_600_000) };
    await assert.rejects(operations.verify!({ kind: 'notification', headers: oldInMilliseconds, body }, now), {
      message: 'the timestamp is in milliseconds, and is signed in seconds',
    });
    const reset = new Date('1970-01-01T00:10:00Z');
    await assert.rejects(operations.verify!({ kind: 'notification', headers, body }, reset), {
      message: /^the timestamp is \d+ days ahead of this machine’s clock/,
    });
  });
});

describe('what names a key or a merchant', () => {
  it('is shown when it is unknown and has the published form, and otherwise is not', async () => {
    const { material, operations, headers, body } = await receive();
    const verify = (serial: string) =>
      operations.verify!({ kind: 'notification', headers: { ...headers, 'Wechatpay-Serial': serial }, body }, now);
    const unknown = '5157F09EFDC096DE15EBE81A47057A7232F1B8E1';
    await assert.rejects(verify(unknown), { code: 'key-id-unknown', message: new RegExp(`: ${unknown}$`) });
    for (const other of ['x'.repeat(32), 'a'.repeat(32), material.apiV3Key])
      await assert.rejects(verify(other), { code: 'key-id-unknown', message: /names$/ });
  });

  it('is shown of a certificate that is another merchant’s', async () => {
    const { files } = await makeMaterial(0, '1900000099');
    const { set } = await wechatpay({ merchantId }).load(files);
    const found = set.problems.find(({ code }) => code === 'merchant-mismatch');
    assert.match(found?.message ?? '', /is the certificate of merchant 1900000099, and `merchantId` is 1900000001$/);
  });
});

describe('a socket', () => {
  it('names the directory that is missing', async (t) => {
    const path = join(await makeDirectory(t), 'gone', 'api.sock');
    await assert.rejects(
      listenOnSocket(path, () => undefined),
      {
        code: 'listener-unusable',
        message: /the directory \S+\/gone does not exist: create it, or mount a volume there/,
      },
    );
    const { stderr } = await paycert(['status', '--socket', path]);
    assert.match(stderr, /ENOENT: there is no directory \S+\/gone/);
  });

  it('names the group that a caller must join, and who the caller is', async (t) => {
    const directory = await makeDirectory(t);
    await chmod(directory, 0o755);
    const path = join(directory, 'api.sock');
    const socket = await listenOnSocket(path, () => undefined);
    t.after(() => socket.close());
    await chmod(path, 0o000);
    const message = /EACCES: the caller must be in group \d+, or be uid \d+; this is uid \d+, in groups [\d, ]+/;
    await asNobody(() =>
      assert.rejects(callSidecar({ socket: path }, 'GET', '/statusz'), { code: 'sidecar-unreachable', message }),
    );
  });
});

describe('a signature that was decoded once too often', () => {
  it('is recognised by the blanks where + stood', async () => {
    const { operations, headers, body } = await receive();
    const signature = `a b${headers['Wechatpay-Signature']!.slice(3)}`;
    const received = { kind: 'notification', headers: { ...headers, 'Wechatpay-Signature': signature }, body } as const;
    await assert.rejects(operations.verify!(received, now), {
      code: 'signature-invalid',
      message: /has blanks where \+ stood: it was percent-decoded once too often/,
    });
  });
});
