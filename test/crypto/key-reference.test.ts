// A key reference names one version of a key and nothing else: whatever a writer of a Secret puts there, no address comes of it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isKeyReference, readKeyReference } from '../../src/crypto/key-reference.ts';
import {
  type AliyunReference,
  type AwsReference,
  textOfAliyunReference,
  textOfAwsReference,
} from '../../src/crypto/cloud-reference.ts';
import { textOfTokenReference, type TokenReference } from '../../src/crypto/token-reference.ts';
import { textOfTransitReference, type TransitReference } from '../../src/crypto/transit-reference.ts';
import { PaycertError } from '../../src/errors.ts';

const read = (text: string) => readKeyReference(Buffer.from(text), 'apiclient_key.pem');

describe('a key reference', () => {
  it('names a service, a key and one of its versions', () => {
    const reference = { service: 'hashivault', key: 'pay-2026.main', version: 12 };
    assert.deepEqual(read('hashivault://pay-2026.main?version=12'), reference);
    assert.equal(
      textOfTransitReference(read('hashivault://pay?version=3') as TransitReference),
      'hashivault://pay?version=3',
    );
  });

  it('is read as people paste it: with a byte order mark, blanks and line ends around it, before a certificate', () => {
    for (const text of [
      '\ufeffhashivault://a?version=1\n',
      '  hashivault://a?version=1\r\n',
      'hashivault://a?version=1\n-----BEGIN CERTIFICATE-----\n',
    ])
      assert.deepEqual(read(text), { service: 'hashivault', key: 'a', version: 1 });
  });

  for (const [what, text] of [
    ['a host', 'hashivault://vault.example:8200/pay?version=1'],
    ['a host without a port', 'hashivault://vault.example/pay?version=1'],
    ['a path', 'hashivault:///sys/raw/pay?version=1'],
    ['a user', 'hashivault://root@pay?version=1'],
    ['the host of a cloud', 'awskms://kms.evil.example/alias/pay'],
    ['a host and a port', 'awskms://127.0.0.1:8080/alias/pay'],
    ['another endpoint', 'aliyunkms://kms.cn-hangzhou.aliyuncs.com/key-1/v-1'],
    ['a path below a version', 'aliyunkms://key-1/v-1/x'],
    ['a user of a cloud', 'aliyunkms://a@key-1/v-1'],
    ['module-path', 'pkcs11:token=pay;object=merchant?module-path=/tmp/evil.so'],
    ['module-name', 'pkcs11:object=merchant;module-name=evil'],
    ['pin-value', 'pkcs11:object=merchant?pin-value=1234'],
    ['pin-source', 'hashivault://pay?version=1&pin-source=file:/etc/shadow'],
  ] as const)
    it(`that says ${what} is refused`, () => {
      assert.throws(() => read(text), { code: 'key-reference-refused', field: 'apiclient_key.pem' });
    });

  it('beside another one is refused: it is not for us to choose', () => {
    for (const text of [
      'hashivault://a?version=1\nhashivault://b?version=2\n',
      'pkcs11:token=pay;object=a\r\n\r\n  awskms:///alias/pay',
      `hashivault://a?version=1\n-----BEGIN CERTIFICATE-----\n${'A'.repeat(2000)}\n-----END CERTIFICATE-----\nhashivault://b?version=2\n`,
    ])
      assert.throws(
        () => read(text),
        { code: 'key-reference-malformed', message: /has more than one reference/ },
        text,
      );
  });

  it('without a version is refused, with the line to write: another would sign after a restart', () => {
    assert.throws(() => read('hashivault://pay'), {
      code: 'key-reference-malformed',
      message: /hashivault:\/\/pay\?version=3$/,
    });
  });

  it('of a service that is not built, without a key, or with another query is refused by its name', () => {
    assert.throws(() => read('AWSKMS:///alias/pay'), {
      code: 'key-reference-malformed',
      message: /AWSKMS.*small letters/,
    });
    for (const text of [
      'hashivault://',
      'hashivault://?version=1',
      'hashivault://pay?version=0',
      'hashivault://pay?version=latest',
      'hashivault://pay?version=1&ttl=1',
    ])
      assert.throws(() => read(text), { code: 'key-reference-malformed' }, text);
  });

  it('is no PEM, no DER, no address of another scheme, and no line that is not the first', () => {
    for (const text of [
      '-----BEGIN PRIVATE KEY-----\nhashivault://a?version=1',
      'https://vault.example/pay',
      '',
      'x hashivault://a',
    ])
      assert.equal(isKeyReference(Buffer.from(text)), false, text);
    assert.equal(isKeyReference(Buffer.of(0x30, 0x82, 0x04, 0xa4)), false);
  });

  it('of any text names a key that is one part of a path, or is refused', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (rest) => {
        try {
          const { key, version } = read(`hashivault://${rest}`) as TransitReference;
          assert.ok(encodeURIComponent(key) === key && !key.startsWith('.') && Number.isSafeInteger(version));
        } catch (error) {
          assert.ok(error instanceof PaycertError && error.code.startsWith('key-reference-'));
        }
      }),
    );
  });
});

