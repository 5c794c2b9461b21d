// A real sidecar with one credential of each provider, on material made here.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type AlipayMaterial, createAlipayMaterial } from '../../src/testing/alipay-material.ts';
import { type KeyPair, toPkcs8Pem, toSpkiPem } from '../../src/testing/key-pair.ts';
import { createSecretVolume, type Files } from '../../src/testing/secret-volume.ts';
import type { WechatpayMaterial } from '../../src/testing/wechatpay-material.ts';
import { issue, makeAuthority, pairFiles } from './mtls.ts';
import {
  configuration,
  keyPairs,
  makeDirectory,
  makeMaterial,
  merchantId,
  type Sidecar,
  startSidecar,
} from './sidecar.ts';

export interface Secrets {
  readonly accessKeySecret: string;
  readonly securityToken: string;
  readonly apiV3Key: string;
  readonly apiV2Key: string;
  readonly previousApiV2Key: string;
  readonly shared: string;
  readonly previousShared: string;
  readonly aesKey: string;
  readonly appKey: string;
  readonly tlsKey: string;
}

export interface ProviderSidecar {
  readonly sidecar: Sidecar;
  readonly directory: string;
  readonly secrets: Secrets;
  readonly alipay: AlipayMaterial;
  readonly wechat: WechatpayMaterial;
  /** What the partner of `partner-pss` verifies with. */
  readonly ownKey: KeyPair;
  /** What the partner signs with. */
  readonly partnerKey: KeyPair;
  readonly merchantKeyPem: string;
  readonly ownKeyPem: string;
}

const appId = '2021000000000001';

/** The names that the examples of the documents use. */
export const providers = {
  'wechat-main': `wechatpay: { merchantId: "${merchantId}" }`,
  'alipay-main': `alipay: { appId: "${appId}", mode: certificate }`,
  sms: 'aliyun: { endpoints: [dysmsapi.aliyuncs.com, ecs.cn-shanghai.aliyuncs.com] }',
  'wechat-v2': `wechatpayV2: { merchantId: "${merchantId}", appId: wx1 }`,
  partner: 'hmac: { keyId: shop-1, scheme: sorted }',
  'partner-pss': 'pss: { appId: shop-1 }',
  bank: 'mtls: {}',
} as const;

export type Name = keyof typeof providers;

/** The ids of the providers among them. */
export const providerIds: readonly string[] = Object.values(providers).map((text) => text.slice(0, text.indexOf(':')));

type Material = Readonly<Record<string, string>>;

const filesOf = (material: Material): Files =>
  new Map(Object.entries(material).map(([name, text]) => [name, Buffer.from(text)]));

const textsOf = (files: Files): Material =>
  Object.fromEntries([...files].map(([name, bytes]) => [name, Buffer.from(bytes).toString()]));

export interface Spoiled {
  readonly name: string;
  readonly provider: Name;
  readonly material: (fit: Readonly<Record<Name, Material>>) => Material;
}

/** `more`: lines of the configuration beside its credentials. `env`: of the sidecar. */
export async function startProviders(
  t: TestContext,
  spoiled: readonly Spoiled[] = [],
  more = '',
  env: Readonly<Record<string, string>> = {},
): Promise<ProviderSidecar> {
  const random = () => randomBytes(24).toString('base64');
  const alipay = await createAlipayMaterial({ appId, now: new Date() });
  const alipayFiles = textsOf(alipay.files);
  const [wechat, pairs] = [await makeMaterial(), await keyPairs()];
  const { merchant } = wechat;
  const tls = await issue(await makeAuthority(), 'shop');
  const secrets = {
    accessKeySecret: random(),
    securityToken: random(),
    apiV3Key: wechat.apiV3Key,
    apiV2Key: randomBytes(16).toString('hex'),
    previousApiV2Key: randomBytes(16).toString('hex'),
    shared: random(),
    previousShared: random(),
    aesKey: alipayFiles['aes_key']!,
    appKey: alipayFiles['app_private_key.txt']!,
    tlsKey: pairFiles(tls)['tls.key']!,
  };
  const [ownKey, partnerKey] = [pairs[3]!, pairs[4]!];
  const [ownKeyPem, merchantKeyPem] = [toPkcs8Pem(ownKey.privateKey), toPkcs8Pem(merchant.privateKey)];
  const fit: Readonly<Record<Name, Material>> = {
    'wechat-main': textsOf(wechat.files),
    'alipay-main': alipayFiles,
    sms: {
      access_key_id: 'STS.NTExample',
      access_key_secret: secrets.accessKeySecret,
      security_token: secrets.securityToken,
      expiration: new Date(Date.now() + 3_600_000).toISOString(),
    },
    'wechat-v2': {
      apiv2_key: secrets.apiV2Key,
      'apiv2_key.previous': secrets.previousApiV2Key,
      'apiclient_key.pem': merchantKeyPem,
      'apiclient_cert.pem': merchant.certificate,
    },
    partner: { key: secrets.shared, 'key.previous': secrets.previousShared },
    'partner-pss': { 'private_key.pem': ownKeyPem, 'public_key.pem': toSpkiPem(partnerKey.publicKey) },
    bank: pairFiles(tls),
  };
  const directory = await makeDirectory(t);
  const all = [
    ...(Object.keys(providers) as Name[]).map((name) => ({ name, provider: name, material: fit[name] })),
    ...spoiled.map(({ name, provider, material }) => ({ name, provider, material: material(fit) })),
  ];
  const credentials: string[] = [];
  for (const { name, provider, material } of all) {
    const path = join(directory, name);
    await createSecretVolume(path, filesOf(material));
    credentials.push(
      `  - name: ${name}\n    provider: { ${providers[provider]} }\n    source: { files: { path: ${JSON.stringify(path)} } }\n`,
    );
  }
  const config = configuration(directory, credentials, `log: { level: debug }\n${more}`);
  const sidecar = await startSidecar(t, directory, config, { waitFor: Object.keys(providers), env });
  return { sidecar, directory, secrets, alipay, wechat, ownKey, partnerKey, merchantKeyPem, ownKeyPem };
}
