// Certificates that Alipay hands out by their SN: whatever responds, none but Alipay's own becomes a part of material.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { certificateBySerial } from '../../../src/providers/alipay/downloaded.ts';
import { serialOf } from '../../../src/providers/alipay/serials.ts';
import { createAuthority, type IssueOptions } from '../../../src/testing/authority.ts';
import { type Corpus, now } from '../corpus.ts';
import { byteMutations } from '../mutate-bytes.ts';
import { mutateJson, toText } from '../mutate-json.ts';
import { mutateText } from '../mutate-text.ts';
import { Random } from '../random.ts';
import { withSeededChance } from '../seeded.ts';
import { type Fate, mutate, refusalOf, type Target } from '../target.ts';

const mutations = [...byteMutations, ...byteMutations.map(() => mutateText)];
const member = 'alipay_open_app_alipaycert_download_response';
const alipays = { commonName: '支付宝(中国)网络技术有限公司-2088000000000000', organization: '支付宝' };
const notBefore = new Date(now.getTime() - 86_400_000);

/** On keys of the corpus, whose are no matter. */
async function makeWorld({ material, next }: Corpus) {
  const [first, second] = material.platformKeys;
  assert.ok(first && second);
  return withSeededChance(new Random('certificates of Alipay'), async () => {
    const name = { commonName: 'Ant Financial Certification Authority R1', organization: 'Ant Financial', now };
    const root = await createAuthority({ ...name, keyPair: material.merchant });
    const impostor = await createAuthority({ ...name, keyPair: next.merchant });
    const issue = (options: Partial<IssueOptions>, authority = root) =>
      authority.issue({ ...alipays, notBefore, keyPair: second, ...options });
    const known = await issue({ keyPair: first });
    const strangers = await Promise.all([
      issue({ organization: '商户' }),
      issue({ commonName: '2088000000000000-2021000000000001' }),
      issue({ notAfter: new Date(now.getTime() - 1000) }),
      issue({}, impostor),
    ]);
    return {
      genuine: await Promise.all([issue({}), issue({})]),
      others: [...strangers.map(({ certificate }) => certificate), root.certificate, impostor.certificate],
      data: new Map([
        ['alipayRootCert.crt', Buffer.from(root.certificate)],
        ['alipayCertPublicKey_RSA2.crt', Buffer.from(known.certificate)],
      ]),
    };
  });
}

export async function serialCertificates(corpus: Corpus): Promise<Target> {
  const { genuine, others, data } = await makeWorld(corpus);
  const own = genuine.map(({ certificate }) => new X509Certificate(certificate));
  const nodeOf = (content: string) => ({ code: '10000', msg: 'Success', alipay_cert_content: content });
  const base64 = (content: string | Buffer) => Buffer.from(content).toString('base64');
  const write = (node: object) => Buffer.from(JSON.stringify({ [member]: node, sign: 'x' }));

  const open = async (body: Buffer, serial: string): Promise<Fate> => {
    const response = { host: 'openapi.alipay.com', status: 200, headers: {}, body };
    const opened = await refusalOf(() => certificateBySerial.open(response));
    if ('error' in opened || opened.value === 'unknown') return 'refused';
    if (certificateBySerial.faultOf(opened.value, { serial, data, now }) !== undefined) return 'refused';
    const taken = new X509Certificate(opened.value);
    assert.equal(serialOf(taken), serial);
    assert.ok(own.some((one) => one.publicKey.equals(taken.publicKey)), 'Alipay has it'); // prettier-ignore
    return 'accepted';
  };

  return {
    run(random) {
      const asked = random.pick(own);
      const serial = serialOf(asked);
      const pem = asked.toString();
      switch (random.below(4)) {
        case 0:
          return open(Buffer.from(toText({ [member]: mutateJson(nodeOf(base64(pem)), random), sign: 'x' })), serial);
        case 1: {
          const whole = write(nodeOf(base64(pem)));
          return open(mutate(whole, mutations, random, [whole]), serial);
        }
        case 2: {
          const spoiled = mutate(Buffer.from(pem), mutations, random, [Buffer.from(random.pick(others))]);
          return open(write(nodeOf(base64(spoiled))), serial);
        }
        default: {
          // Somebody else's, with what is Alipay's own behind it, asked for by its own SN.
          const other = random.pick(others);
          return open(write(nodeOf(base64(other + pem))), serialOf(new X509Certificate(other)));
        }
      }
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
