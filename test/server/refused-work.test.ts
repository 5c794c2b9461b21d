// What any body can order of any operation of any platform: its work is counted, grows no faster than the body, and stays small.
import { workOf } from '../support/work.ts'; // must come first: it counts in what is compiled after it
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import type { CredentialConfig } from '../../src/config/schema/credential.ts';
import type { ErrorCode } from '../../src/errors.ts';
import { platforms } from '../../src/providers/registry.ts';
import { buildProvider } from '../../src/running/build.ts';
import { apiRoutes } from '../../src/server/http.ts';
import { operations } from '../../src/server/operations.ts';
import { problemOf, toPaycertError } from '../../src/server/problem.ts';
import type { RouteCall } from '../../src/server/routes.ts';
import { aroundEach } from '../../src/store/call.ts';
import { type Files, generateKeyPair, toPkcs8Pem, toSpkiPem } from '../../src/testing/index.ts';
import { appId, makeMaterial as makeAlipay } from '../support/alipay.ts';
import { loadStore, maxBodyBytes, start } from '../support/api-server.ts';
import { filesOf } from '../support/directories.ts';
import { issue, makeAuthority, pairFiles } from '../support/mtls.ts';
import { makeMaterial as makeWechatpay, merchantId } from '../support/wechatpay.ts';

const seconds = String(start.getTime() / 1000);
const signature = Buffer.alloc(256, 7).toString('base64');
const secret = () => randomBytes(16).toString('hex');
const [own, partner] = await Promise.all([generateKeyPair(), generateKeyPair()]);
const wechatpay = await makeWechatpay({ now: start });
const authority = await makeAuthority();
const valid = { notBefore: new Date(start.getTime() - 1000), notAfter: new Date(start.getTime() + 1_000_000) };
const partnerFiles = filesOf({ 'private_key.pem': toPkcs8Pem(own.privateKey), 'public_key.pem': toSpkiPem(partner.publicKey) }); // prettier-ignore

const material: Readonly<Record<string, readonly [CredentialConfig['provider'], Files]>> = {
  wechatpay: [{ wechatpay: { merchantId } }, wechatpay.files],
  wechatpayV2: [{ wechatpayV2: { merchantId } }, filesOf({ apiv2_key: secret() })],
  alipay: [{ alipay: { appId, mode: 'certificate' } }, (await makeAlipay()).files],
  aliyun: [{ aliyun: {} }, filesOf({ access_key_id: 'LTAIexample', access_key_secret: secret() })],
  hmac: [{ hmac: { keyId: 'p', scheme: 'sorted-quoted', slash: 'encode' } }, filesOf({ key: secret() })],
  pss: [{ pss: { appId: 'p' } }, partnerFiles],
  mtls: [{ mtls: {} }, filesOf({ ...pairFiles(await issue(authority, 'c', valid)), 'ca.crt': authority.certificate })],
};

const { store, clock } = await loadStore(
  Object.fromEntries(
    Object.entries(material).map(([name, [provider, files]]) => [
      name,
      { provider: buildProvider(provider), files, requires: [] },
    ]),
  ),
);
const observe = () => undefined;
const around = aroundEach({ observe, milliseconds: () => 0, most: 1024 });
const routes = apiRoutes({ store, clock, observe, around, maxBodyBytes, version: '0', startedAt: start }, 'socket');

/** As a listener does it, with the words of a refusal; its code, or nothing. */
async function ask(credential: string, operation: string, body: string): Promise<string | undefined> {
  const route = routes.find(({ path }) => path === `/v1/credentials/{name}/${operation}`);
  assert.ok(route);
  const request = Object.assign(Readable.from([Buffer.from(body)]), {
    headers: { 'content-type': 'application/json' },
  });
  const call: RouteCall = {
    request: request as unknown as IncomingMessage,
    parameters: { name: credential },
    signal: new AbortController().signal,
    gone: { aborted: false },
    alone: { isAlone: false },
  };
  try {
    await route.run(call);
    return undefined;
  } catch (error) {
    return JSON.stringify(problemOf(toPaycertError(error))) && toPaycertError(error).code;
  }
}

