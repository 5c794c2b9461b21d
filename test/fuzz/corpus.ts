// What is mutated: one merchant's good material, in every form that people have it in. The same for the same seed.
import 'reflect-metadata'; // must come first: @peculiar/x509 looks for it while it is imported
import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { X509Certificate as PeculiarCertificate, X509CrlGenerator } from '@peculiar/x509';
import forge from 'node-forge';
import {
  createAuthority,
  createWechatpayMaterial,
  rotateApiV3Key,
  rotateMerchant,
  toPkcs1Pem,
  toPkcs8Pem,
  toSpkiPem,
  type WechatpayMaterial,
} from '../../src/testing/index.ts';
import { makeResponse, makeStatement } from '../support/ocsp.ts';
import { sm2Certificate, sm2PrivateKey, sm2PublicKey } from '../support/sm2.ts';
import { Random } from './random.ts';
import { encryptFieldWithSeed, makeCurveKey, makeKeyPair, withSeededChance } from './seeded.ts';

export const merchantId = '1900000001';
export const now = new Date('2026-03-01T00:00:00Z');

export interface Corpus {
  readonly material: WechatpayMaterial;
  /** The same merchant after a rotation of its certificate and its APIv3 key. */
  readonly next: WechatpayMaterial;
  /** Keys and certificates: PEM and other text, then DER. */
  readonly texts: readonly Buffer[];
  readonly ders: readonly Buffer[];
  readonly containers: readonly Buffer[];
  /** One OAEP field for the merchant. */
  readonly field: string;
  /** What the merchant's authority says of the merchant's certificate, until `now` and a day. */
  readonly revocation: {
    readonly leaf: X509Certificate;
    readonly issuer: X509Certificate;
    readonly answers: readonly Buffer[];
    readonly list: Buffer;
  };
}

const der = (pem: string): Buffer => Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64');

/** Few rounds: node-forge takes its time for each. The first one has as many as WeChat Pay's own. */
const containerForms = [
  { algorithm: '3des', count: 2048, useMac: false },
  { algorithm: '3des', count: 1, useMac: false },
  { algorithm: 'aes256', count: 1, useMac: false },
  { algorithm: 'aes128', count: 1, useMac: false },
  { algorithm: '3des', count: 3, useMac: false },
  { algorithm: '3des', count: 2, useMac: true },
] as const;

const childrenOf = (node: forge.asn1.Asn1 | undefined): forge.asn1.Asn1[] => node?.value as forge.asn1.Asn1[];
const toDer = (node: forge.asn1.Asn1): Buffer => Buffer.from(forge.asn1.toDer(node).getBytes(), 'latin1');

/** Certificates encrypted as WeChat Pay's are: node-forge itself writes them in the clear. */
function encryptCertificates(pfx: forge.asn1.Asn1, count: number): void {
  const { create, fromDer, oidToDer, Class, Type } = forge.asn1;
  const octets = childrenOf(childrenOf(childrenOf(pfx)[1])[1])[0]!;
  const contents = fromDer(octets.value as string);
  const [oid, wrapper] = childrenOf(childrenOf(contents)[0]) as [forge.asn1.Asn1, forge.asn1.Asn1];
  const safe = fromDer(childrenOf(wrapper)[0]!.value as string);
  const encrypted = forge.pki.encryptPrivateKeyInfo(safe, merchantId, { algorithm: '3des', count });
  const [algorithm, ciphertext] = childrenOf(encrypted) as [forge.asn1.Asn1, forge.asn1.Asn1];
  const sequence = (...members: forge.asn1.Asn1[]) => create(Class.UNIVERSAL, Type.SEQUENCE, true, members);
  const sealed = create(Class.CONTEXT_SPECIFIC, Type.NONE, false, ciphertext.value);
  const version = create(Class.UNIVERSAL, Type.INTEGER, false, '\0');
  wrapper.value = [sequence(version, sequence({ ...oid }, algorithm, sealed))];
  oid.value = oidToDer(forge.pki.oids['encryptedData'] ?? '').getBytes();
  octets.value = forge.asn1.toDer(contents).getBytes();
}

