// Makes the material of one WeChat Pay merchant, both sides of it, and rotates one part of it at a time.
import { randomInt } from 'node:crypto';
import { createAuthority } from './authority.ts';
import type { Authority, Issued } from './authority.ts';
import { generateKeyPair, toPkcs8Pem, toSpkiPem } from './key-pair.ts';
import type { KeyPair } from './key-pair.ts';
import type { Files } from './secret-volume.ts';

const yearInMilliseconds = 365 * 86_400_000;
const dayInMilliseconds = 86_400_000;

/** A key that WeChat Pay signs with: a platform certificate's, or the one published as pub_key.pem. */
export interface PlatformKey extends KeyPair {
  /** A certificate's serial number, or a `PUB_KEY_ID_…`. */
  readonly keyId: string;
  /** Absent for a public key, which has no certificate and does not expire. */
  readonly issued?: Issued;
}

interface Parts {
  readonly merchantId: string;
  readonly authority: Authority;
  readonly merchant: Issued;
  /** 32 alphanumeric characters. */
  readonly apiV3Key: string;
  readonly previousApiV3Key?: string;
  /** Oldest first, the public key last. */
  readonly platformKeys: readonly PlatformKey[];
}

/** One merchant's keys as of now, with WeChat Pay's private halves. Never changes; a rotation makes a new one. */
export interface WechatpayMaterial extends Parts {
  /**
   * What the merchant holds: apiclient_key.pem, apiclient_cert.pem, apiv3_key, apiv3_key.previous after a rotation,
   * wechatpay_SERIAL.pem for each platform certificate, pub_key.pem and pub_key_id.
   */
  readonly files: Files;
}

/** Whose material, and how much of it. */
export interface WechatpayMaterialOptions {
  readonly merchantId: string;
  /** Certificates begin a day before that time; each platform certificate a day after the one before it. Now unless given. */
  readonly now?: Date;
  /** Made unless given. */
  readonly authority?: Authority;
  /** How many; 2 unless given. */
  readonly platformCertificates?: number;
  /** Whether WeChat Pay has published a public key too. */
  readonly publicKey?: boolean;
  /** 32 alphanumeric characters; random unless given. */
  readonly apiV3Key?: string;
  /** Taken in this order: merchant, platform certificates, public key. What is missing is generated, 100 ms each. */
  readonly keyPairs?: readonly KeyPair[];
}

/**
 * Makes a merchant's material: the files of the merchant platform, with five-year certificates.
 * @throws PaycertError `package-missing`, as `createAuthority`
 * @example
 * import { createWechatpayMaterial } from 'paycert/testing';
 *
 * const { files } = await createWechatpayMaterial({ merchantId: '1900000001', platformCertificates: 1 });
 * console.log([...files.keys()].slice(0, 3)); // → [ 'apiclient_key.pem', 'apiclient_cert.pem', 'apiv3_key' ]
 */
export async function createWechatpayMaterial(options: WechatpayMaterialOptions): Promise<WechatpayMaterial> {
  const {
    merchantId,
    now = new Date(),
    platformCertificates = 2,
    publicKey = false,
    apiV3Key = makeApiV3Key(),
  } = options;
  const given = [...(options.keyPairs ?? [])];
  const nextKeyPair = async (): Promise<KeyPair> => given.shift() ?? generateKeyPair();
  const authority = options.authority ?? (await createAuthority({ now }));
  const merchant = await issueMerchant(authority, merchantId, now, await nextKeyPair());
  const platformKeys: PlatformKey[] = [];
  for (let index = 0; index < platformCertificates; index += 1) {
    const start = new Date(now.getTime() + (index + 1 - platformCertificates) * dayInMilliseconds);
    platformKeys.push(await issuePlatformKey(authority, start, await nextKeyPair()));
  }
  if (publicKey) platformKeys.push({ keyId: makePublicKeyId(merchantId), ...(await nextKeyPair()) });
  return assemble({ merchantId, authority, merchant, apiV3Key, platformKeys });
}

/** When a certificate is renewed, and for which key; both are made unless given. */
export interface RotationOptions {
  /** The certificate begins a day before that time. Now unless given. */
  readonly now?: Date;
  /** Generated unless given. */
  readonly keyPair?: KeyPair;
}

