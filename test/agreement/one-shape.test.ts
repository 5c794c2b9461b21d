// One shape for all platforms: a caller changes the credential's name and what the platform itself asks for, as its rows of `takes` say.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { Compile } from 'typebox/compile';
import { buildProvider } from '../../src/running/build.ts';
import type { CredentialConfig } from '../../src/config/schema/credential.ts';
import { PaycertError } from '../../src/errors.ts';
import type { Platform } from '../../src/providers/platform.ts';
import type { Operations, PaymentParametersInput, Received, RequestToAuthorize } from '../../src/providers/provider.ts';
import { platforms } from '../../src/providers/registry.ts';
import { factsOfMessages, type Form, formOf } from '../../src/providers/takes.ts';
import * as schema from '../../src/server/schema.ts';
import { createAlipayMaterial, type Files, toPkcs8Pem, toSpkiPem } from '../../src/testing/index.ts';
import { keyPairs, makeMaterial, merchantId } from '../support/key-pairs.ts';
import { type FlatContext, flatten } from '../support/flatten.ts';
import { filesOf } from '../support/mtls.ts';

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

/** A credential of every platform that signs messages, by the platform's id. One that is missing fails below. */
const contexts: Readonly<Record<string, FlatContext>> = { wechatpay, wechatpayV2: v2, alipay: ali, aliyun, hmac, pss };

const signing = Object.values<Platform>(platforms).filter(({ takes }) => Object.keys(takes).length > 0);

/** Every member, with a value that no platform minds. */
const samples: Required<RequestToAuthorize> = {
  method: 'POST',
  url,
  headers: { 'x-acs-version': '1', 'x-acs-action': 'SendSms' },
  body: Buffer.from('{}'),
  encryptionKeyId: 'PUB_KEY_ID_1',
  apiMethod: 'SendSms',
  bizContent: '{}',
  parameters,
  appAuthToken: 'token',
};

const paymentSamples: Required<PaymentParametersInput> = {
  type: 'app',
  signType: 'MD5',
  appId: 'wx8888888888888888',
  prepayId: 'wx1',
  apiMethod: 'alipay.trade.app.pay',
  bizContent: '{}',
  parameters: { order: '1' },
  appAuthToken: 'token',
};

/** What a form cannot do without though its rows do not say so: the platform's own headers, an app that options may name. */
const alsoNeeded: Readonly<Record<string, readonly string[]>> = {
  'aliyun ACS3': ['headers'],
  'wechatpayV2 payment': ['appId'],
};

const pick = (from: object, names: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(from).filter(([name]) => names.includes(name)));

const fieldOf = (error: unknown): string | undefined =>
  error instanceof PaycertError && error.code === 'request-invalid' ? error.field : undefined;

/** Whether it is refused because of its shape, and not for what it holds. */
const isForeign = (error: unknown, member: string): boolean =>
  fieldOf(error) === member && (error as Error).message.includes('not accepted by this credential’s provider');

const refusalOf = (attempt: Promise<unknown> | undefined): Promise<unknown> | undefined =>
  attempt?.then(
    () => undefined,
    (error: unknown) => error,
  );

const { generation: _, ...resultMembers } = schema.AuthorizeResult.properties;

