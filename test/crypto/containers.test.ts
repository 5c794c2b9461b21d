// Keys and certificates load in every wrapping that people paste them in, always to the same key.
import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readCertificates, readPrivateKey, readPublicKey } from '../../src/crypto/containers.ts';
import { readText } from '../../src/crypto/text.ts';
import { createAuthority, generateKeyPair, toPkcs1Pem, toPkcs8Pem, toSpkiPem } from '../../src/testing/index.ts';
import { sm2Certificate, sm2PrivateKey, sm2PublicKey } from '../support/sm2.ts';

const now = new Date('2026-03-01T00:00:00Z');
const { privateKey, publicKey } = await generateKeyPair();
const authority = await createAuthority({ now, keyPair: await generateKeyPair() });
const notAfter = new Date('2031-03-01T00:00:00Z');
const issued = await authority.issue({
  commonName: '1900000001',
  keyPair: { privateKey, publicKey },
  notBefore: now,
  notAfter,
});

const pkcs8 = toPkcs8Pem(privateKey);
const pkcs1 = toPkcs1Pem(privateKey);
const bare = (pem: string): string => pem.replace(/-----.*?-----/g, '').trim();
const der = (pem: string): Buffer => Buffer.from(bare(pem), 'base64');
const relabel = (pem: string, label: string): string =>
  pem.replace(/(BEGIN|END) .*?-----/g, (_, word) => `${String(word)} ${label}-----`);

/** What happens to a PEM file between the console and the Secret. */
const wrappings: Readonly<Record<string, (pem: string) => string>> = {
  'as it is': (pem) => pem,
  CRLF: (pem) => pem.replaceAll('\n', '\r\n'),
  'a byte order mark': (pem) => `\ufeff${pem}`,
  'literal \\n': (pem) => pem.replaceAll('\n', '\\n'),
  'literal \\r\\n': (pem) => pem.replaceAll('\n', '\\r\\n'),
  'one line': (pem) => pem.replaceAll('\n', ''),
  'one line with spaces': (pem) => pem.replaceAll('\n', ' '),
  'no final line end': (pem) => pem.trimEnd(),
  'blank lines around': (pem) => `\n\n${pem}\n\n`,
  'quotes around': (pem) => `"${pem.replaceAll('\n', '\\n')}"`,
  'text before and after': (pem) => `Bag Attributes\n    localKeyID: 01\n${pem}\nthe end\n`,
  'bare base64': bare,
  'bare base64 on one line': (pem) => bare(pem).replaceAll('\n', ''),
  'bare base64 with CRLF': (pem) => bare(pem).replaceAll('\n', '\r\n'),
};

const isSame = (key: ReturnType<typeof readPrivateKey>): boolean => createPublicKey(key).equals(publicKey);

