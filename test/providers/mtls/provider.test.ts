// mTLS: pairs are whole, strong and alive before they are shown; server names choose among them.
import 'reflect-metadata'; // must come first: @peculiar/x509 looks for it while it is imported
import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { PublicKey, X509CertificateGenerator } from '@peculiar/x509';
import type { MtlsOptions } from '../../../src/providers/mtls/options.ts';
import { mtls } from '../../../src/providers/mtls/provider.ts';
import { findViolation } from '../../../src/store/checks.ts';
import { snapshotId } from '../../../src/store/snapshot.ts';
import { flatten } from '../../support/flatten.ts';
import { keyPairs } from '../../support/key-pairs.ts';
import { day, filesOf, issue, makeAuthority, now, pairFiles, pem } from '../../support/mtls.ts';

const [authority, stranger] = [await makeAuthority(0), await makeAuthority(1)];
const [shop, bank] = [await issue(authority, 'shop'), await issue(stranger, 'bank')];
const fit = { ...pairFiles(shop), 'ca.crt': authority.certificate };

const load = async (texts: Readonly<Record<string, string | undefined>>, options: Partial<MtlsOptions> = {}) =>
  flatten(await mtls({ serverNames: {}, minVersion: 'TLSv1.2', ...options }).load(filesOf({ ...fit, ...texts })));

const problemsOf = async (...args: Parameters<typeof load>) =>
  (await load(...args)).problems.map(({ code, field }) => `${code} ${String(field)}`);

const violationOf = async (texts: Readonly<Record<string, string>>, at: Date, options: Partial<MtlsOptions> = {}) =>
  findViolation({ context: await load(texts, options), current: undefined, older: 'accept' }, at);

describe('a pair', () => {
  it('that is whole is shown, and says what it is without its key', async () => {
    const context = await load({});
    assert.deepEqual(context.problems, []);
    assert.deepEqual(context.keys.map(({ role, keyId }) => [role, keyId]).slice(0, 1), [['tls', shop.serialNumber]]);
    assert.equal(context.keys[1]?.role, 'tls-authority');
    assert.doesNotMatch(JSON.stringify(context), /PRIVATE/);
    const identity = context.tls?.choose('anybody.example');
    assert.equal(identity?.exportKey(), pem(shop.privateKey));
    assert.ok(context.capabilities(now).has('sign'));
  });

  it('that lacks a part, is cut off, or is two halves of different pairs is refused by the name of its file', async () => {
    assert.deepEqual(await problemsOf({ 'tls.key': undefined }), ['material-missing tls.key']);
    assert.deepEqual(await problemsOf({ 'tls.crt': undefined, 'tls.key': undefined }), [
      'material-missing tls.key',
      'material-missing tls.crt',
    ]);
    assert.deepEqual(await problemsOf({ 'tls.key': pem(bank.privateKey) }), ['key-mismatch tls.key']);
    assert.deepEqual(await problemsOf({ 'ca.crt': 'x' }), ['pem-malformed ca.crt']);
    assert.deepEqual(await problemsOf({ 'tls.crt': pem(shop.privateKey) }), ['certificate-is-not tls.crt']);
  });

  it('of a weak or foreign key is refused', async () => {
    const issuing = async (keyPair: ReturnType<typeof generateKeyPairSync>) =>
      problemsOf(pairFiles(await issue(authority, 'shop', { keyPair })));
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
    assert.deepEqual(await issuing(weak), ['key-too-small tls.key', 'key-too-small tls.crt']);
    for (const namedCurve of ['secp224r1', 'secp256k1'])
      assert.deepEqual(await issuing(generateKeyPairSync('ec', { namedCurve })), [
        'algorithm-unsupported tls.key',
        'algorithm-unsupported tls.crt',
      ]);
    for (const namedCurve of ['P-256', 'P-384', 'P-521'])
      assert.deepEqual(await issuing(generateKeyPairSync('ec', { namedCurve })), []);
    assert.deepEqual(await issuing(generateKeyPairSync('ed25519')), []);
    assert.deepEqual(await issuing(generateKeyPairSync('rsa', { modulusLength: 2048 })), []);
  });

  it('signed with a digest that can be forged is refused', async () => {
    const keyPair = (await keyPairs())[2]!;
    const signingAlgorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-1' };
    const weak = await X509CertificateGenerator.create({
      subject: 'CN=shop',
      issuer: 'CN=Authority 0',
      publicKey: await PublicKey.create(new Uint8Array(keyPair.publicKey.export({ type: 'spki', format: 'der' }))),
      signingKey: keyPair.privateKey.toCryptoKey(signingAlgorithm, false, ['sign']),
      signingAlgorithm,
    });
    const texts = { 'tls.crt': weak.toString('pem'), 'tls.key': pem(keyPair.privateKey) };
    assert.deepEqual(await problemsOf(texts), ['algorithm-unsupported tls.crt']);
  });

  it('whose private key is damaged is refused before anybody is shown it', async () => {
    const keyPair = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const issued = await issue(authority, 'shop', { keyPair });
    const jwk = keyPair.privateKey.export({ format: 'jwk' });
    const prime = Buffer.from(jwk.p ?? '', 'base64url');
    prime[prime.length - 1]! &= 0xfe;
    const key = createPrivateKey({ key: { ...jwk, p: prime.toString('base64url') }, format: 'jwk' });
    const problems = await problemsOf({ 'tls.crt': issued.certificate, 'tls.key': pem(key) });
    assert.deepEqual(problems, ['self-test-failed tls.key']);
  });

  it('has its chain in order, each certificate by the one behind it', async () => {
    const chained = `${shop.certificate}\n${authority.certificate}`;
    assert.deepEqual(await problemsOf({ 'tls.crt': chained }), []);
    const broken = `${shop.certificate}\n${stranger.certificate}`;
    assert.deepEqual(await problemsOf({ 'tls.crt': broken }), ['chain-broken tls.crt']);
  });

  it('that is not valid yet or any more is refused, whichever of several it is', async () => {
    const named = { serverNames: { 'bank.example': 'bank' } };
    const late = await issue(stranger, 'bank', { notBefore: new Date(now.getTime() + day / 2) });
    const old = await issue(stranger, 'bank', { notAfter: new Date(now.getTime() - 1000) });
    const early = await violationOf(pairFiles(late, 'bank'), now, named);
    assert.deepEqual([early?.code, early?.retryAt], ['certificate-not-yet-valid', late.notBefore]);
    assert.equal((await violationOf(pairFiles(old, 'bank'), now, named))?.code, 'certificate-expired');
    assert.equal(await violationOf(pairFiles(bank, 'bank'), now, named), undefined);
    assert.equal((await violationOf({}, shop.notAfter))?.code, 'certificate-expired');
  });

  it('that has expired takes readiness away; an authority that has expired is a warning', async () => {
    const context = await load({});
    assert.deepEqual([...context.capabilities(shop.notAfter)], []);
    assert.deepEqual(context.warnings(now), []);
    const end = context.keys.find(({ role }) => role === 'tls-authority')?.notAfter;
    assert.deepEqual(
      context.warnings(end!).map(({ code }) => code),
      ['tls-authority-expired'],
    );
  });
});

