// What a context accepts: answers, notifications and ciphertexts that the platform made, and nothing that it did not.
import assert from 'node:assert/strict';
import { createHash, sign } from 'node:crypto';
import { describe, it } from 'node:test';
import type { Received } from '../../../src/providers/provider.ts';
import { VerifiedNotification } from '../../../src/providers/verified.ts';
import {
  encryptField,
  encryptResource,
  generateKeyPair,
  makeNotification,
  makeProbe,
  type PlatformKey,
  rotateApiV3Key,
  signMessage,
  toPkcs8Pem,
} from '../../../src/testing/index.ts';
import { later, loadFit, makeMaterial, merchantId, now, refusal, withFiles } from '../../support/wechatpay.ts';
import { verified } from '../../support/verified.ts';

const material = rotateApiV3Key(await makeMaterial({ publicKey: true }));
const { files, merchant, authority, apiV3Key } = material;
const previousApiV3Key = material.previousApiV3Key!;
const [old, young, publicKey] = material.platformKeys as [PlatformKey, PlatformKey, PlatformKey];
const context = await loadFit(files);
const body = Buffer.from('{"name":"张三","path":"a\\/b"}');

const response = (
  message = signMessage(body, { platformKey: young, now }),
  more: { url?: string; status?: number } = {},
) => ({ kind: 'response', ...message, ...more }) as const satisfies Received;
const unsigned = (status: number, url?: string): Received => ({
  kind: 'response',
  headers: {},
  body,
  status,
  ...(url !== undefined && { url }),
});

