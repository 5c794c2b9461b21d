// One shape for all platforms: a caller changes the credential's name and what the platform itself asks for, as docs/api.md says.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { Compile } from 'typebox/compile';
import { buildProvider } from '../../src/running/build.ts';
import type { CredentialConfig } from '../../src/config/schema/credential.ts';
import { PaycertError } from '../../src/errors.ts';
import type { Received, RequestToAuthorize } from '../../src/providers/provider.ts';
import { operations } from '../../src/server/operations.ts';
import { AuthorizeRequest, AuthorizeResult } from '../../src/server/schema.ts';
import { createAlipayMaterial, type Files, toPkcs8Pem, toSpkiPem } from '../../src/testing/index.ts';
import { keyPairs, makeMaterial, merchantId } from '../support/key-pairs.ts';
import { type FlatContext, flatten } from '../support/flatten.ts';
import { filesOf } from '../support/mtls.ts';
import { quoted, sections, tableRows } from './documents.ts';

const now = new Date('2026-03-01T00:00:00Z');
const moment = { now, nonce: '0123456789abcdef0123456789abcdef' };
const appId = '2021000000000001';
const url = 'https://platform.example/';
const parameters = { Version: '1', order: '1' };

const [own, partner] = await keyPairs();
assert.ok(own && partner);

async function load(provider: CredentialConfig['provider'], files: Files): Promise<FlatContext> {
  const context = await buildProvider(provider).load(files);
  assert.deepEqual(context.set.problems, []);
  return flatten(context);
}

const wechat = await makeMaterial(now);
const alipay = await createAlipayMaterial({ appId, now });
const [wechatpay, v2, ali, aliyun, hmac, pss] = await Promise.all([
  load({ wechatpay: { merchantId } }, wechat.files),
  load({ wechatpayV2: { merchantId } }, filesOf({ apiv2_key: randomBytes(16).toString('hex') })),
  load({ alipay: { appId, mode: 'certificate' } }, alipay.files),
  load({ aliyun: {} }, filesOf({ access_key_id: 'LTAIexample', access_key_secret: 'secret' })),
  load({ hmac: { keyId: 'shop-1', scheme: 'sorted' } }, filesOf({ key: 'k'.repeat(32) })),
  load(
    { pss: { appId: 'shop-1' } },
    filesOf({ 'private_key.pem': toPkcs8Pem(own.privateKey), 'public_key.pem': toSpkiPem(partner.publicKey) }),
  ),
]);

/** The rows of the table under `authorize`: the least that each takes. */
const requests: Readonly<Record<string, { context: FlatContext; least: RequestToAuthorize }>> = {
  'WeChat Pay': { context: wechatpay, least: { method: 'POST', url } },
  'WeChat Pay v2': { context: v2, least: { url, parameters } },
  'Alipay v2': { context: ali, least: { apiMethod: 'alipay.trade.query' } },
  'Alipay v3': { context: ali, least: { method: 'POST', url } },
  'Aliyun, RPC': { context: aliyun, least: { url, apiMethod: 'SendSms', parameters } },
  'Aliyun, ACS3': {
    context: aliyun,
    least: { method: 'POST', url, apiMethod: 'SendSms', headers: { 'x-acs-version': '1' } },
  },
  'partners, HMAC': { context: hmac, least: { method: 'POST', url } },
  'partners, PSS': { context: pss, least: { method: 'POST', url } },
};

/** The rows of the table under `verify`. */
const credentials: Readonly<Record<string, FlatContext>> = {
  'WeChat Pay': wechatpay,
  'WeChat Pay v2': v2,
  Alipay: ali,
  Aliyun: aliyun,
  'partners, HMAC': hmac,
  'partners, PSS': pss,
};

const tableUnder = (operation: string): string[][] => {
  const section = sections('docs/api.md').find(({ title }) => title.endsWith(`/${operation}`));
  return tableRows(section?.body ?? '').filter(([platform = '']) => platform in { ...requests, ...credentials });
};

const samples: RequestToAuthorize = {
  method: 'POST',
  url,
  headers: { 'x-acs-version': '1' },
  body: Buffer.from('{}'),
  encryptionKeyId: 'PUB_KEY_ID_1',
  apiMethod: 'SendSms',
  bizContent: '{}',
  parameters,
  appAuthToken: 'token',
};

/** Whether it is refused because of its shape, and not for what it holds. */
const isForeign = (error: unknown, member: string): boolean =>
  error instanceof PaycertError &&
  error.code === 'request-invalid' &&
  error.field === member &&
  error.message.includes('nothing that this credential’s provider takes');

const refusalOf = (attempt: Promise<unknown> | undefined): Promise<unknown> | undefined =>
  attempt?.then(
    () => undefined,
    (error: unknown) => error,
  );

const { generation: _, ...resultMembers } = AuthorizeResult.properties;

