// Makes the material of one Alipay application, both sides of it, and rotates one part of it at a time.
import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import { createAuthority } from './authority.ts';
import type { Authority, Issued } from './authority.ts';
import { generateKeyPair, toPkcs1Pem, toPkcs8Pem, toSpkiPem } from './key-pair.ts';
import type { KeyPair } from './key-pair.ts';
import type { Files } from './secret-volume.ts';

const dayInMilliseconds = 86_400_000;

/** A key that Alipay signs with. */
export interface AlipayKey extends KeyPair {
  /** The SN of its certificate. */
  readonly serial: string;
  readonly issued: Issued;
}

interface Parts {
  readonly appId: string;
  readonly mode: 'certificate' | 'key';
  readonly authority: Authority;
  readonly app: Issued;
  /** Oldest first. In key mode the newest signs, and the application holds the two newest. */
  readonly alipayKeys: readonly AlipayKey[];
  /** 16 bytes in base64. */
  readonly aesKey: string;
}

/** One application's keys as of now, with Alipay's private halves. Never changes; a rotation makes a new one. */
export interface AlipayMaterial extends Parts {
  readonly appSerial: string;
  readonly rootSerial: string;
  /**
   * What the application holds: app_private_key.txt and aes_key; then appCertPublicKey_APPID.crt, alipayRootCert.crt and
   * alipayCertPublicKey_RSA2_SN.crt for each certificate, or in key mode alipay_public_key and its predecessor.
   */
  readonly files: Files;
}

/** Whose material, and of which mode. */
export interface AlipayMaterialOptions {
  readonly appId: string;
  /** Certificates begin a day before that time. Now unless given. */
  readonly now?: Date;
  /** Certificate unless given. */
  readonly mode?: 'certificate' | 'key';
  /** Production unless given: the names of its authorities. */
  readonly environment?: 'production' | 'sandbox';
  /** How many of Alipay's own; 1 unless given. */
  readonly alipayCertificates?: number;
}

/** MD5 of the issuer in RFC 2253 order and the decimal serial number (protocols 2.2). */
function alipaySerial(certificate: string): string {
  const { issuer, serialNumber } = new X509Certificate(certificate);
  const name = issuer.split('\n').reverse().join(',');
  return createHash('md5')
    .update(name + BigInt(`0x${serialNumber}`).toString())
    .digest('hex');
}

/**
 * Makes an application's material: five-year certificates, issued by an authority that is called as Alipay's.
 * @throws PaycertError `package-missing`, as `createAuthority`
 * @example
 * import { createAlipayMaterial } from 'paycert/testing';
 *
 * const { files } = await createAlipayMaterial({ appId: '2021000000000000', mode: 'key' });
 * console.log([...files.keys()]); // → [ 'aes_key', 'app_private_key', 'alipay_public_key' ]
 */
export async function createAlipayMaterial(options: AlipayMaterialOptions): Promise<AlipayMaterial> {
  const { appId, now = new Date(), mode = 'certificate', environment = 'production', alipayCertificates = 1 } = options;
  const suffix = environment === 'sandbox' ? ' test' : '';
  const authority = await createAuthority({
    now,
    commonName: `Ant Financial Certification Authority R1${suffix}`,
    organization: `Ant Financial${suffix}`,
  });
  const app = await issueApp(authority, appId, now);
  const alipayKeys: AlipayKey[] = [];
  for (let index = 0; index < alipayCertificates; index += 1) alipayKeys.push(await issueAlipayKey(authority, now));
  const aesKey = randomBytes(16).toString('base64');
  return assemble({ appId, mode, authority, app, alipayKeys, aesKey });
}

/**
 * The application got a new certificate for a new key, a day before `now`.
 * @example
 * import { rotateAlipayApp } from 'paycert/testing';
 *
 * const after = await rotateAlipayApp(alipay);
 * console.log(after.appSerial === alipay.appSerial); // → false
 */
export async function rotateAlipayApp(material: AlipayMaterial, now = new Date()): Promise<AlipayMaterial> {
  return assemble({ ...material, app: await issueApp(material.authority, material.appId, now) });
}

/**
 * Alipay got a new certificate, a day before `now`. `keep`, which is the default, leaves the one before it in the files.
 * @example
 * import { rotateAlipayKey } from 'paycert/testing';
 *
 * const [both, one] = [await rotateAlipayKey(alipay), await rotateAlipayKey(alipay, { keep: false })];
 * console.log(both.alipayKeys.length, one.alipayKeys.length); // → 2 1
 */
export async function rotateAlipayKey(
  material: AlipayMaterial,
  { now = new Date(), keep = true }: { readonly now?: Date; readonly keep?: boolean } = {},
): Promise<AlipayMaterial> {
  const added = await issueAlipayKey(material.authority, now);
  return assemble({ ...material, alipayKeys: [...(keep ? material.alipayKeys : []), added] });
}

function assemble(parts: Parts): AlipayMaterial {
  const { appId, mode, authority, app, alipayKeys, aesKey } = parts;
  const serial = alipaySerial(app.certificate);
  const bare = (pem: string) => pem.replace(/-----[^-]+-----|\s/g, '');
  const newest = alipayKeys.toReversed();
  const texts: [name: string, text: string | undefined][] =
    mode === 'certificate'
      ? [
          // Alipay's tool writes bare base64, PKCS#8 for Java and PKCS#1 for everybody else.
          ['app_private_key.txt', bare(toPkcs1Pem(app.privateKey))],
          [`appCertPublicKey_${appId}.crt`, app.certificate],
          ['alipayRootCert.crt', authority.certificate],
          ...alipayKeys.map(({ serial: sn, issued }): [string, string] => [
            `alipayCertPublicKey_RSA2_${sn}.crt`,
            issued.certificate,
          ]),
        ]
      : [
          ['app_private_key', toPkcs8Pem(app.privateKey)],
          ['alipay_public_key', newest[0] && bare(toSpkiPem(newest[0].publicKey))],
          ['alipay_public_key.previous', newest[1] && toSpkiPem(newest[1].publicKey)],
        ];
  const files = new Map<string, Uint8Array>([['aes_key', Buffer.from(aesKey)]]);
  for (const [name, text] of texts) if (text !== undefined) files.set(name, Buffer.from(text));
  return { ...parts, appSerial: serial, rootSerial: alipaySerial(authority.certificate), files };
}

async function issueApp(authority: Authority, appId: string, now: Date): Promise<Issued> {
  const keyPair = await generateKeyPair();
  return authority.issue({ commonName: `2088000000000000-${appId}`, organization: '商户', keyPair, ...fiveYears(now) });
}

async function issueAlipayKey(authority: Authority, now: Date): Promise<AlipayKey> {
  const issued = await authority.issue({
    commonName: '支付宝(中国)网络技术有限公司-2088000000000000',
    organization: '支付宝',
    keyPair: await generateKeyPair(),
    ...fiveYears(now),
  });
  const { privateKey, publicKey, certificate } = issued;
  return { privateKey, publicKey, issued, serial: alipaySerial(certificate) };
}

function fiveYears(now: Date): { notBefore: Date; notAfter: Date } {
  const notBefore = new Date(now.getTime() - dayInMilliseconds);
  return { notBefore, notAfter: new Date(notBefore.getTime() + 5 * 365 * dayInMilliseconds) };
}
