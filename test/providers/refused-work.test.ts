// What a forged message can order: it is read once, each distinct key is tried once, and nothing grows faster than its size.
import { workOf } from '../support/work.ts'; // must come first: it counts in what is compiled after it
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { PaycertError } from '../../src/errors.ts';
import type { Earlier, Provider, Received, SigningContext, Verifier } from '../../src/providers/provider.ts';
import { alipay } from '../../src/providers/alipay/provider.ts';
import { hmac } from '../../src/providers/hmac/provider.ts';
import { pss } from '../../src/providers/pss/provider.ts';
import { wechatpayV2 } from '../../src/providers/wechatpay-v2/provider.ts';
import { wechatpay } from '../../src/providers/wechatpay/provider.ts';
import { generateKeyPair, toPkcs8Pem, toSpkiPem, type Files } from '../../src/testing/index.ts';
import { appId, makeMaterial as makeAlipay, now } from '../support/alipay.ts';
import { filesOf } from '../support/directories.ts';
import { makeMaterial as makeWechatpay, merchantId } from '../support/wechatpay.ts';

const seconds = String(now.getTime() / 1000);
const signature = Buffer.alloc(256, 7).toString('base64');
const secret = () => randomBytes(16).toString('hex');
const [own, partner] = await Promise.all([generateKeyPair(), generateKeyPair()]);
const alipayMaterial = await makeAlipay();
const wechatpayMaterial = await makeWechatpay();
const stamp = `app_id=p&timestamp=${seconds}&nonce=n&signature=00`;

interface Case {
  readonly provider: Provider;
  readonly files: Files;
  /** A forged message of about so many bytes, that is read and refused. */
  readonly forge: (size: number) => Received;
}

const notification = (body: string, more: object = {}): Received => ({
  kind: 'notification',
  body: Buffer.from(body),
  ...more,
});
const response = (body: string): Received => ({
  kind: 'response',
  apiMethod: 'alipay.trade.query',
  body: Buffer.from(body),
});
const parameters = (size: number) => Array.from({ length: size / 10 }, (_, i) => `f${i}=${i}`).join('&');
const v2 = { provider: wechatpayV2({ merchantId }), files: filesOf({ apiv2_key: secret() }) };
const v3 = { provider: wechatpay({ merchantId }), files: wechatpayMaterial.files };
const ali = { provider: alipay({ appId, mode: 'certificate' }), files: alipayMaterial.files };
const [platformKey] = wechatpayMaterial.platformKeys;
const signed = {
  'Wechatpay-Timestamp': seconds,
  'Wechatpay-Nonce': 'n',
  'Wechatpay-Signature': signature,
  'Wechatpay-Serial': platformKey!.keyId,
};
const partners = (scheme: 'sorted' | 'sorted-quoted' | 'sorted-header') => ({
  provider: hmac({ keyId: 'p', scheme, slash: 'keep', maxNonces: 1000 }),
  files: filesOf({ key: secret() + secret() }),
});
const pssFiles = filesOf({
  'private_key.pem': toPkcs8Pem(own.privateKey),
  'public_key.pem': toSpkiPem(partner.publicKey),
});
const pssHeaders = { 'X-Signature': signature, 'X-Ts': seconds, 'X-Nonce': 'n', Host: 'a.example' };

const cases: Readonly<Record<string, Case>> = {
  'many parameters, Alipay': { ...ali, forge: (size) => notification(`sign=AAAA&${parameters(size)}`) },
  'one long parameter, Alipay': {
    ...ali,
    forge: (size) => notification(`sign=AAAA&sign_type=RSA2&a=&b=${'x'.repeat(size)}`),
  },
  'escapes, Alipay': { ...ali, forge: (size) => notification(`sign=AAAA&b=${'%41+'.repeat(size / 4)}`) },
  'a return of many parameters, Alipay': {
    ...ali,
    forge: (size) => ({ kind: 'return', body: Buffer.alloc(0), url: `/?sign=AAAA&${parameters(size)}` }),
  },
  'a deep response, Alipay': { ...ali, forge: (size) => response(`{"a":${'['.repeat(size)}`) },
  'a wide response, Alipay': { ...ali, forge: (size) => response(`{${'"a":1,'.repeat(size / 6)}"b":1}`) },
  'a long array, Alipay': {
    ...ali,
    forge: (size) => response(`{"alipay_trade_query_response":[${'{},'.repeat(size / 3)}1],"sign":"${signature}"}`),
  },
  'escaped slashes, Alipay': {
    ...ali,
    forge: (size) => response(`{"alipay_trade_query_response":"${'\\/'.repeat(size / 2)}","sign":"${signature}"}`),
  },
  'many elements, WeChat Pay v2': {
    ...v2,
    forge: (size) =>
      notification(
        `<xml><sign>0</sign>${'x'.repeat(size / 10).replace(/x/g, () => `<a${Math.random().toString(36).slice(2)}/>`)}</xml>`,
      ),
  },
  'many references, WeChat Pay v2': {
    ...v2,
    forge: (size) => notification(`<xml><sign>0</sign><a>${'&amp;'.repeat(size / 5)}</a></xml>`),
  },
  'many sections, WeChat Pay v2': {
    ...v2,
    forge: (size) => notification(`<xml><sign>0</sign><a>${'<![CDATA[]]>'.repeat(size / 12)}</a></xml>`),
  },
  'one long element, WeChat Pay v2': {
    ...v2,
    forge: (size) => notification(`<xml><sign>0</sign><a>${'x'.repeat(size)}</a></xml>`),
  },
  'a sealed refund, WeChat Pay v2': {
    ...v2,
    forge: (size) =>
      notification(`<xml><return_code>SUCCESS</return_code><req_info>${'A'.repeat(size)}</req_info></xml>`),
  },
  'a long body, WeChat Pay': { ...v3, forge: (size) => notification('{'.repeat(size), { headers: signed }) },
  'many parameters, HMAC': { ...partners('sorted'), forge: (size) => notification(`${stamp}&${parameters(size)}`) },
  'marks, HMAC': { ...partners('sorted-quoted'), forge: (size) => notification(`${stamp}&a=${'!'.repeat(size)}`) },
  'spaces, HMAC': {
    ...partners('sorted-header'),
    forge: (size) =>
      notification(`${stamp.replace(/&signature.*/, '')}&a=${'+'.repeat(size)}`, {
        headers: { Authorization: 'Signature 00' },
      }),
  },
  'many parameters, PSS': {
    provider: pss({ appId: 'p', maxNonces: 1000 }),
    files: pssFiles,
    forge: (size) => notification('', { method: 'POST', url: `/?${parameters(size)}`, headers: pssHeaders }),
  },
  'a long body, PSS': {
    provider: pss({ appId: 'p', maxNonces: 1000 }),
    files: pssFiles,
    forge: (size) => notification('x'.repeat(size), { method: 'POST', url: '/', headers: pssHeaders }),
  },
};