const headers = {
  'Wechatpay-Timestamp': seconds,
  'Wechatpay-Nonce': 'n',
  'Wechatpay-Signature': signature,
  'Wechatpay-Serial': wechatpay.platformKeys[0]!.keyId,
  'X-Signature': signature,
  'X-Ts': seconds,
  'X-Nonce': 'n',
  Host: 'a.example',
};
const members = (size: number, name = 'm', value = '"1"') => `{${Array.from({ length: size / 10 }, (_, i) => `"${name}${i}":${value}`).join()}}`; // prettier-ignore
const form = (size: number) => Array.from({ length: size / 10 }, (_, i) => `f${i}=${i}`).join('&');

/** A text that is a caller's, wherever an operation takes one. */
const asText = (text: string): Readonly<Record<string, object>> => ({
  sign: { message: text, more: 1 },
  verify: { kind: 'notification', method: 'POST', url: `/?${text}`, headers, body: text },
  notification: { headers, body: text },
  decrypt: { ciphertext: 'AAAA', algorithm: text, nonce: text, associatedData: text },
  encrypt: { plaintext: text, keyId: text },
  authorize: {
    method: 'POST',
    url: '/v3/a',
    apiMethod: text,
    appAuthToken: text,
    nonce: text,
    parameters: { a: text },
  },
  report: { keyId: text, outcome: text },
  'payment-parameters': { type: text, appId: text, prepayId: text, parameters: { [text]: text } },
});

/** Each of about that many bytes. */
const bodies: Readonly<Record<string, (operation: string, size: number) => string>> = {
  'deep JSON': (_, size) => `{"message":${'['.repeat(size)}`,
  'many members': (_, size) => members(size),
  'many misspelled members': (_, size) => members(size, 'mesage'),
  'many parameters': (_, size) => `{"apiMethod":"a.b","parameters":${members(size)}}`,
  'many parameters with odd names': (_, size) => `{"apiMethod":"a.b","parameters":${members(size, '支&')}}`,
  'many headers': (_, size) => `{"kind":"notification","body":"","headers":${members(size)}}`,
  'a long list': (_, size) => `{"message":[${'{},'.repeat(size / 3)}1]}`,
  'a form of many parameters': (operation, size) => JSON.stringify(asText(form(size))[operation]),
  'a text of one letter': (operation, size) => JSON.stringify(asText('x'.repeat(size))[operation]),
  'a text of blanks': (operation, size) => JSON.stringify(asText(' '.repeat(size))[operation]),
  'a text of escapes': (operation, size) => JSON.stringify(asText('%41'.repeat(size / 3))[operation]),
  'a text of elements': (operation, size) => JSON.stringify(asText(`<xml>${'<a>'.repeat(size / 3)}`)[operation]),
};

const internal: ErrorCode = 'internal-error';

/** Blocks for each byte of a body: what reads each byte of a text twice and writes it once stays below. */
const mostPerByte = 24;

describe('a body of any shape', () => {
  it('is tried on every platform and every operation', () => {
    assert.deepEqual(Object.keys(material).sort(), Object.keys(platforms).sort());
    assert.deepEqual(Object.keys(asText('')).sort(), operations.map(({ name }) => name).sort());
  });

  for (const [shape, make] of Object.entries(bodies))
    it(`costs work that grows no faster than it does, for every platform and operation: ${shape}`, async () => {
      for (const credential of Object.keys(material)) {
        const askAll = async (size: number): Promise<void> => {
          for (const { name } of operations) assert.notEqual(await ask(credential, name, make(name, size)), internal);
        };
        // What is compiled on first use is not counted.
        await askAll(1000);
        const [some, more] = [await workOf(() => askAll(20_000)), await workOf(() => askAll(40_000))];
        assert.ok(more <= 2.2 * some + 2000, `${credential}: ${some} blocks, then ${more}`);
        assert.ok(more <= mostPerByte * 40_000 * operations.length, `${credential}: ${more} blocks`);
      }
    });

  it('costs a batch what it costs alone: one item', async () => {
    const item = JSON.stringify(asText('x'.repeat(20_000))['sign']);
    await ask('wechatpay', 'sign/batch', `{"items":[${item}]}`);
    await ask('wechatpay', 'sign', item);
    const alone = await workOf(() => ask('wechatpay', 'sign', item));
    const batch = await workOf(() => ask('wechatpay', 'sign/batch', `{"items":[${item}]}`));
    assert.ok(batch <= alone + 2000, `${alone} blocks alone, ${batch} in a batch`);
  });
});
