// Bodies of API calls: mutated JSON is answered, never 5xx but 503, and a signature is of what was sent.
import assert from 'node:assert/strict';
import { verify } from 'node:crypto';
import { makeNotification } from '../../../src/testing/index.ts';
import { type Corpus, now } from '../corpus.ts';
import { byteMutations } from '../mutate-bytes.ts';
import { mutateJson, toText } from '../mutate-json.ts';
import { mutateText } from '../mutate-text.ts';
import type { Random } from '../random.ts';
import { mutate, type Target } from '../target.ts';
import { assertProblem, assertStatus, startListener } from './listener.ts';

const mutations = [...byteMutations, ...byteMutations.map(() => mutateText)];

/** One good body of each call, made while chance follows the seed. */
function goodBodies({ material, field }: Corpus): Readonly<Record<string, readonly object[]>> {
  const platformKey = material.platformKeys[0]!;
  const { headers } = makeNotification({ platformKey, now, apiV3Key: material.apiV3Key, resource: { a: 1 }, id: 'e' });
  const fixed = { ...headers, 'Wechatpay-Nonce': 'n', 'Wechatpay-Signature': 'AAAA' };
  const request = {
    method: 'POST',
    url: 'https://api.mch.weixin.qq.com/v3/pay/transactions/jsapi?a=b',
    body: '{"a":1}',
  };
  return {
    sign: [{ message: 'POST\n/v3\n1\nn\n{}\n' }, { messageBase64: 'AAEC' }],
    authorize: [
      request,
      {
        ...request,
        headers: { 'X-A': 'b' },
        timestamp: 1_772_323_200,
        nonce: 'abc',
        encryptionKeyId: platformKey.keyId,
      },
      { apiMethod: 'alipay.trade.query', bizContent: '{"a":1}', parameters: { a: 'b' }, appAuthToken: 'c' },
    ],
    verify: [
      { kind: 'notification', headers: fixed, body: '{}' },
      { kind: 'response', headers: fixed, bodyBase64: 'e30=', url: '/v3/billdownload/file?token=a', status: 200 },
      { kind: 'return', url: 'https://shop.example/back?sign=AAAA', apiMethod: 'a.b' },
      { message: 'a', signature: 'AAAA', keyId: platformKey.keyId },
    ],
    decrypt: [
      { algorithm: 'AEAD_AES_256_GCM', ciphertext: 'A'.repeat(40), nonce: '0'.repeat(12), associatedData: 'a' },
      { ciphertext: field },
    ],
    notification: [{ headers: fixed, body: '{"id":"e"}' }],
    encrypt: [{ plaintext: '6214830000000000' }, { plaintext: 'a', keyId: platformKey.keyId }],
    'payment-parameters': [{ type: 'jsapi', appId: 'wx1', prepayId: 'p1' }],
  };
}

const batchable = new Set(['sign', 'authorize', 'verify', 'decrypt', 'encrypt']);

export async function apiBodies(corpus: Corpus): Promise<Target> {
  const listener = await startListener(corpus);
  const bodies = goodBodies(corpus);

  const makeCall = (random: Random) => {
    const [operation, good] = random.pick(Object.entries(bodies));
    const isBatch = batchable.has(operation) && random.isOneIn(4);
    const items = () => ({ items: Array.from({ length: random.size(6) }, () => random.pick(good)) });
    const value = isBatch ? items() : random.pick(good);
    const body = random.isOneIn(3)
      ? mutate(Buffer.from(JSON.stringify(value)), mutations, random, [Buffer.from(JSON.stringify(good))])
      : Buffer.from(toText(mutateJson(random.isOneIn(4) ? mutateJson(value, random) : value, random)));
    const name = random.isOneIn(50) ? random.pick(['empty', 'unknown', '__proto__']) : 'shop';
    return { operation, body, isBatch, path: `/v1/credentials/${name}/${operation}${isBatch ? '/batch' : ''}` };
  };

  /** What was signed is what the body says, read here on its own. */
  const assertSigned = (body: Buffer, answer: { readonly signature: string; readonly keyId: string }) => {
    const { message, messageBase64 } = JSON.parse(body.toString()) as { message?: string; messageBase64?: string };
    const signed = messageBase64 === undefined ? Buffer.from(message ?? '') : Buffer.from(messageBase64, 'base64');
    const { publicKey, serialNumber } = corpus.material.merchant;
    assert.equal(answer.keyId, serialNumber);
    assert.ok(verify('sha256', signed, publicKey, Buffer.from(answer.signature, 'base64')));
  };

  return {
    async run(random) {
      const { operation, body, isBatch, path } = makeCall(random);
      const { status, text } = await listener.call({ path, headers: { 'Content-Type': 'application/json' }, body });
      listener.assertNoInternalError();
      assertStatus(status, text);
      const answer = JSON.parse(text) as unknown;
      if (random.isOneIn(50)) await listener.assertAlive();
      if (status !== 200) {
        assertProblem(answer);
        return 'refused';
      }
      if (isBatch) {
        for (const { problem } of (answer as { items: { problem?: unknown }[] }).items)
          if (problem) assertProblem(problem);
      } else if (operation === 'sign') assertSigned(body, answer as { signature: string; keyId: string });
      return 'accepted';
    },
    [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
  };
}