describe('a private key loads', () => {
  const encodings = {
    'PKCS#8': pkcs8,
    'PKCS#1': pkcs1,
    'PKCS#1 labelled as PKCS#8': relabel(pkcs1, 'PRIVATE KEY'),
    'PKCS#8 labelled as PKCS#1': relabel(pkcs8, 'RSA PRIVATE KEY'),
    'PKCS#8 labelled as a public key': relabel(pkcs8, 'PUBLIC KEY'),
  };
  for (const [encoding, pem] of Object.entries(encodings)) {
    for (const [wrapping, wrap] of Object.entries(wrappings)) {
      it(`from ${encoding}, ${wrapping}`, () => assert.ok(isSame(readPrivateKey(Buffer.from(wrap(pem)), 'key'))));
    }
    it(`from ${encoding}, DER`, () => assert.ok(isSame(readPrivateKey(der(pem), 'key'))));
  }

  it('to the same public key, whatever the width of its lines, its line ends and what is around it', () => {
    const space = fc.constantFrom('', ' ', '\n', '\r\n', '\t', '\\n', '\\r\\n');
    const encoding = fc.constantFrom(...Object.values(encodings));
    fc.assert(
      fc.property(
        encoding,
        fc.integer({ min: 1, max: 100 }),
        space,
        space,
        fc.boolean(),
        (pem, width, end, around, isArmoured) => {
          const [, begin = '', finish = ''] = /^(.*?-----)\n[^]*\n(-----END.*)\n$/.exec(pem) ?? [];
          const body = (
            bare(pem)
              .replaceAll('\n', '')
              .match(new RegExp(`.{1,${width}}`, 'g')) ?? []
          ).join(end);
          const text = isArmoured ? begin + end + body + end + finish : body;
          assert.ok(isSame(readPrivateKey(Buffer.from(around + text + around), 'key')));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('beside its certificate or its parameters', () => {
    assert.ok(isSame(readPrivateKey(Buffer.from(issued.certificate + pkcs8), 'key')));
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'sec1', format: 'pem' });
    const parameters = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';
    assert.equal(readPrivateKey(Buffer.from(parameters + ec.toString()), 'key').asymmetricKeyType, 'ec');
  });

  it('when it is SM2 or an elliptic curve, to be judged by its algorithm', () => {
    assert.notEqual(readPrivateKey(Buffer.from(sm2PrivateKey), 'key').asymmetricKeyType, 'rsa');
    const { privateKey: ed25519 } = generateKeyPairSync('ed25519');
    const short = readPrivateKey(ed25519.export({ type: 'pkcs8', format: 'der' }), 'key');
    assert.equal(short.asymmetricKeyType, 'ed25519');
  });
});

describe('a public key loads', () => {
  const spki = toSpkiPem(publicKey);
  const pkcs1Public = publicKey.export({ type: 'pkcs1', format: 'pem' }).toString();
  const encodings = {
    SPKI: spki,
    'PKCS#1': pkcs1Public,
    'PKCS#1 labelled as SPKI': relabel(pkcs1Public, 'PUBLIC KEY'),
  };
  for (const [encoding, pem] of Object.entries(encodings)) {
    it(`from ${encoding} in every wrapping`, () => {
      for (const [wrapping, wrap] of Object.entries(wrappings)) {
        assert.ok(readPublicKey(Buffer.from(wrap(pem)), 'key').equals(publicKey), wrapping);
      }
      assert.ok(readPublicKey(der(pem), 'key').equals(publicKey));
    });
  }

  it('when it is SM2 or an elliptic curve, in PEM or in its short DER', () => {
    assert.notEqual(readPublicKey(Buffer.from(sm2PublicKey), 'key').asymmetricKeyType, 'rsa');
    assert.notEqual(readPublicKey(der(sm2PublicKey), 'key').asymmetricKeyType, 'rsa');
  });
});

describe('certificates load', () => {
  const leaf = new X509Certificate(issued.certificate);
  const read = (bytes: Uint8Array) =>
    readCertificates(bytes, 'certificate').map(({ fingerprint256 }) => fingerprint256);

  it('in every wrapping', () => {
    for (const [wrapping, wrap] of Object.entries(wrappings)) {
      assert.deepEqual(read(Buffer.from(wrap(issued.certificate))), [leaf.fingerprint256], wrapping);
    }
    assert.deepEqual(read(leaf.raw), [leaf.fingerprint256]);
  });

  it('whatever their label says', () => {
    for (const label of ['TRUSTED CERTIFICATE', 'X509 CERTIFICATE', 'PUBLIC KEY', 'PRIVATE KEY']) {
      assert.deepEqual(read(Buffer.from(relabel(issued.certificate, label))), [leaf.fingerprint256], label);
    }
  });

  it('all of a bundle, in its order, passing over text and keys between them', () => {
    const bundle = `subject=x\r\n${issued.certificate}\r\n${pkcs8}\nissuer=y\n${authority.certificate}`;
    const root = new X509Certificate(authority.certificate);
    assert.deepEqual(read(Buffer.from(bundle)), [leaf.fingerprint256, root.fingerprint256]);
  });

  it('when they are SM2, to be judged by their algorithm', () => {
    assert.deepEqual(read(Buffer.from(sm2Certificate)), [new X509Certificate(sm2Certificate).fingerprint256]);
  });
});

describe('text', () => {
  it('is read without byte order mark, with literal line ends as line ends, trimmed', () => {
    assert.equal(readText(Buffer.from('\ufeff a\\r\\nb \r\n')), 'a\nb');
  });
});
