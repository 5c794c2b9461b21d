// Material whose every secret is a canary: one good set, and everything that people do wrong with it.
import { randomBytes } from 'node:crypto';
import type { Files } from '../../src/testing/secret-volume.ts';
import { toPkcs1Pem, toPkcs8Pem } from '../../src/testing/key-pair.ts';
import { rotateApiV3Key, type WechatpayMaterial } from '../../src/testing/wechatpay-material.ts';
import { withExpiredCertificate, withHalfWrittenFile, withMismatchedPair } from '../../src/testing/spoiled-material.ts';
import { Canaries } from './canary.ts';
import { makePkcs12 } from './pkcs12.ts';
import { keyPairs, makeMaterial } from './sidecar.ts';

export interface CanaryMaterial {
  readonly canaries: Canaries;
  readonly material: WechatpayMaterial;
  readonly privateKeyPem: string;
  /** By credential; the first two are fit. */
  readonly sets: Readonly<Record<string, Files>>;
}

export async function makeCanaryMaterial(): Promise<CanaryMaterial> {
  const canaries = new Canaries();
  const before = await makeMaterial();
  const material = rotateApiV3Key(before);
  const pairs = await keyPairs();
  const password = `password${randomBytes(12).toString('hex')}`;
  for (const [index, { privateKey }] of pairs.entries()) {
    const der = privateKey.export({ type: 'pkcs1', format: 'der' });
    // The first half of PKCS#1 is the modulus, which is public; secrets begin behind it.
    canaries.add(`private key ${index}`, der.subarray(der.byteLength * 0.25));
  }
  canaries.add('APIv3 key', Buffer.from(material.apiV3Key));
  canaries.add('previous APIv3 key', Buffer.from(before.apiV3Key));
  canaries.add('p12 password', Buffer.from(password));

  const pem = toPkcs8Pem(material.merchant.privateKey);
  const body = pem.split('\n').slice(1, -2).join('');
  const p12 = makePkcs12(material, password);
  const change = (changes: Readonly<Record<string, string | Uint8Array>>): Files =>
    new Map([
      ...material.files,
      ...Object.entries(changes).map(([name, bytes]) => [name, Buffer.from(bytes)] as const),
    ]);
  const p12Only = (its: Uint8Array, secret: string): Files =>
    new Map([
      ['apiclient_cert.p12', its],
      ['apiclient_cert.p12.password', Buffer.from(secret)],
    ]);
  const sets: Record<string, Files> = {
    good: change({ 'retired/old.pem': toPkcs1Pem(pairs[4]!.privateKey) }),
    'good-p12': p12Only(p12, password),
    'swapped-contents': change({ 'apiclient_key.pem': material.apiV3Key, apiv3_key: pem }),
    'wrong-length': change({ apiv3_key: `${material.apiV3Key}x`, 'apiv3_key.previous': before.apiV3Key.slice(1) }),
    'key-as-serial': change({ merchant_serial: pem, pub_key_id: pem }),
    'key-as-certificate': change({ 'apiclient_cert.pem': pem, 'wechatpay_KEY.pem': pem }),
    'key-as-public-key': change({ 'pub_key.pem': pem, pub_key_id: material.apiV3Key }),
    'key-with-text': change({ 'apiclient_key.pem': `my key: ${body}` }),
    'key-with-hole': change({ 'apiclient_key.pem': pem.replace(/\n.{64}\n/, '\n') }),
    'key-in-every-list': change({ 'certificates.json': pem, 'trust.pem': pem, 'retired/broken.pem': `${body}!` }),
    'p12-wrong-password': p12Only(p12, `${password}wrong`),
    'p12-broken': p12Only(p12.subarray(0, 900), password),
    'p12-is-key': p12Only(Buffer.from(pem), password),
    mismatched: await withMismatchedPair(material, pairs[3]),
    expired: await withExpiredCertificate(material, { now: new Date() }),
    'half-written': withHalfWrittenFile(material),
  };
  return { canaries, material, privateKeyPem: pem, sets };
}