describe('verify', () => {
  it('accepts what any platform key signed, old, young or public, and names it', async () => {
    for (const platformKey of [old, young, publicKey]) {
      for (const content of [body, Buffer.alloc(0)]) {
        const { keyId } = await context.verify(response(signMessage(content, { platformKey, now })), now);
        assert.equal(keyId, platformKey.keyId);
      }
    }
  });

  it('finds the key whatever the form of its serial number', async () => {
    const { headers } = response();
    const spelt = { ...headers, 'Wechatpay-Serial': `00${young.keyId.toLowerCase()}` };
    assert.equal((await context.verify({ ...response(), headers: spelt }, now)).keyId, young.keyId);
  });

  it('refuses another body, nonce, time, key or signature', async () => {
    const message = response();
    const change = (name: string, value: string): Received => ({
      ...message,
      headers: { ...message.headers, [name]: value },
    });
    const changed: Received[] = [
      { ...message, body: Buffer.from(JSON.stringify(JSON.parse(body.toString()))) },
      change('Wechatpay-Nonce', 'x'),
      change('Wechatpay-Timestamp', String(now.getTime() / 1000 + 1)),
      change('Wechatpay-Serial', old.keyId),
      change('Wechatpay-Signature', 'AAAA'),
      change('Wechatpay-Signature', '!'),
    ];
    for (const received of changed) await assert.rejects(context.verify(received, now), refusal('signature-invalid'));
  });

  it('refuses an unknown id, also one that is nearly a public key’s', async () => {
    for (const keyId of ['5A', publicKey.keyId.toLowerCase(), `${publicKey.keyId}0`]) {
      const message = signMessage(body, { platformKey: { ...publicKey, keyId }, now });
      await assert.rejects(context.verify(response(message), now), refusal('key-id-unknown'), keyId);
    }
  });

  it('refuses what an expired certificate signed, and says when no key is left', async () => {
    const { notAfter } = old.issued!;
    const certificates = await loadFit(withFiles(files, { 'pub_key.pem': undefined, pub_key_id: undefined }));
    const at = (time: Date, platformKey: PlatformKey) => response(signMessage(body, { platformKey, now: time }));
    await assert.rejects(certificates.verify(at(notAfter, old), notAfter), refusal('key-id-unknown'));
    assert.ok(await certificates.verify(at(notAfter, young), notAfter));
    const end = young.issued!.notAfter;
    await assert.rejects(certificates.verify(at(end, young), end), refusal('no-platform-key'));
  });

  it('is good for 300 seconds either way, inclusive', async () => {
    for (const offset of [-300_000, 300_000]) assert.ok(await context.verify(response(), later(offset)));
    for (const offset of [-301_000, 301_000]) {
      await assert.rejects(context.verify(response(), later(offset)), refusal('timestamp-outside-window'));
    }
  });

  it('refuses a probe as a probe, in answers and notifications, before it looks at key or time', async () => {
    const probe = makeProbe(signMessage(body, { platformKey: { ...young, keyId: '5A' }, now: later(-999_000) }));
    for (const kind of ['response', 'notification'] as const) {
      await assert.rejects(context.verify({ kind, ...probe }, now), refusal('signature-probe'));
    }
  });

  it('takes a success without signature headers for forged, and says which header is missing', async () => {
    await assert.rejects(context.verify(unsigned(200), now), {
      ...refusal('signature-missing'),
      field: 'wechatpay-timestamp',
    });
    await assert.rejects(context.verify({ kind: 'response', headers: {}, body }, now), refusal('signature-missing'));
    const upload = unsigned(200, '/v3/merchant-service/images/upload');
    await assert.rejects(context.verify(upload, now), refusal('signature-missing'));
  });

  it('takes an unsigned error or download for neither proof nor forgery', async () => {
    for (const received of [unsigned(400), unsigned(500), unsigned(200, '/v3/billdownload/file?token=x')]) {
      await assert.rejects(context.verify(received, now), refusal('response-unsigned'));
    }
    const notification: Received = { kind: 'notification', headers: {}, body, status: 500 };
    await assert.rejects(context.verify(notification, now), refusal('signature-missing'));
  });

  it('refuses what WeChat Pay never sends, and an answer without headers, by the name of the member', async () => {
    const back: Received = { ...response(), kind: 'return' };
    await assert.rejects(context.verify(back, now), { ...refusal('request-invalid'), field: 'kind' });
    const named: Received = { ...response(), apiMethod: 'alipay.trade.query' };
    await assert.rejects(context.verify(named, now), { ...refusal('request-invalid'), field: 'apiMethod' });
    const bare: Received = { kind: 'notification', body };
    await assert.rejects(context.verify(bare, now), { ...refusal('request-invalid'), field: 'headers' });
  });

  it('verifies an error that is signed', async () => {
    assert.ok(await context.verify(response(undefined, { status: 400 }), now));
    const forged = { ...response(undefined, { status: 400 }), body: Buffer.from('{}') };
    await assert.rejects(context.verify(forged, now), refusal('signature-invalid'));
  });

  it('verifies an overseas statement by the hash that is signed in its place', async () => {
    const sha1 = createHash('sha1').update(body).digest('hex');
    const { headers } = signMessage(Buffer.from(`{"sha1":"${sha1}"}`), { platformKey: young, now });
    const statement = { kind: 'response', headers: { ...headers, 'Wechatpay-Statement-Sha1': sha1 }, body } as const;
    assert.ok(await context.verify(statement, now));
    await assert.rejects(
      context.verify({ ...statement, body: Buffer.from('other') }, now),
      refusal('signature-invalid'),
    );
  });

  it('verifies a bare message with the key named', async () => {
    const signature = sign('sha256', body, publicKey.privateKey).toString('base64');
    const message = { kind: 'message', message: body, signature, keyId: publicKey.keyId } as const;
    assert.deepEqual(await context.verify(message, now), { keyId: publicKey.keyId });
    await assert.rejects(context.verify({ ...message, keyId: young.keyId }, now), refusal('signature-invalid'));
  });
});

