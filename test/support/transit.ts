// Keys of a real transit engine, for tests.
import { constants, createCipheriv, type KeyObject, publicEncrypt, randomBytes } from 'node:crypto';
import type { Bao } from './bao.ts';

/** AES key wrap with padding (RFC 5649 §3): its alternative initial value. */
const initialValue = Buffer.from('a65959a6', 'hex');

/** Brings a key in, as its next version where there is one of that name already. */
export async function importKey(bao: Bao, name: string, key: KeyObject, path = 'import'): Promise<void> {
  const { data } = await bao.owner('GET', 'transit/wrapping_key');
  const ephemeral = randomBytes(32);
  const wrap = createCipheriv('id-aes256-wrap-pad', ephemeral, initialValue);
  const wrapped = Buffer.concat([wrap.update(key.export({ type: 'pkcs8', format: 'der' })), wrap.final()]);
  const { public_key: publicKey } = data as { public_key: string };
  const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };
  const sealed = publicEncrypt({ key: publicKey, ...padding }, ephemeral);
  const ciphertext = Buffer.concat([sealed, wrapped]).toString('base64');
  await bao.owner('POST', `transit/keys/${name}/${path}`, { ciphertext, hash_function: 'SHA256', type: 'rsa-2048', allow_rotation: true }); // prettier-ignore
}