async function refuse({ operations }: SigningContext, received: Received, earlier?: Earlier): Promise<void> {
  await assert.rejects(operations.verify!(received, now, earlier), PaycertError);
}

/** Verifiers of sixteen retired sets, of which each repeats one key and has one of its own; calls are counted by key. */
function retired(all: readonly Verifier[], calls: Map<string, number>): Earlier {
  const template = all.find(({ facts }) => facts.keyId === platformKey!.keyId) ?? all[0];
  assert.ok(template);
  const counting = (id: string): Verifier => ({
    ...template,
    id,
    confirm() {
      calls.set(id, (calls.get(id) ?? 0) + 1);
      return undefined;
    },
  });
  const verifiers = Array.from({ length: 16 }, (_, i) => [counting('repeated'), counting(`set ${i}`)]).flat();
  return { verifiers, openers: [] };
}

describe('a forged message', () => {
  for (const [form, { provider, files }, head] of [
    ['Alipay’s form', ali, `sign=${encodeURIComponent(signature)}&sign_type=RSA2&b=`],
    ['a partner’s form', partners('sorted'), `${stamp}&a=`],
  ] as const)
    it(`costs no more for more of a text in which nothing is encoded: ${form}`, async () => {
      const context = await provider.load(files);
      const [small, large] = [60_000, 120_000].map((size) => notification(head + 'x'.repeat(size)));
      await refuse(context, small!);
      assert.equal(await workOf(() => refuse(context, large!)), await workOf(() => refuse(context, small!)));
    });

  for (const [title, { provider, files, forge }] of Object.entries(cases)) {
    it(`costs work that grows no faster than its size: ${title}`, async () => {
      const context = await provider.load(files);
      // What is compiled on first use is not counted.
      await refuse(context, forge(3_000));
      const [small, large] = [forge(60_000), forge(120_000)];
      const work = [await workOf(() => refuse(context, small)), await workOf(() => refuse(context, large))] as const;
      assert.ok(work[1] <= 2.2 * work[0] + 1000, `${work[0]} blocks, then ${work[1]}`);
      // A few blocks a byte: a verifier that reads it again and again would be above.
      assert.ok(work[1] <= 8 * 120_000, `${work[1]} blocks for 120,000 bytes`);
    });
  }

  for (const title of [
    'one long parameter, Alipay',
    'one long element, WeChat Pay v2',
    'a long body, WeChat Pay',
    'a long body, PSS',
    'marks, HMAC',
  ]) {
    it(`is read once and tries each distinct key once, however many sets are retired: ${title}`, async () => {
      const { provider, files, forge } = cases[title]!;
      const context = await provider.load(files);
      const received = forge(60_000) as Extract<Received, { body: Uint8Array }>;
      let reads = 0;
      const { body } = received;
      const counted = (): Received =>
        Object.defineProperty({ ...received }, 'body', {
          enumerable: true,
          get() {
            reads += 1;
            return body;
          },
        });
      await refuse(context, counted());
      const readsAlone = reads;
      const calls = new Map<string, number>();
      const earlier = retired(context.operations.verifiers ?? [], calls);
      const alone = await workOf(() => refuse(context, received));
      const among = await workOf(() => refuse(context, received, earlier));
      reads = 0;
      calls.clear();
      await refuse(context, counted(), earlier);
      assert.equal(reads, readsAlone);
      assert.deepEqual([calls.size, new Set(calls.values())], [17, new Set([1])]);
      assert.ok(among - alone < 5000, `${among - alone} blocks more for 32 keys of retired sets`);
    });
  }
});