for (const { id, takes } of signing) {
  const context = contexts[id]!;

  describe(`the operations of ${id}`, () => {
    it('are those that its rows name', () => {
      const known = [
        'authorize',
        'sign',
        'verify',
        'decrypt',
        'openNotification',
        'encrypt',
        'paymentParameters',
      ] as const;
      const able = known.filter((name: keyof Operations) => context[name] !== undefined);
      assert.deepEqual(Object.keys(takes).sort(), [...able].sort());
    });
  });

  for (const [operation, all, run] of [
    ['authorize', samples, (input: object) => context.authorize?.(input, moment)],
    ['paymentParameters', paymentSamples, (input: object) => context.paymentParameters?.(input, moment)],
  ] as const) {
    const forms: Readonly<Record<string, Form>> = takes[operation] ?? {};
    for (const [name, { takes: taken, needs }] of Object.entries(forms)) {
      const least = pick(all, [...needs, ...(alsoNeeded[`${id} ${name}`] ?? [])]);

      describe(`${operation} of ${id}, ${name}`, () => {
        it('takes each member of its row, and refuses the rest by name', async () => {
          assert.equal(await refusalOf(run(least)), undefined, 'the least is enough');
          for (const [member, sample] of Object.entries(all)) {
            const input = { ...least, [member]: sample };
            // It would be another form, which has a row of its own.
            if (formOf(forms, input) !== name) continue;
            const error = await refusalOf(run(input));
            assert.equal(isForeign(error, member), !taken.includes(member), `${member}: ${String(error)}`);
          }
        });

        it('refuses by its name what it needs and is missing', async () => {
          for (const member of needs) {
            const { [member]: _, ...rest } = least;
            if (formOf(forms, rest) === name) assert.equal(fieldOf(await refusalOf(run(rest))), member);
          }
        });
      });
    }
  }

  for (const [name, { takes: taken, needs }] of Object.entries(takes.authorize ?? {})) {
    const least = pick(samples, [...needs, ...(alsoNeeded[`${id} ${name}`] ?? [])]);

    describe(`authorize of ${id}, ${name}`, () => {
      it('writes a method in upper case, and no header twice in two spellings', async () => {
        const given = { 'content-TYPE': 'text/plain', ACCEPT: '*/*', authORIZATION: 'theirs', 'USER-agent': 'theirs' };
        const own = { method: 'post', headers: { ...samples.headers, ...given } };
        const result = await context.authorize?.({ ...least, ...pick(own, taken) }, moment);
        assert.equal(result?.method, 'POST');
        const names = Object.keys(result.headers).map((header) => header.toLowerCase());
        assert.deepEqual(names, [...new Set(names)]);
      });

      it('answers in the one shape', async () => {
        const { body, ...result } = (await context.authorize?.(least, moment)) ?? {};
        assert.deepEqual(Object.keys(result).sort(), ['headers', 'keyId', 'method', 'url']);
        for (const member of Object.keys(result)) assert.ok(member in resultMembers);
        assert.ok(body === undefined || body instanceof Uint8Array);
        assert.ok(Compile(schema.AuthorizeResult).Check({ ...result, generation: 1 }));
        assert.ok(URL.canParse((result as { url: string }).url), 'an absolute address comes back as one');
      });
    });
  }

  describe(`verify of ${id}`, () => {
    const forms = Object.values(takes.verify ?? {});
    const facts = { method: 'POST', url, status: 200, headers: {}, body: new Uint8Array() };
    const attempt = (input: object) => refusalOf(context.verify?.(input as Received, now));

    for (const kind of ['response', 'notification', 'return'] as const) {
      const ofKind = forms.filter(({ kinds }) => kinds.includes(kind));

      it(`takes every fact of a ${kind} and nothing else but what its rows name, or refuses the kind`, async () => {
        const error = await attempt({ kind, ...facts });
        if (ofKind.length === 0) {
          assert.ok(context.verify === undefined || fieldOf(error) === 'kind');
          return;
        }
        // What is refused is a message that nobody signed, and never a fact about it.
        assert.equal(fieldOf(error), undefined, String(error));
        const known = new Set<string>(ofKind.flatMap(({ takes: taken }) => taken));
        for (const [member, sample] of Object.entries({ ...samples, signature: '', keyId: '' })) {
          if (member in facts) continue;
          assert.equal(
            isForeign(await attempt({ kind, ...facts, [member]: sample }), member),
            !known.has(member),
            member,
          );
        }
      });
    }

    it('of a bare message is there if a row says so', async () => {
      const message = { kind: 'message', message: new Uint8Array(), signature: '', keyId: 'unknown' };
      const error = await attempt(message);
      const isThere = error instanceof PaycertError && error.code !== 'request-invalid';
      assert.equal(
        isThere,
        forms.some(({ kinds }) => kinds.includes('message')),
      );
    });

    it('takes all facts in each row of an HTTP message', () => {
      for (const { kinds, takes: taken } of forms)
        if (!kinds.includes('message')) assert.deepEqual(taken.slice(0, factsOfMessages.length), factsOfMessages);
    });
  });

  describe(`decrypt of ${id}`, () => {
    const all = { algorithm: 'AES', ciphertext: 'AAAA', nonce: '0'.repeat(12), associatedData: '' };

    for (const [name, { takes: taken, needs }] of Object.entries(takes.decrypt ?? {}))
      it(`takes the members of its row ${name}, and refuses the rest by name`, async () => {
        const least = pick({ ...all, ...(id === 'wechatpay' && { algorithm: 'AEAD_AES_256_GCM' }) }, needs);
        for (const [member, sample] of Object.entries(all)) {
          const input = { ...least, [member]: least[member] ?? sample };
          if (formOf(takes.decrypt!, input) !== name) continue;
          const error = await refusalOf(context.decrypt?.(input as never));
          assert.equal(
            fieldOf(error),
            taken.includes(member as never) ? undefined : member,
            `${member}: ${String(error)}`,
          );
        }
      });
  });
}

describe('the rows of what platforms take', () => {
  const membersOf = ({ properties }: { readonly properties: object }, ours: readonly string[]) =>
    Object.keys(properties)
      .filter((member) => !ours.includes(member))
      .sort();

  it('are tried with every member of the schemas', () => {
    const ours = ['bodyBase64', 'timestamp', 'nonce'];
    assert.deepEqual(Object.keys(samples).sort(), membersOf(schema.AuthorizeRequest, ours));
    assert.deepEqual(Object.keys(paymentSamples).sort(), membersOf(schema.PaymentParametersRequest, []));
  });

  it('are tried with a credential of every platform that signs messages', () => {
    assert.deepEqual(
      signing.map(({ id }) => id),
      Object.keys(contexts),
    );
  });
});
