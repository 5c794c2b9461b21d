// What a response says of the signature that it answers: refused, accepted, or nothing, which no trial of a key may count.
import assert from 'node:assert/strict';
import { type RequestListener } from 'node:http';
import { describe, it } from 'node:test';
import { signMessage } from '../../src/testing/wechatpay-message.ts';
import { makeMaterial, start } from '../support/api-server.ts';
import { listenFor } from '../support/listening.ts';
import { startProxied } from '../support/proxied.ts';

const material = await makeMaterial();
const [platformKey] = material.platformKeys;
assert.ok(platformKey);

const respond =
  (status: number, text: string, isSigned: boolean): RequestListener =>
  (_, response) => {
    const headers = isSigned ? signMessage(Buffer.from(text), { platformKey, now: start }).headers : {};
    response.writeHead(status, headers).end(text);
  };

describe('a response of the platform', () => {
  for (const [what, listener, expected] of [
    ['a success that verifies accepts the signature', respond(200, '{"trade_state":"SUCCESS"}', true), 'accepted'],
    ['a refusal of the signature refuses it', respond(401, '{"code":"SIGN_ERROR","message":"x"}', false), 'refused'],
    ['a refusal of the order that is signed accepts it', respond(400, '{"code":"PARAM_ERROR"}', true), 'accepted'],
    ['an error that nobody signed says nothing', respond(403, '{"code":"NO_AUTH"}', false), undefined],
    ['an error of the platform says nothing', respond(500, '{"code":"SYSTEM_ERROR"}', false), undefined],
    ['a success that does not verify says nothing', respond(200, '{"trade_state":"SUCCESS"}', false), undefined],
  ] as const)
    it(what, async (t) => {
      const double = await listenFor(t, listener);
      const proxied = await startProxied(t, { material, double, attempts: 1 });
      await proxied.call({ path: '/shop/v3/pay/transactions/jsapi', body: '{}' });
      const judged = proxied.events.flatMap((event) => (event.type === 'judged' ? [event] : []));
      assert.deepEqual(judged.map(({ outcome }) => outcome), expected === undefined ? [] : [expected]); // prettier-ignore
      assert.ok(judged.every(({ credential, keyId }) => credential === 'shop' && keyId === material.merchant.serialNumber)); // prettier-ignore
    });
});