describe('authorize', () => {
  it('has a row in docs/api.md for every platform', () => {
    assert.deepEqual(
      tableUnder('authorize').map(([platform]) => platform),
      Object.keys(requests),
    );
  });

  it('is tried with every member of its schema', () => {
    const ours = ['bodyBase64', 'timestamp', 'nonce'];
    const members = Object.keys(AuthorizeRequest.properties).filter((member) => !ours.includes(member));
    assert.deepEqual(Object.keys(samples).sort(), members.sort());
  });

  for (const [platform = '', members = ''] of tableUnder('authorize')) {
    const { context, least } = requests[platform]!;
    const documented = quoted(members);

    it(`takes of ${platform} what the table says, and refuses the rest by name`, async () => {
      const selected = new Set(Object.keys(least));
      for (const [member, sample] of Object.entries(samples)) {
        // Another member would make it the platform's other form: that has a row of its own.
        if (['apiMethod', 'parameters'].includes(member) && !selected.has(member)) continue;
        const error = await refusalOf(context.authorize?.({ ...least, [member]: sample as never }, moment));
        assert.equal(isForeign(error, member), !documented.includes(member), `${member}: ${String(error)}`);
      }
    });

    it(`writes for ${platform} a method in upper case, and no header twice in two spellings`, async () => {
      const given = { 'content-TYPE': 'text/plain', ACCEPT: '*/*', authORIZATION: 'theirs', 'USER-agent': 'theirs' };
      const own = { method: 'post', headers: { ...least.headers, ...given } };
      const taken = Object.entries(own).filter(([member]) => documented.includes(member));
      const result = await context.authorize?.({ ...least, ...Object.fromEntries(taken) }, moment);
      assert.equal(result?.method, 'POST');
      const names = Object.keys(result.headers).map((name) => name.toLowerCase());
      assert.deepEqual(names, [...new Set(names)]);
    });

    it(`answers for ${platform} in the one shape`, async () => {
      const { body, ...result } = (await context.authorize?.(least, moment)) ?? {};
      assert.deepEqual(Object.keys(result).sort(), ['headers', 'keyId', 'method', 'url']);
      for (const member of Object.keys(result)) assert.ok(member in resultMembers);
      assert.ok(body === undefined || body instanceof Uint8Array);
      assert.ok(Compile(AuthorizeResult).Check({ ...result, generation: 1 }));
      assert.ok(URL.canParse((result as { url: string }).url), 'an absolute address comes back as one');
    });
  }
});

describe('verify', () => {
  const kinds = ['response', 'notification', 'return'] as const;
  type Facts = Exclude<Received, { kind: 'message' }>;
  const facts = (kind: Facts['kind']): Facts => ({
    kind,
    method: 'POST',
    url,
    status: 200,
    headers: {},
    body: new Uint8Array(),
  });

  it('has a row in docs/api.md for every credential', () => {
    assert.deepEqual(
      tableUnder('verify').map(([platform]) => platform),
      Object.keys(credentials),
    );
  });

  for (const [platform = '', verifies = '', , others = ''] of tableUnder('verify')) {
    const context = credentials[platform]!;

    it(`takes of ${platform} every fact of a message, in the kinds that the table names`, async () => {
      for (const kind of kinds) {
        const error = await refusalOf(context.verify?.(facts(kind), now));
        const isKindRefused = error instanceof PaycertError && error.field === 'kind';
        assert.equal(context.verify !== undefined && !isKindRefused, quoted(verifies).includes(kind), kind);
        // What is refused then is a message that nobody signed, and never a fact about it.
        if (error !== undefined && !isKindRefused) assert.notEqual((error as PaycertError).code, 'request-invalid');
      }
    });

    it(`of a bare message is there for ${platform} where the table says so`, async () => {
      const message = { kind: 'message', message: new Uint8Array(), signature: '', keyId: 'unknown' } as const;
      const error = await refusalOf(context.verify?.(message, now));
      const isThere = error instanceof PaycertError && error.code !== 'request-invalid';
      assert.equal(isThere, verifies.includes('messages'));
    });

    it(`stands beside the other operations of ${platform} that the table names`, () => {
      const methods = {
        sign: context.sign,
        decrypt: context.decrypt,
        notification: context.openNotification,
        encrypt: context.encrypt,
        'payment-parameters': context.paymentParameters,
      };
      const able = Object.entries(methods).flatMap(([name, method]) => (method === undefined ? [] : [name]));
      assert.deepEqual(quoted(others).sort(), able.sort());
      for (const name of able) assert.ok(operations.some((operation) => operation.name === name));
    });
  }

  it('takes apiMethod of Alipay alone', async () => {
    for (const [platform, context] of Object.entries(credentials)) {
      const kind = platform.startsWith('partners') ? 'notification' : 'response';
      const error = await refusalOf(context.verify?.({ ...facts(kind), apiMethod: 'a' }, now));
      if (context.verify !== undefined) assert.equal(isForeign(error, 'apiMethod'), platform !== 'Alipay', platform);
    }
  });
});
