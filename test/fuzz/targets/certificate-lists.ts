// Lists of platform certificates: only what the holder of the APIv3 key sealed becomes a part of material, whatever is sent in its place.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { certificateList } from '../../../src/providers/wechatpay/certificate-list.ts';
import { wechatpay } from '../../../src/providers/wechatpay/provider.ts';
import { type Corpus, now } from '../corpus.ts';
import { byteMutations } from '../mutate-bytes.ts';
import { mutateJson, toText } from '../mutate-json.ts';
import { mutateText } from '../mutate-text.ts';
import type { Random } from '../random.ts';
import { type Fate, mutate, refusalOf, type Target } from '../target.ts';
import { serialOf } from './independent.ts';
import { seal } from './notifications.ts';

const mutations = [...byteMutations, ...byteMutations.map(() => mutateText)];

export async function certificateLists({ material }: Corpus): Promise<Target> {
  const { merchantId, apiV3Key, platformKeys } = material;
  const context = await wechatpay({ merchantId }).load(material.files);
  const { decrypt } = context.operations;
  assert.ok(decrypt);
  const issued = platformKeys.flatMap((key) => key.issued ?? []);
  const genuine = new Set(issued.map(({ certificate }) => new X509Certificate(certificate).fingerprint256));
  const entryOf = (serial: string, plaintext: Buffer, random: Random) => ({
    serial_no: serial,
    effective_time: '2026-01-01T00:00:00+08:00',
    expire_time: random.pick(['2030-01-01T00:00:00+08:00', '2026-01-01T00:00:00+08:00', '2040-01-01T00:00:00Z']),
    encrypt_certificate: seal(plaintext, apiV3Key, random.bytes(6).toString('hex')),
  });
  const listOf = (random: Random) =>
    issued.map(({ serialNumber, certificate }) => entryOf(serialNumber, Buffer.from(certificate), random));

  const open = async (body: Buffer, isSealedByUs: boolean): Promise<Fate> => {
    certificateList.isAbsent({ status: 404, body });
    const opened = await refusalOf(() => certificateList.open(body, decrypt, now));
    if ('error' in opened) return 'refused';
    const certificates = [...opened.value].filter(([name]) => name.endsWith('.pem'));
    assert.ok(certificates.length > 0 && certificates.length <= 32);
    for (const [name, bytes] of certificates) {
      const { serialNumber, fingerprint256 } = new X509Certificate(bytes);
      assert.equal(serialOf(name.replace(/^.*-|\.pem$/g, '')), serialOf(serialNumber));
      assert.ok(!isSealedByUs || genuine.has(fingerprint256), 'what the platform did not seal is no part of material');
    }
    return 'accepted';
  };

  return {
    run(random) {
      switch (random.below(4)) {
        case 0:
          return open(Buffer.from(toText(mutateJson({ data: listOf(random) }, random))), true);
        case 1: {
          const whole = Buffer.from(JSON.stringify({ data: listOf(random) }));
          return open(mutate(whole, mutations, random, [whole]), true);
        }
        case 2: {
          const sealed = mutateJson(listOf(random)[0], random);
          return open(Buffer.from(toText({ data: [sealed, ...listOf(random)] })), true);
        }
        default: {
          const { serialNumber, certificate } = random.pick(issued);
          const plaintext = mutate(Buffer.from(certificate), mutations, random, [Buffer.from(certificate)]);
          return open(Buffer.from(JSON.stringify({ data: [entryOf(serialNumber, plaintext, random)] })), false);
        }
      }
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
