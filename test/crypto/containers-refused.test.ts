// Each way to put the wrong thing into a file has its own code, and no message shows what the file holds.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readCertificates, readPrivateKey, readPublicKey } from '../../src/crypto/containers.ts';
import { PaycertError } from '../../src/errors.ts';
import { createAuthority, generateKeyPair, toPkcs1Pem, toPkcs8Pem, toSpkiPem } from '../../src/testing/index.ts';

const now = new Date('2026-03-01T00:00:00Z');
const keyPair = await generateKeyPair();
const { privateKey, publicKey } = keyPair;
const { certificate } = await createAuthority({ now, keyPair });

const pkcs8 = toPkcs8Pem(privateKey);
const spki = toSpkiPem(publicKey);
const passphrase = 'canary-passphrase';
const encrypted = privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }).toString();
const encryptedDer = privateKey.export({ type: 'pkcs8', format: 'der', cipher: 'aes-256-cbc', passphrase });
const legacy = privateKey.export({ type: 'pkcs1', format: 'pem', cipher: 'aes-256-cbc', passphrase }).toString();
const relabel = (pem: string, label: string): string =>
  pem.replace(/(BEGIN|END) .*?-----/g, (_, word) => `${String(word)} ${label}-----`);
const half = (text: string): string => text.slice(0, text.length / 2);
const damage = (pem: string): string => pem.replace(/(?<=-----\n).{40}/, 'A'.repeat(40));
const base64 = (der: Uint8Array): string => Buffer.from(der).toString('base64');

type Reader = (bytes: Uint8Array, field: string) => unknown;

function refuses(read: Reader, content: string | Uint8Array, code: string): void {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const error = catching(() => read(bytes, 'the_file'));
  assert.equal(error.code, code);
  assert.equal(error.field, 'the_file');
  assert.ok(error.message.startsWith('the_file '));
}

function catching(attempt: () => unknown): PaycertError {
  try {
    attempt();
  } catch (error) {
    assert.ok(error instanceof PaycertError, String(error));
    return error;
  }
  return assert.fail('nothing was thrown');
}

describe('in place of a private key', () => {
  const cases: readonly [what: string, content: string | Uint8Array, code: string][] = [
    ['an empty file', '', 'part-empty'],
    ['a file of white space', ' \n', 'part-empty'],
    ['white space', '\ufeff \r\n', 'part-empty'],
    ['a sentence', 'Ask Zhang San for the key, please.', 'pem-malformed'],
    ['a truncated PEM file', half(pkcs8), 'pem-malformed'],
    ['a BEGIN line alone', '-----BEGIN PRIVATE KEY', 'pem-malformed'],
    ['PEM with other text inside', pkcs8.replace('\n', '\n...\n'), 'pem-malformed'],
    ['PEM without content', '-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----', 'pem-malformed'],
    ['damaged PEM', damage(pkcs8), 'private-key-malformed'],
    ['truncated DER', privateKey.export({ type: 'pkcs1', format: 'der' }).subarray(0, 500), 'private-key-malformed'],
    ['base64 of something else', base64(Buffer.from('no key at all')), 'private-key-malformed'],
    ['an encrypted PKCS#8 key', encrypted, 'private-key-encrypted'],
    ['an encrypted PKCS#8 key on one line', encrypted.replaceAll('\n', ''), 'private-key-encrypted'],
    ['an encrypted PKCS#8 key under a plain label', relabel(encrypted, 'PRIVATE KEY'), 'private-key-encrypted'],
    ['an encrypted PKCS#1 key', legacy, 'private-key-encrypted'],
    ['an encrypted PKCS#1 key with literal line ends', legacy.replaceAll('\n', '\\n'), 'private-key-encrypted'],
    ['bare base64 of an encrypted key', base64(encryptedDer), 'private-key-encrypted'],
    ['DER of an encrypted key', encryptedDer, 'private-key-encrypted'],
    ['a public key', spki, 'private-key-is-public'],
    ['a public key under the label of a private one', relabel(spki, 'PRIVATE KEY'), 'private-key-is-public'],
    ['bare base64 of a public key', base64(publicKey.export({ type: 'spki', format: 'der' })), 'private-key-is-public'],
    ['a certificate', certificate, 'private-key-is-public'],
    ['a certificate under the label of a key', relabel(certificate, 'PRIVATE KEY'), 'private-key-is-public'],
    ['a certificate in DER', new X509Certificate(certificate).raw, 'private-key-is-public'],
    [
      'a truncated public key in DER',
      publicKey.export({ type: 'spki', format: 'der' }).subarray(0, 200),
      'private-key-malformed',
    ],
  ];
  for (const [what, content, code] of cases) {
    it(`${what} is ${code}`, () => refuses(readPrivateKey, content, code));
  }
});