describe('server names', () => {
  const serverNames = { 'bank.example': 'bank', '*.bank.example': 'bank', 'pay.bank.example': 'tls' };
  const both = { ...pairFiles(bank, 'bank'), 'bank.ca.crt': stranger.certificate };

  it('choose the pair and whom it trusts: the name itself, then its first label, then the default', async () => {
    const { tls, problems } = await load(both, { serverNames });
    assert.deepEqual(problems, []);
    for (const [name, pair] of [
      ['bank.example', 'bank'],
      ['BANK.example.', 'bank'],
      ['a.bank.example', 'bank'],
      ['pay.bank.example', 'tls'],
      ['a.b.bank.example', 'tls'],
      ['xbank.example', 'tls'],
      ['', 'tls'],
      ['__proto__', 'tls'],
    ] as const)
      assert.equal(tls?.choose(name).name, pair);
    const trusts = (name: string) => tls?.choose(name).authorities.map(String);
    assert.deepEqual(trusts('bank.example'), [stranger.certificate]);
    assert.deepEqual(trusts('other.example'), [authority.certificate]);
  });

  it('without a default pair refuse what they do not name', async () => {
    const none = { 'tls.crt': undefined, 'tls.key': undefined };
    const { tls } = await load({ ...both, ...none }, { serverNames: { 'bank.example': 'bank' } });
    assert.equal(tls?.choose('bank.example').name, 'bank');
    assert.throws(() => tls.choose('other.example'), { code: 'server-name-unknown' });
  });

  it('that name a pair which is not there are refused', async () => {
    const problems = await problemsOf({}, { serverNames: { 'bank.example': 'bank' } });
    assert.deepEqual(problems, ['material-missing bank.key', 'material-missing bank.crt']);
  });
});

describe('a snapshot of mTLS', () => {
  it('is another one when only a chain or the trust has changed', async () => {
    const chained = `${shop.certificate}\n${authority.certificate}`;
    const contexts = [
      await load({}),
      await load({ 'tls.crt': chained }),
      await load({ 'ca.crt': stranger.certificate }),
      await load({}, { minVersion: 'TLSv1.3' }),
    ];
    assert.equal(new Set(contexts.slice(0, 3).map(snapshotId)).size, 3);
    assert.equal(new Set(contexts.map(({ tls }) => tls?.choose().id)).size, 4);
    assert.equal((await load({})).tls?.choose().id, contexts[0]?.tls?.choose().id);
  });
});
