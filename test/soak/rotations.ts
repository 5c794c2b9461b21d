// Version after version of one merchant's material, each with a certificate that no version had before.
import {
  type KeyPair,
  generateKeyPair,
  rotateApiV3Key,
  rotateMerchant,
  rotatePlatform,
  type WechatpayMaterial,
} from '../../src/testing/index.ts';

/** Pairs are made once: a new one takes longer than a whole swap. */
const poolSize = 16;

/** Every fifth version has a new platform certificate too, every seventh a new APIv3 key. */
export async function* rotations(first: WechatpayMaterial): AsyncGenerator<WechatpayMaterial, never> {
  const pairs: KeyPair[] = [];
  for (let made = 0; made < poolSize; made++) pairs.push(await generateKeyPair());
  const pairAt = (index: number): KeyPair => pairs[index % poolSize] ?? first.merchant;
  let version = first;
  for (let index = 0; ; index++) {
    // Half of the pool is the merchant's, half the platform's: one key must not be both.
    version = await rotateMerchant(version, { now: new Date(), keyPair: pairAt((index % 8) * 2) });
    if (index % 5 === 4)
      version = await rotatePlatform(version, { now: new Date(), keyPair: pairAt((index % 8) * 2 + 1) });
    if (index % 7 === 6) version = rotateApiV3Key(version);
    yield version;
  }
}