describe('a reference to a key in a token', () => {
  it('names it by its label, its id, or both, and prints as RFC 7512 has it', () => {
    for (const [text, reference] of [
      ['pkcs11:token=pay;object=merchant', { token: 'pay', object: 'merchant' }],
      ['pkcs11:id=%A1;token=pay', { token: 'pay', id: 'a1' }],
      ['pkcs11:token=pay;id=%a1b;object=m;type=private', { token: 'pay', object: 'm', id: 'a162' }],
      ['pkcs11:token=%E6%94%AF%20pay;object=a%3Bb', { token: '支 pay', object: 'a;b' }],
    ] as const) {
      assert.deepEqual(read(text), { service: 'pkcs11', ...reference });
      const printed = textOfTokenReference(read(text) as TokenReference);
      assert.deepEqual(read(printed), read(text), printed);
    }
  });

  it('without a token, without a key, or with anything else is refused, with the form to write', () => {
    for (const text of [
      'pkcs11:',
      'pkcs11:object=merchant',
      'pkcs11:token=pay',
      'pkcs11:token=;object=merchant',
      'pkcs11:token=pay;object=a;object=b',
      'pkcs11:token=pay;object=a;slot-id=1',
      'pkcs11:token=pay;object=a;type=cert',
      'pkcs11:token=pay;object=a/b',
      'pkcs11:token=pay;object=%',
      'pkcs11:token=pay;object=%00',
      'pkcs11:token=pay;object=%ff',
      'pkcs11:token=pay;object=merchant?x=1',
      `pkcs11:token=${'t'.repeat(33)};object=merchant`,
      `pkcs11:token=pay;id=${'a'.repeat(256)}`,
    ])
      assert.throws(
        () => read(text),
        { code: 'key-reference-malformed', message: /; write it as in pkcs11:token=pay;object=merchant$/ },
        text,
      );
  });

  it('has an article that fits what is wrong', () => {
    assert.throws(() => read('pkcs11:token=pay;object='), { message: /has an object that is empty/ });
    assert.throws(() => read('pkcs11:token=;object=a'), { message: /has a token that is empty/ });
    assert.throws(() => read('pkcs11:token=pay;object=%00'), { message: /has an object that is no label/ });
  });

  it('of any text names a token and a key by what a token can hold, or is refused', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (rest) => {
        try {
          const { token, object, id } = read(`pkcs11:token=pay;object=${rest}`) as TokenReference;
          assert.ok(Buffer.byteLength(token) <= 32 && (object ?? id ?? '') !== '');
        } catch (error) {
          assert.ok(error instanceof PaycertError && error.code.startsWith('key-reference-'));
        }
      }),
    );
  });
});

describe('a reference to a key of a cloud', () => {
  const id = '1234abcd-12ab-34cd-56ef-1234567890ab';

  it('names a key of AWS KMS by its id, its alias, or the ARN of either', () => {
    for (const key of [
      id,
      'mrk-1234abcd12ab34cd56ef1234567890ab',
      'alias/pay',
      'alias/team/pay_2026',
      `arn:aws:kms:us-east-2:111122223333:key/${id}`,
      'arn:aws-cn:kms:cn-north-1:111122223333:alias/pay',
    ]) {
      assert.deepEqual(read(`awskms:///${key}`), { service: 'awskms', key });
      assert.equal(textOfAwsReference(read(`awskms:///${key}`) as AwsReference), `awskms:///${key}`);
    }
  });

  it('names one version of a key of Aliyun KMS', () => {
    const reference = { service: 'aliyunkms', key: 'key-hzz62f1cb66fa42qo1234', version: id };
    const text = `aliyunkms://key-hzz62f1cb66fa42qo1234/${id}`;
    assert.deepEqual(read(text), reference);
    assert.equal(textOfAliyunReference(read(text) as AliyunReference), text);
  });

  it('that is anything else is refused, with the form to write', () => {
    for (const text of [
      'awskms:',
      'awskms:alias/pay',
      'awskms:///',
      'awskms:///pay',
      'awskms:///alias/',
      `awskms:///${id}?region=us-east-1`,
      'awskms:///arn:aws:s3:::bucket',
      `awskms:////${id}`,
      `awskms:///../${id}`,
    ])
      assert.throws(() => read(text), { code: 'key-reference-malformed', message: /awskms:\/\/\/ID/ }, text);
    assert.throws(() => read('aliyunkms://key-1'), { message: /which version .* aliyunkms:\/\/key-1\/VERSION$/ });
    for (const text of [
      'aliyunkms:',
      'aliyunkms:///v',
      'aliyunkms://key-1/',
      'aliyunkms://key 1/v',
      'aliyunkms://k/v?x=1',
    ])
      assert.throws(() => read(text), { code: 'key-reference-malformed', message: /aliyunkms:\/\// }, text);
  });

  it('of any text names a key that is no address, or is refused', () => {
    fc.assert(
      fc.property(fc.constantFrom('awskms:///', 'aliyunkms://'), fc.string({ unit: 'binary' }), (start, rest) => {
        try {
          const { key } = read(`${start}${rest}`) as AwsReference | AliyunReference;
          assert.match(key, /^[\w:/-]+$/);
          assert.doesNotMatch(key, /\/\/|\.\./);
        } catch (error) {
          assert.ok(error instanceof PaycertError && error.code.startsWith('key-reference-'));
        }
      }),
    );
  });
});