describe('decrypt', () => {
  const seal = (key: string) => {
    const { associated_data: associatedData, ...rest } = encryptResource('text', {
      apiV3Key: key,
      associatedData: 'transaction',
    });
    return { ...rest, associatedData };
  };

  it('opens with the current APIv3 key, then with the previous one, and tells which', async () => {
    const current = await context.decrypt(seal(apiV3Key));
    assert.deepEqual([Buffer.from(current.plaintext).toString(), current.role], ['text', 'apiv3']);
    const previous = await context.decrypt(seal(previousApiV3Key));
    assert.equal(previous.role, 'apiv3-previous');
    assert.notEqual(previous.keyId, current.keyId);
  });

  it('opens fields with the merchant key, then with retired ones', async () => {
    const pairs = await Promise.all([generateKeyPair(), generateKeyPair()]);
    const issued = await authority.issue({ ...merchant, commonName: merchantId, keyPair: pairs[0] });
    const { decrypt, keys } = await loadFit(
      withFiles(files, {
        'retired/a.pem': toPkcs8Pem(pairs[0].privateKey) + issued.certificate,
        'retired/b.pem': toPkcs8Pem(pairs[1].privateKey),
      }),
    );
    const open = async (key: typeof merchant.publicKey) => {
      const { plaintext, keyId, role } = await decrypt({ ciphertext: encryptField(key, '张三') });
      assert.equal(Buffer.from(plaintext).toString(), '张三');
      return { keyId, role };
    };
    assert.deepEqual(await open(merchant.publicKey), { keyId: merchant.serialNumber, role: 'merchant' });
    assert.deepEqual(await open(pairs[0].publicKey), { keyId: issued.serialNumber, role: 'merchant-retired' });
    assert.equal((await open(pairs[1].publicKey)).role, 'merchant-retired');
    assert.equal(keys.filter(({ role }) => role === 'merchant-retired').length, 2);
  });

  it('fails with one code and one message, whatever is wrong', async () => {
    const good = seal(apiV3Key);
    const inputs = [
      seal('x'.repeat(32)),
      { ...good, associatedData: '' },
      { ...good, nonce: 'short' },
      { ...good, nonce: '' },
      { ...good, ciphertext: '' },
      { ...good, ciphertext: 'AAAA' },
      { ciphertext: encryptField(young.publicKey, 'x') },
      { ciphertext: '' },
      { ciphertext: 'AAAA' },
    ];
    for (const input of inputs) {
      await assert.rejects(context.decrypt(input), {
        ...refusal('decryption-failed'),
        message: 'the ciphertext cannot be opened with any key that is loaded',
      });
    }
  });

  it('refuses another algorithm as the caller’s mistake, and has nothing to open with without a key', async () => {
    await assert.rejects(context.decrypt({ ...seal(apiV3Key), algorithm: 'AEAD_SM4_GCM' }), refusal('request-invalid'));
    const { decrypt } = await loadFit(withFiles(files, { apiv3_key: undefined, 'apiv3_key.previous': undefined }));
    await assert.rejects(decrypt(seal(apiV3Key)), refusal('no-apiv3-key'));
  });
});

describe('openNotification', () => {
  const make = (resource: unknown, key = apiV3Key) =>
    makeNotification({ platformKey: young, now, apiV3Key: key, resource, id: 'EV-1' });

  it('opens what verify has accepted, with the current or the previous key', async () => {
    for (const [key, role] of [
      [apiV3Key, 'apiv3'],
      [previousApiV3Key, 'apiv3-previous'],
    ] as const) {
      const message = make({ out_trade_no: '1', attach: '中文' }, key);
      const received = { kind: 'notification', ...message } as const;
      const notification = await VerifiedNotification.from(context.verify, received, now);
      assert.deepEqual(await context.openNotification(notification), {
        id: 'EV-1',
        eventType: 'TRANSACTION.SUCCESS',
        resource: { out_trade_no: '1', attach: '中文' },
        keyId: young.keyId,
        role,
      });
    }
  });

  it('tells a resource it cannot open from a body that is no notification', async () => {
    const foreign = make({}, 'y'.repeat(32));
    await assert.rejects(verified(foreign.body).then(context.openNotification), refusal('decryption-failed'));
    const sm4 = Buffer.from(Buffer.from(make({}).body).toString().replace('AEAD_AES_256_GCM', 'AEAD_SM4_GCM'));
    for (const content of [body, sm4]) {
      await assert.rejects(verified(content).then(context.openNotification), refusal('notification-malformed'));
    }
  });
});