describe('in place of a public key', () => {
  const cases: readonly [what: string, content: string | Uint8Array, code: string][] = [
    ['an empty file', '', 'part-empty'],
    ['a file of white space', ' \n', 'part-empty'],
    ['a truncated PEM file', half(spki), 'pem-malformed'],
    ['a damaged PEM file', damage(spki), 'public-key-malformed'],
    ['a private key', pkcs8, 'public-key-is-private'],
    ['a PKCS#1 private key', toPkcs1Pem(privateKey), 'public-key-is-private'],
    ['a private key under the label of a public one', relabel(pkcs8, 'PUBLIC KEY'), 'public-key-is-private'],
    ['a private key after the public one', spki + pkcs8, 'public-key-is-private'],
    [
      'bare base64 of a private key',
      base64(privateKey.export({ type: 'pkcs8', format: 'der' })),
      'public-key-is-private',
    ],
    ['a certificate', certificate, 'public-key-malformed'],
  ];
  for (const [what, content, code] of cases) {
    it(`${what} is ${code}`, () => refuses(readPublicKey, content, code));
  }

  it('a certificate is called one', () => {
    assert.match(
      catching(() => readPublicKey(Buffer.from(certificate), 'f')).message,
      /a certificate, not a public key/,
    );
  });
});

describe('in place of a certificate', () => {
  const cases: readonly [what: string, content: string | Uint8Array, code: string][] = [
    ['an empty file', '', 'part-empty'],
    ['a file of white space', ' \n', 'part-empty'],
    ['a truncated PEM file', half(certificate), 'pem-malformed'],
    ['a bundle whose second certificate is cut off', certificate + half(certificate), 'pem-malformed'],
    ['a bundle whose second certificate is damaged', certificate + damage(certificate), 'certificate-malformed'],
    ['a damaged PEM file', damage(certificate), 'certificate-malformed'],
    ['truncated DER', new X509Certificate(certificate).raw.subarray(0, 600), 'certificate-malformed'],
    ['a private key', pkcs8, 'certificate-is-not'],
    ['a private key under the label of a certificate', relabel(pkcs8, 'CERTIFICATE'), 'certificate-is-not'],
    ['a public key', spki, 'certificate-is-not'],
  ];
  for (const [what, content, code] of cases) {
    it(`${what} is ${code}`, () => refuses(readCertificates, content, code));
  }
});

describe('a file of any content', () => {
  it('is read or refused with our own error, whose message holds none of it', () => {
    const cut = fc.nat(pkcs8.length).map((length) => Buffer.from(pkcs8.slice(0, length)));
    const armoured = fc
      .base64String({ minLength: 8 })
      .map((text) => Buffer.from(`-----BEGIN X-----\n${text}\n-----END X-----`));
    const sequence = fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.concat([Buffer.from([0x30, 0x82]), bytes]));
    const content = fc.oneof(
      fc.uint8Array({ maxLength: 80 }),
      fc.string().map((text) => Buffer.from(text)),
      cut,
      armoured,
      sequence,
    );
    fc.assert(
      fc.property(content, fc.constantFrom<Reader>(readPrivateKey, readPublicKey, readCertificates), (bytes, read) => {
        try {
          read(bytes, 'the_file');
        } catch (error) {
          assert.ok(error instanceof PaycertError, String(error));
          const text = Buffer.from(bytes)
            .toString()
            .replace(/-----.*?-----/g, '')
            .trim();
          assert.ok(text.length < 8 || !error.message.includes(text.slice(0, 8)));
          assert.equal(error.cause, undefined);
        }
      }),
    );
  });
});

describe('a file of more certificates than any chain has', () => {
  it('is refused by its number, before one of them is read', () => {
    const most = `${certificate}\n`.repeat(200);
    assert.equal(readCertificates(Buffer.from(most), 'the_file').length, 200);
    refuses(readCertificates, `${most}${certificate}`, 'certificates-too-many');
    // Certificates that cannot be read would have another code.
    refuses(readCertificates, `${damage(certificate)}\n`.repeat(201), 'certificates-too-many');
  });
});