function makeContainers(privateKey: KeyObject, chain: readonly string[]): Buffer[] {
  const key = forge.pki.privateKeyFromPem(toPkcs1Pem(privateKey));
  const certificates = chain.map((pem) => forge.pki.certificateFromPem(pem));
  return containerForms.map((form) => {
    const pfx = forge.pkcs12.toPkcs12Asn1(key, certificates, merchantId, form);
    // Contents that a MAC covers must stay as they are.
    if (!form.useMac) encryptCertificates(pfx, form.count);
    return toDer(pfx);
  });
}

function encryptKey(privateKey: KeyObject): string {
  const key = forge.pki.wrapRsaPrivateKey(
    forge.pki.privateKeyToAsn1(forge.pki.privateKeyFromPem(toPkcs1Pem(privateKey))),
  );
  const encrypted = forge.pki.encryptPrivateKeyInfo(key, 'secret', { algorithm: 'aes256', count: 1 });
  return forge.pki.encryptedPrivateKeyToPem(encrypted);
}

/** RSA signs the same bytes the same way: these follow from the seed too. */
async function makeRevocation(
  authority: string,
  privateKey: KeyObject,
  certificate: string,
): Promise<Corpus['revocation']> {
  const [issuer, leaf] = [new X509Certificate(authority), new X509Certificate(certificate)];
  const [thisUpdate, nextUpdate] = [now, new Date(now.getTime() + 86_400_000)];
  const about = { about: leaf, issuer, signer: { certificate: issuer, privateKey }, thisUpdate, nextUpdate };
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  const list = await X509CrlGenerator.create({
    issuer: new PeculiarCertificate(authority).subject,
    thisUpdate,
    nextUpdate,
    entries: [{ serialNumber: '01', revocationDate: thisUpdate }],
    signingAlgorithm: algorithm,
    signingKey: privateKey.toCryptoKey(algorithm, false, ['sign']),
  });
  const answers = [
    makeResponse(about),
    makeResponse({ ...about, namedBy: 'key', digest: 'sha256', enclosed: [leaf] }),
    makeResponse({ ...about, others: [makeStatement({ ...about, serialNumber: '01', status: 'revoked' })] }),
  ];
  return { leaf, issuer, answers, list: Buffer.from(list.rawData) };
}

export async function makeCorpus(seed: string): Promise<Corpus> {
  const random = new Random(`${seed}/corpus`);
  return withSeededChance(random, async () => {
    const pair = (bits?: number) => makeKeyPair(random, bits);
    const root = pair();
    const authority = await createAuthority({ now, keyPair: root });
    const keyPairs = [pair(), pair(), pair(), pair()];
    const options = { merchantId, now, authority, publicKey: true, keyPairs };
    const material = await createWechatpayMaterial({ ...options, apiV3Key: 'a1'.repeat(16) });
    const rotated = await rotateMerchant(material, { now: new Date(now.getTime() + 1000), keyPair: pair() });
    const next = rotateApiV3Key(rotated, 'b2'.repeat(16));
    const { merchant, platformKeys } = material;
    const small = pair(1024);
    const curve = makeCurveKey(random);
    const platform = platformKeys.flatMap(({ issued }) => (issued ? [issued.certificate] : []));
    const pems = [
      toPkcs8Pem(merchant.privateKey),
      toPkcs1Pem(merchant.privateKey),
      merchant.certificate,
      next.merchant.certificate,
      ...platform,
      authority.certificate,
      toSpkiPem(merchant.publicKey),
      toPkcs8Pem(small.privateKey),
      toPkcs8Pem(curve),
      toSpkiPem(createPublicKey(curve)),
      sm2PrivateKey,
      sm2PublicKey,
      sm2Certificate,
    ];
    const encrypted = encryptKey(merchant.privateKey);
    const odd = [
      encrypted,
      pems.slice(0, 6).join(''),
      `${merchant.certificate}${authority.certificate}`,
      toPkcs8Pem(merchant.privateKey).replaceAll('\n', '\\n'),
      der(toPkcs8Pem(merchant.privateKey)).toString('base64'),
      `-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: DES-EDE3-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n`,
      'the key is on my other computer',
    ];
    return {
      material,
      next,
      texts: [...pems, ...odd].map((text) => Buffer.from(text)),
      ders: [...pems, encrypted].map(der),
      containers: makeContainers(merchant.privateKey, [merchant.certificate, authority.certificate]),
      field: encryptFieldWithSeed(random, merchant.publicKey, '6214830000000000'),
      revocation: await makeRevocation(authority.certificate, root.privateKey, merchant.certificate),
    };
  });
}
