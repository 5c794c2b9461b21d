// RSASSA-PSS: the provider verifies what others signed, and signs what it verifies.
import { createPublicKey } from 'node:crypto';
import { readPrivateKey } from '../../src/crypto/containers.ts';
import { pss } from '../../src/providers/pss/provider.ts';
import { Unusable } from './findings.ts';
import type { Situation } from './situation.ts';

const bytes = (situation: Situation, hex: readonly string[], text: readonly string[], encoding: BufferEncoding) => {
  const digits = situation.text(...hex);
  if (digits !== undefined) return Buffer.from(digits, 'hex');
  const given = situation.text(...text);
  return given === undefined ? undefined : Buffer.from(given, encoding);
};

export async function checkPss(situation: Situation): Promise<void> {
  const provider = pss({ appId: 'a', maxNonces: 1000 });
  const message = bytes(situation, ['msg_hex', 'message_hex'], ['message', 'msg', 'content'], 'utf8');
  if (message === undefined) throw new Unusable('there is no message');
  const signature = bytes(situation, ['sig_hex', 'signature_hex'], ['signature', 'sign', 'sig'], 'base64');
  const privateKey = situation.material('private_key');
  const publicKey = situation.material('public_key', 'key', 'public_key_pem');
  const partner =
    publicKey ??
    (privateKey &&
      Buffer.from(createPublicKey(readPrivateKey(privateKey, 'private_key')).export({ type: 'spki', format: 'pem' })));
  if (partner === undefined) throw new Unusable('there is no key');
  const { set, operations } = await provider.load(new Map([['public_key.pem', partner]]));
  situation.require(set.problems.length === 0, 'the public key does not load');
  const { verify } = operations;
  if (verify === undefined) return;
  const check = async (signed: Uint8Array) =>
    verify(
      {
        kind: 'message',
        message,
        signature: Buffer.from(signed).toString('base64'),
        keyId: set.keys[0]?.keyId ?? '',
      },
      new Date(0),
    );
  if (signature !== undefined) await situation.run(() => check(signature));
  else if (privateKey !== undefined) {
    const { sign } = (await provider.load(new Map([['private_key.pem', privateKey]]))).operations;
    if (sign === undefined) throw new Unusable('the private key does not load');
    await situation.run(async () => check((await sign(message)).signature));
  }
}
