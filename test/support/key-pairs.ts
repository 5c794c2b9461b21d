// A few RSA key pairs per test file, generated once: 100 ms each.
import { generateKeyPair, type KeyPair } from '../../src/testing/key-pair.ts';
import { createWechatpayMaterial, type WechatpayMaterial } from '../../src/testing/wechatpay-material.ts';
import { createAuthority } from '../../src/testing/authority.ts';

let pairs: Promise<readonly KeyPair[]> | undefined;

export const keyPairs = (): Promise<readonly KeyPair[]> =>
  (pairs ??= Promise.all(Array.from({ length: 9 }, () => generateKeyPair())));

export const merchantId = '1900000001';

/** With two platform certificates; each `rotation` has other keys, and none that was the merchant's is ever the platform's. */
export async function makeMaterial(now: Date, rotation = 0): Promise<WechatpayMaterial> {
  const all = await keyPairs();
  const authority = await createAuthority({ now, keyPair: all[0]! });
  const merchants = [1, 5, 6, 7, 8];
  const chosen = [merchants[rotation % 5], 2 + (rotation % 3), 2 + ((rotation + 1) % 3)];
  const turned = chosen.map((index) => all[index ?? 0]!);
  return createWechatpayMaterial({ merchantId, now, authority, keyPairs: turned });
}
