// PKCS#12 files as WeChat Pay hands them out open to the key and certificate that were put in; others are refused.
import assert from 'node:assert/strict';
import { createPublicKey, X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import forge from 'node-forge';
import { readPkcs12 } from '../../src/crypto/pkcs12.ts';
import { DerivedKeys } from '../../src/crypto/pkcs12-keys.ts';
import { PaycertError } from '../../src/errors.ts';
import { createAuthority, generateKeyPair, toPkcs1Pem } from '../../src/testing/index.ts';

const now = new Date('2026-03-01T00:00:00Z');
const password = '1900000001';
const [keyPair, rootPair] = await Promise.all([generateKeyPair(), generateKeyPair()]);
const authority = await createAuthority({ now, keyPair: rootPair });
const issued = await authority.issue({
  commonName: '1900000001',
  organization: '微信商户系统',
  keyPair,
  notBefore: now,
  notAfter: new Date('2031-03-01T00:00:00Z'),
});
const leaf = new X509Certificate(issued.certificate);
const root = new X509Certificate(authority.certificate);

interface Form {
  readonly algorithm?: '3des' | 'aes256';
  readonly count?: number;
  readonly useMac?: boolean;
  readonly password?: string;
}

/** RC2-40 certificates, a 3DES key and a SHA-1 MAC, as WeChat Pay's, unless told. */
function makeAsn1(
  { password: secret = password, ...options }: Form = {},
  chain = [issued.certificate],
): forge.asn1.Asn1 {
  const key = forge.pki.privateKeyFromPem(toPkcs1Pem(keyPair.privateKey));
  const certificates = chain.map((pem) => forge.pki.certificateFromPem(pem));
  return forge.pkcs12.toPkcs12Asn1(key, certificates, secret, { algorithm: '3des', ...options });
}
const encode = (node: forge.asn1.Asn1): Buffer => Buffer.from(forge.asn1.toDer(node).getBytes(), 'latin1');
const make = (form?: Form, chain?: string[]): Buffer => encode(makeAsn1(form, chain));

async function refused(bytes: Uint8Array, code: string, secret = password): Promise<void> {
  await assert.rejects(readPkcs12(bytes, secret, 'the.p12'), (error) => {
    assert.ok(error instanceof PaycertError);
    assert.deepEqual([error.code, error.field, error.cause], [code, 'the.p12', undefined]);
    assert.ok(error.message.startsWith('the.p12 ') && (secret === '' || !error.message.includes(secret)));
    return true;
  });
}

/** One that is so: salts and keys are random, and so is what a file holds. */
function makeWhere(isSo: (bytes: Buffer) => boolean, form?: Form): Buffer {
  for (;;) {
    const bytes = make(form);
    if (isSo(bytes)) return bytes;
  }
}

/** One in two hundred and fifty-six has a padding under a password that is not its own, too, and then makes no sense. */
const isPaddedUnder = (bytes: Buffer, secret: string): boolean => {
  try {
    forge.pkcs12.pkcs12FromAsn1(forge.asn1.fromDer(bytes.toString('latin1')), false, secret);
    return true;
  } catch (error) {
    return !/decrypt/i.test(String(error));
  }
};

const lineEnd = 0x0a;
const good = makeWhere((bytes) => bytes.includes(lineEnd));

describe('a PKCS#12 file', () => {
  it('opens with its password to the private key and certificate that were put in, byte for byte', async () => {
    const { privateKey, certificates } = await readPkcs12(good, password, 'the.p12');
    assert.ok(createPublicKey(privateKey).equals(keyPair.publicKey));
    assert.ok(privateKey.equals(keyPair.privateKey));
    assert.deepEqual(
      certificates.map(({ raw }) => raw),
      [leaf.raw],
    );
  });

  it('opens when made with AES-256 or without a MAC', async () => {
    for (const form of [{ algorithm: 'aes256' }, { useMac: false }] as const) {
      const { privateKey } = await readPkcs12(make(form), password, 'the.p12');
      assert.ok(privateKey.equals(keyPair.privateKey));
    }
  });

  it('names the certificate of its key first, wherever it stands', async () => {
    const { certificates } = await readPkcs12(
      make({}, [authority.certificate, issued.certificate]),
      password,
      'the.p12',
    );
    assert.deepEqual(
      certificates.map(({ fingerprint256 }) => fingerprint256),
      [leaf.fingerprint256, root.fingerprint256],
    );
  });

  it('with another password is pkcs12-password, with a MAC and without', async () => {
    await refused(good, 'pkcs12-password', '1900000002');
    await refused(good, 'pkcs12-password', '');
    const withoutMac = makeWhere((bytes) => !isPaddedUnder(bytes, '1900000002'), { useMac: false });
    await refused(withoutMac, 'pkcs12-password', '1900000002');
  });

  it('that is empty, truncated or something else is pkcs12-malformed', async () => {
    const contents = [
      Buffer.alloc(0),
      good.subarray(0, good.length / 2),
      good.subarray(0, -1),
      leaf.raw,
      Buffer.from('text'),
    ];
    for (const bytes of contents) await refused(bytes, 'pkcs12-malformed');
  });

  it('that was copied as text is pkcs12-malformed', async () => {
    const withLineEnds = Buffer.from(good.toString('latin1').replace(/\n/g, '\r\n'), 'latin1');
    assert.notEqual(withLineEnds.length, good.length);
    await refused(withLineEnds, 'pkcs12-malformed');
    await refused(Buffer.from(good.toString('utf8')), 'pkcs12-malformed');
  });
});

describe('a PKCS#12 file of too many iterations', () => {
  /** Refused before any key is derived: what 2 million rounds would hold up for seconds ends in a few milliseconds. */
  async function refusedFast(bytes: Uint8Array): Promise<void> {
    const start = process.cpuUsage();
    await refused(bytes, 'pkcs12-iterations');
    const { user } = process.cpuUsage(start);
    assert.ok(user < 500_000, `took ${user} µs of CPU`);
  }
  const inflated = makeAsn1({ count: 100_001, useMac: false });

  it('is refused before its key is derived', () => refusedFast(encode(inflated)));

  it('is refused with AES-256 too', () => refusedFast(make({ algorithm: 'aes256', count: 100_001, useMac: false })));

  it('is refused when only its MAC has too many', () => refusedFast(encode(withMacCount('\x03\x0d\x40'))));

  it('is refused when its contents are cut into pieces, as BER allows', () =>
    refusedFast(encode(cutContents(inflated))));

  it('is refused when the number is so large that it reads as negative', () =>
    refusedFast(encode(withMacCount('\xff\xff\xff\xff'))));

  it('is refused when each of many parts has few enough, and all together have too many', () =>
    refusedFast(encode(withRepeatedContents(makeAsn1({ count: 50_000, useMac: false }), 5))));

  it('is not one of 100,000', async () => {
    const { privateKey } = await readPkcs12(make({ count: 100_000, useMac: false }), password, 'the.p12');
    assert.ok(privateKey.equals(keyPair.privateKey));
  });
});

const childrenOf = (node: forge.asn1.Asn1 | undefined): forge.asn1.Asn1[] => node?.value as forge.asn1.Asn1[];

/** MacData ::= SEQUENCE { mac, macSalt, iterations } is the third member of a PFX. */
function withMacCount(bytes: string): forge.asn1.Asn1 {
  const pfx = makeAsn1();
  childrenOf(childrenOf(pfx)[2])[2]!.value = bytes;
  return pfx;
}

/** Its contents again and again. */
function withRepeatedContents(pfx: forge.asn1.Asn1, times: number): forge.asn1.Asn1 {
  const octets = childrenOf(childrenOf(childrenOf(pfx)[1])[1])[0]!;
  const contents = forge.asn1.fromDer(octets.value as string);
  contents.value = Array.from({ length: times }, () => childrenOf(contents)).flat();
  octets.value = forge.asn1.toDer(contents).getBytes();
  return pfx;
}

/** The authenticated safe as two octet strings inside a constructed one. */
function cutContents(pfx: forge.asn1.Asn1): forge.asn1.Asn1 {
  const { create, Class, Type } = forge.asn1;
  const wrapper = childrenOf(childrenOf(pfx)[1])[1]!;
  const bytes = childrenOf(wrapper)[0]!.value as string;
  const pieces = [bytes.slice(0, 40), bytes.slice(40)];
  wrapper.value = [
    create(
      Class.UNIVERSAL,
      Type.OCTETSTRING,
      true,
      pieces.map((piece) => create(Class.UNIVERSAL, Type.OCTETSTRING, false, piece)),
    ),
  ];
  return pfx;
}

/** What its types leave out. */
const { pbe } = forge.pki as unknown as {
  readonly pbe: {
    readonly generatePkcs12Key: (
      password: string,
      salt: forge.util.ByteStringBuffer,
      purpose: number,
      rounds: number,
      bytes: number,
      digest: forge.md.MessageDigest,
    ) => forge.util.ByteStringBuffer;
  };
};

describe('a PKCS#12 file of many iterations', () => {
  it('gives way while keys are derived: timers run hundreds of times meanwhile', async () => {
    let turns = 0;
    let isOpening = true;
    const count = () => {
      turns += 1;
      if (isOpening) setImmediate(count);
    };
    setImmediate(count);
    await readPkcs12(make({ count: 60_000 }), password, 'the.p12');
    isOpening = false;
    assert.ok(turns > 200, String(turns));
  });

  it('leaves node-forge as it was, also when the file does not open', async () => {
    const derivers = () => [forge.pkcs5.pbkdf2, pbe.generatePkcs12Key, Reflect.get(forge.pkcs12, 'generateKey')];
    const before = derivers();
    await readPkcs12(good, password, 'the.p12');
    await refused(good, 'pkcs12-password', 'another');
    assert.deepEqual(derivers(), before);
  });

  it('derives the keys that node-forge derives, of any password, salt and length', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ maxLength: 80 }),
        fc.uint8Array({ maxLength: 70 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 70 }),
        fc.constantFrom('sha1' as const, 'sha256' as const, 'sha512' as const),
        async (secret, salt, rounds, bytes, name) => {
          const text = Buffer.from(salt).toString('latin1');
          const digest = forge.md[name].create();
          const expected = pbe.generatePkcs12Key(secret, forge.util.createBuffer(text), 1, rounds, bytes, digest);
          const keys = new DerivedKeys();
          const derivation = { purpose: 1, password: secret, salt: text, rounds, bytes, digest };
          const key = await keys.use(() => keys.key(derivation));
          assert.equal(key.toString('latin1'), expected.bytes());
        },
      ),
      { numRuns: 200 },
    );
  });
});
