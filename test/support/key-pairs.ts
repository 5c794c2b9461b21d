// A few RSA key pairs for all test files: generated once, 100 ms each, and kept beside what else the tests compile.
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateKeyPair, type KeyPair, toPkcs8Pem } from '../../src/testing/key-pair.ts';
import { createWechatpayMaterial, type WechatpayMaterial } from '../../src/testing/wechatpay-material.ts';
import { createAuthority } from '../../src/testing/authority.ts';

/** `npm ci` empties it; what is in it has never protected anything. */
const kept = fileURLToPath(new URL('../../node_modules/.cache/key-pairs/', import.meta.url));

/** The pair of that number. Where several processes begin at once, the last one's is kept, whole. */
async function keptKeyPair(index: number): Promise<KeyPair> {
  const path = join(kept, `${String(index)}.pem`);
  const pem = await readFile(path, 'utf8').catch(() => undefined);
  if (pem !== undefined) {
    const privateKey = createPrivateKey(pem);
    return { privateKey, publicKey: createPublicKey(privateKey) };
  }
  const made = await generateKeyPair();
  await mkdir(kept, { recursive: true });
  const own = `${path}.${String(process.pid)}`;
  await writeFile(own, toPkcs8Pem(made.privateKey), { mode: 0o600 });
  await rename(own, path);
  return made;
}

let pairs: Promise<readonly KeyPair[]> | undefined;

/** Nine, no two of them the same. */
export const keyPairs = (): Promise<readonly KeyPair[]> =>
  (pairs ??= Promise.all(Array.from({ length: 9 }, (_, index) => keptKeyPair(index))));

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