/**
 * The merchant applied for a new certificate: a new key, a new serial number.
 * @example
 * import { rotateMerchant } from 'paycert/testing';
 *
 * const after = await rotateMerchant(wechatpay);
 * console.log(after.merchant.serialNumber === wechatpay.merchant.serialNumber); // → false
 */
export async function rotateMerchant(
  material: WechatpayMaterial,
  { now = new Date(), keyPair }: RotationOptions = {},
): Promise<WechatpayMaterial> {
  const pair = keyPair ?? (await generateKeyPair());
  return assemble({ ...material, merchant: await issueMerchant(material.authority, material.merchantId, now, pair) });
}

/**
 * The console's APIv3 key was changed; the old one stays as apiv3_key.previous.
 * @example
 * import { rotateApiV3Key } from 'paycert/testing';
 *
 * const after = rotateApiV3Key(wechatpay);
 * console.log(after.previousApiV3Key === wechatpay.apiV3Key, after.files.has('apiv3_key.previous')); // → true true
 */
export function rotateApiV3Key(material: WechatpayMaterial, apiV3Key = makeApiV3Key()): WechatpayMaterial {
  return assemble({ ...material, apiV3Key, previousApiV3Key: material.apiV3Key });
}

/**
 * WeChat Pay adds a platform certificate and drops the oldest one. The public key stays.
 * @example
 * import { rotatePlatform } from 'paycert/testing';
 *
 * const after = await rotatePlatform(wechatpay);
 * console.log(after.platformKeys[0].keyId === wechatpay.platformKeys[1].keyId); // → true
 */
export async function rotatePlatform(
  material: WechatpayMaterial,
  { now = new Date(), keyPair }: RotationOptions = {},
): Promise<WechatpayMaterial> {
  const added = await issuePlatformKey(material.authority, now, keyPair ?? (await generateKeyPair()));
  const certificates = material.platformKeys.filter(({ issued }) => issued !== undefined);
  const publicKeys = material.platformKeys.filter(({ issued }) => issued === undefined);
  return assemble({ ...material, platformKeys: [...certificates.slice(1), added, ...publicKeys] });
}

function assemble(parts: Parts): WechatpayMaterial {
  const texts: [name: string, text: string | undefined][] = [
    ['apiclient_key.pem', toPkcs8Pem(parts.merchant.privateKey)],
    ['apiclient_cert.pem', parts.merchant.certificate],
    ['apiv3_key', parts.apiV3Key],
    ['apiv3_key.previous', parts.previousApiV3Key],
  ];
  for (const { keyId, publicKey, issued } of parts.platformKeys) {
    if (issued !== undefined) texts.push([`wechatpay_${keyId}.pem`, issued.certificate]);
    else texts.push(['pub_key.pem', toSpkiPem(publicKey)], ['pub_key_id', keyId]);
  }
  const files = new Map<string, Uint8Array>();
  for (const [name, text] of texts) if (text !== undefined) files.set(name, Buffer.from(text));
  return { ...parts, files };
}

function issueMerchant(authority: Authority, merchantId: string, now: Date, keyPair: KeyPair): Promise<Issued> {
  return authority.issue({ commonName: merchantId, organization: '微信商户系统', keyPair, ...fiveYearsFrom(now) });
}

async function issuePlatformKey(authority: Authority, now: Date, keyPair: KeyPair): Promise<PlatformKey> {
  const issued = await authority.issue({
    commonName: 'Tenpay.com sign',
    organization: 'Tenpay.com',
    keyPair,
    ...fiveYearsFrom(now),
  });
  return { keyId: issued.serialNumber, privateKey: issued.privateKey, publicKey: issued.publicKey, issued };
}

function fiveYearsFrom(now: Date): { notBefore: Date; notAfter: Date } {
  const notBefore = new Date(now.getTime() - dayInMilliseconds);
  return { notBefore, notAfter: new Date(notBefore.getTime() + 5 * yearInMilliseconds) };
}

function makeApiV3Key(): string {
  const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  return Array.from({ length: 32 }, () => alphabet.charAt(randomInt(alphabet.length))).join('');
}

function makePublicKeyId(merchantId: string): string {
  return `PUB_KEY_ID_01${merchantId}${Array.from({ length: 20 }, () => String(randomInt(10))).join('')}`;
}
