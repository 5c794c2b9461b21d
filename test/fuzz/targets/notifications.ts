// What the platform sends: only what it signed is accepted, whatever becomes of headers, envelopes and ciphertexts.
import assert from 'node:assert/strict';
import { createCipheriv, verify } from 'node:crypto';
import { signMessage, type PlatformMessage } from '../../../src/testing/index.ts';
import { loadStore } from '../../support/api-server.ts';
import { type Corpus, now } from '../corpus.ts';
import { byteMutations } from '../mutate-bytes.ts';
import { mutateJson, toText } from '../mutate-json.ts';
import { mutateText, textMutations } from '../mutate-text.ts';
import type { Random } from '../random.ts';
import { type Fate, mutate, refusalOf, type Target } from '../target.ts';
import { serialOf } from './independent.ts';

const mutations = [...byteMutations, ...byteMutations.map(() => mutateText)];
const resource = {
  transaction_id: '4200001234',
  trade_state: 'SUCCESS',
  amount: { total: 100 },
  payer: { openid: 'o' },
};

type Headers = Readonly<Record<string, string>>;

function mutateHeaders(headers: Headers, random: Random): Headers {
  const entries = Object.entries(headers);
  const at = random.below(entries.length);
  const [name, value] = entries[at] ?? ['a', 'b'];
  const changed: [string, string][][] = [
    [],
    [[name.toUpperCase(), value]],
    [[name, random.pick(entries)[1]]],
    [[random.pick(['__proto__', 'wechatpay-statement-sha1', 'Wechatpay-Signature-Type']), value]],
    [[name, random.pick(textMutations)(value, random)]],
    [[name, random.pick(textMutations)(value, random)]],
    [
      [name, value],
      [name.toLowerCase(), random.pick(['', ' ', 'WECHATPAY/SIGNTEST/AAAA', '0', '1e9'])],
    ],
  ];
  return Object.fromEntries(entries.toSpliced(at, 1, ...random.pick(changed)));
}

/** AES-256-GCM with the nonce given, so that the same input can be made again. */
export function seal(plaintext: Buffer, apiV3Key: string, nonce: string) {
  const cipher = createCipheriv('aes-256-gcm', Buffer.from(apiV3Key), Buffer.from(nonce));
  cipher.setAAD(Buffer.from('transaction'));
  const sealed = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  return {
    algorithm: 'AEAD_AES_256_GCM',
    ciphertext: sealed.toString('base64'),
    associated_data: 'transaction',
    nonce,
  };
}

/** Whether the platform signed it, found out without the product. */
function isSigned({ material }: Corpus, { headers, body }: PlatformMessage): boolean {
  const value = (name: string) =>
    Object.entries(headers)
      .find(([key]) => key.toLowerCase() === `wechatpay-${name}`)?.[1]
      .trim() ?? '';
  const keyId = value('serial');
  const serial = serialOf(keyId);
  const key = material.platformKeys.find(
    ({ keyId: id, issued }) => id === keyId || (issued && serial !== undefined && serialOf(id) === serial),
  );
  const message = Buffer.concat([Buffer.from(`${value('timestamp')}\n${value('nonce')}\n`), body, Buffer.from('\n')]);
  const isFresh = Math.abs(now.getTime() / 1000 - Number(value('timestamp'))) <= 300;
  return (
    isFresh && key !== undefined && verify('sha256', message, key.publicKey, Buffer.from(value('signature'), 'base64'))
  );
}

export async function notifications(corpus: Corpus): Promise<Target> {
  const { material } = corpus;
  const { store } = await loadStore({ shop: { files: material.files } });
  const snapshot = store.current('shop');
  const envelopeOf = (plaintext: Buffer, random: Random) => ({
    id: 'e1',
    create_time: '2026-03-01T08:00:00+08:00',
    event_type: 'TRANSACTION.SUCCESS',
    resource: { original_type: 'transaction', ...seal(plaintext, material.apiV3Key, random.bytes(6).toString('hex')) },
  });
  const send = (body: Buffer, random: Random) =>
    signMessage(body, { platformKey: random.pick(material.platformKeys), now, nonce: random.bytes(8).toString('hex') });
  const plain = Buffer.from(JSON.stringify(resource));

  const receive = async (message: PlatformMessage): Promise<Fate> => {
    const isGenuine = isSigned(corpus, message);
    const received = { kind: 'notification', ...message } as const;
    const verified = await refusalOf(() => snapshot.verify(received, now));
    assert.ok(isGenuine || 'error' in verified, 'what the platform did not sign is not accepted');
    const opened = await refusalOf(() => snapshot.receive(received, now));
    if ('error' in opened) return 'refused';
    assert.ok(!('error' in verified), 'what is not verified is not opened');
    JSON.stringify(opened.value);
    return 'accepted';
  };

  const decrypt = async (random: Random): Promise<Fate> => {
    const {
      algorithm,
      ciphertext,
      nonce,
      associated_data: associatedData,
    } = seal(plain, material.apiV3Key, '0'.repeat(12));
    const good = random.isOneIn(2) ? { algorithm, ciphertext, nonce, associatedData } : { ciphertext: corpus.field };
    const [member, value] = random.pick(Object.entries(good));
    const input = { ...good, [member]: mutate(Buffer.from(value), mutations, random, [plain]).toString() };
    const opened = await refusalOf(() => snapshot.decrypt(input, now));
    if ('error' in opened) return 'refused';
    if ('algorithm' in input) assert.deepEqual(Buffer.from(opened.value.plaintext), plain);
    else assert.equal(Buffer.from(opened.value.plaintext).toString(), '6214830000000000');
    return 'accepted';
  };

  return {
    run(random) {
      const good = () => send(Buffer.from(JSON.stringify(envelopeOf(plain, random))), random);
      switch (random.below(6)) {
        case 0: {
          const { headers, body } = good();
          return receive({ headers, body: mutate(Buffer.from(body), mutations, random, [plain]) });
        }
        case 1: {
          const { headers, body } = good();
          return receive({ headers: mutateHeaders(headers, random), body });
        }
        case 2:
          return receive(send(Buffer.from(toText(mutateJson(envelopeOf(plain, random), random))), random));
        case 3:
          return receive(
            send(mutate(Buffer.from(JSON.stringify(envelopeOf(plain, random))), mutations, random, [plain]), random),
          );
        case 4: {
          const odd = mutate(plain, mutations, random, [plain]);
          const text = random.isOneIn(2) ? odd : Buffer.from(toText(mutateJson(resource, random)));
          return receive(send(Buffer.from(JSON.stringify(envelopeOf(text, random))), random));
        }
        default:
          return decrypt(random);
      }
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
