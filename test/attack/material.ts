// Material of attacked credentials, each in a directory that swaps as kubelet swaps a Secret.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createAlipayMaterial, createSecretVolume, createWechatpayMaterial, type Files, generateKeyPair, rotateMerchant, type SecretVolume, toPkcs8Pem, toSpkiPem, type WechatpayMaterial } from '../../src/testing/index.ts'; // prettier-ignore
import { filesOf } from '../support/directories.ts';

export const merchantId = '1900000001';
export const appId = '2021000000000001';

export interface Attacked {
  readonly name: string;
  readonly volume: SecretVolume;
  /** Its item in the configuration. */
  readonly yaml: string;
  /** The files of the next set of keys. */
  readonly next: () => Promise<Files>;
}

export const itemOf = (name: string, provider: string, path: string): string =>
  `  - { name: ${name}, provider: { ${provider} }, source: { files: { path: ${path} } } }\n`;

/** `next` gets the files of the set before, and makes the first ones of none. */
export async function makeAttacked(
  directory: string,
  name: string,
  provider: string,
  next: () => Promise<Files>,
): Promise<Attacked> {
  const path = join(directory, name);
  const volume = await createSecretVolume(path, await next());
  return { name, volume, yaml: itemOf(name, provider, path), next };
}

/** A fresh merchant key each time, on the same platform keys: nothing of it is derived slowly. */
export function wechatpayFiles(): { readonly next: () => Promise<Files>; readonly current: () => WechatpayMaterial } {
  let material: WechatpayMaterial | undefined;
  return {
    async next() {
      material = material
        ? await rotateMerchant(material, { now: new Date() })
        : await createWechatpayMaterial({ merchantId, now: new Date() });
      return material.files;
    },
    current: () => material!,
  };
}

const secret = () => randomBytes(24).toString('hex');

/** One credential of each platform that receives messages; `main` is the one that signs for another caller. */
export async function makeAll(directory: string) {
  const main = wechatpayFiles();
  const own = await generateKeyPair();
  const partner = async () =>
    filesOf({
      'private_key.pem': toPkcs8Pem(own.privateKey),
      'public_key.pem': toSpkiPem((await generateKeyPair()).publicKey),
    });
  const alipay = async () => (await createAlipayMaterial({ appId, now: new Date() })).files;
  const wechat = wechatpayFiles();
  const rows: readonly (readonly [name: string, provider: string, next: () => Promise<Files>])[] = [
    ['main', `wechatpay: { merchantId: "${merchantId}" }`, main.next],
    ['wechat', `wechatpay: { merchantId: "${merchantId}" }`, wechat.next],
    [
      'wechat-v2',
      `wechatpayV2: { merchantId: "${merchantId}" }`,
      async () => filesOf({ apiv2_key: secret().slice(0, 32) }),
    ],
    ['alipay', `alipay: { appId: "${appId}", mode: certificate }`, alipay],
    ['hmac', 'hmac: { keyId: p, scheme: sorted }', async () => filesOf({ key: secret() })],
    ['hmac-quoted', 'hmac: { keyId: p, scheme: sorted-quoted, slash: encode }', async () => filesOf({ key: secret() })],
    ['hmac-header', 'hmac: { keyId: p, scheme: sorted-header }', async () => filesOf({ key: secret() })],
    ['pss', 'pss: { appId: p }', partner],
  ];
  const attacked = await Promise.all(
    rows.map(([name, provider, next]) => makeAttacked(directory, name, provider, next)),
  );
  return { attacked, wechat: wechat.current };
}
