// A few RSA key pairs per test file, generated once: 100 ms each.
import { generateKeyPair, type KeyPair } from '../../src/testing/key-pair.ts';
import { createWechatpayMaterial, type WechatpayMaterial } from '../../src/testing/wechatpay-material.ts';
import { createAuthority } from '../../src/testing/authority.ts';

let pairs: Promise<readonly KeyPair[]> | undefined;

export const keyPairs = (): Promise<readonly KeyPair[]> =>
  (pairs ??= Promise.all(Array.from({ length: 5 }, () => generateKeyPair())));

export const merchantId = '1900000001';

/** A merchant's material with two platform certificates; `rotation` turns the pairs, so that each has other keys. */
export async function makeMaterial(now: Date, rotation = 0): Promise<WechatpayMaterial> {
  const all = await keyPairs();
  const turned = [...all.slice(rotation), ...all.slice(0, rotation)];
  const [root, ...rest] = turned as [KeyPair, ...KeyPair[]];
  const authority = await createAuthority({ now, keyPair: root });
  return createWechatpayMaterial({ merchantId, now, authority, keyPairs: rest });
}
