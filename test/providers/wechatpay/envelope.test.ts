// Envelopes that WeChat Pay encrypts open with the APIv3 key; what is no envelope is refused, and nothing throws.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { aesKey } from '../../../src/crypto/cipher.ts';
import { openCertificates, openResource, readEnvelope } from '../../../src/providers/wechatpay/envelope.ts';
import { readPlaintext } from '../../../src/providers/shared/plaintext.ts';
import { encryptResource } from '../../../src/testing/index.ts';
import { refusal } from '../../support/wechatpay.ts';

const apiV3Key = '0123456789abcdefghijklmnopqrstuv';
const key = aesKey(Buffer.from(apiV3Key));
const otherKey = aesKey(Buffer.from(apiV3Key.toUpperCase()));
const resource = encryptResource('{"out_trade_no":"1"}', { apiV3Key, associatedData: 'transaction' });
const opened = { ...resource, associatedData: 'transaction' };
const envelope = { id: 'EV-1', event_type: 'TRANSACTION.SUCCESS', resource };
const bytes = (value: unknown): Buffer => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));

describe('a resource', () => {
  it('opens with the key that encrypted it, and with no other', () => {
    assert.equal(openResource(key, opened)?.toString(), '{"out_trade_no":"1"}');
    assert.equal(openResource(otherKey, opened), undefined);
  });

  it('of any text, in any script, comes back as it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (text, associatedData) => {
        const sealed = encryptResource(text, { apiV3Key, associatedData });
        assert.equal(openResource(key, { ...sealed, associatedData })?.toString(), Buffer.from(text).toString());
      }),
    );
  });

  it('with a nonce of another length, or no base64, opens to nothing', () => {
    for (const nonce of ['', 'short', `${opened.nonce}x`, '中文中文中文中文中文中文']) {
      assert.equal(openResource(key, { ...opened, nonce }), undefined);
    }
    for (const ciphertext of ['', '!', 'AAAA', opened.ciphertext.slice(4), `A${opened.ciphertext}`]) {
      assert.equal(openResource(key, { ...opened, ciphertext }), undefined);
    }
  });
});

describe('a notification', () => {
  it('is read with its id, type and resource; associated data may be missing', () => {
    const { associated_data, ...bare } = resource;
    assert.deepEqual(readEnvelope(bytes(envelope)), {
      id: 'EV-1',
      eventType: 'TRANSACTION.SUCCESS',
      resource: {
        algorithm: resource.algorithm,
        ciphertext: resource.ciphertext,
        nonce: resource.nonce,
        associatedData: associated_data,
      },
    });
    assert.equal(readEnvelope(bytes({ ...envelope, resource: bare })).resource.associatedData, '');
  });

  it('that is anything else is notification-malformed', () => {
    const cases: unknown[] = [
      '',
      'not json',
      'null',
      '[]',
      {},
      { ...envelope, id: 1 },
      { ...envelope, event_type: undefined },
      { ...envelope, resource: null },
      { ...envelope, resource: [resource] },
      { ...envelope, resource: { ...resource, nonce: 12 } },
      { ...envelope, resource: { ...resource, associated_data: null } },
      { ...envelope, resource: { ...resource, ciphertext: undefined } },
    ];
    for (const value of cases) assert.throws(() => readEnvelope(bytes(value)), refusal('notification-malformed'));
  });

  it('of any JSON is read or refused with our own error', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        try {
          readEnvelope(bytes({ ...envelope, resource: value }));
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'notification-malformed');
        }
      }),
    );
  });

  it('holds a resource that is parsed where it is JSON and text otherwise', () => {
    assert.deepEqual(readPlaintext(bytes('{"a":[1]}')), { a: [1] });
    assert.equal(readPlaintext(bytes('plain 文字')), 'plain 文字');
  });

  it('holds a resource that stays text where it is nested too deeply to be written again', () => {
    const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
    assert.equal(readPlaintext(bytes(nested(20_000))), nested(20_000));
    assert.equal(JSON.stringify(readPlaintext(bytes(nested(100)))), nested(100));
  });
});

describe('a saved list of certificates', () => {
  const entry = (text: string, withKey = apiV3Key) => ({
    serial_no: '5A',
    encrypt_certificate: encryptResource(text, { apiV3Key: withKey, associatedData: 'certificate' }),
  });

  it('opens to every certificate in it', () => {
    assert.deepEqual(openCertificates(JSON.stringify({ data: [entry('one'), entry('two')] }), key), ['one', 'two']);
  });

  it('opens to nothing when one entry does not open, or when there is none', () => {
    const mixed = { data: [entry('one'), entry('two', apiV3Key.toUpperCase())] };
    const answers = [
      mixed,
      { data: [] },
      { data: {} },
      { data: [null] },
      { data: [{ serial_no: '5A' }] },
      {},
      [],
      null,
      '',
    ];
    for (const answer of answers) assert.equal(openCertificates(JSON.stringify(answer), key), undefined);
    assert.equal(openCertificates('<html>', key), undefined);
  });
});
