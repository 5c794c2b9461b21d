// What a context of Alipay accepts: answers, notifications and returns that Alipay signed, and nothing that it did not.
import assert from 'node:assert/strict';
import { sign } from 'node:crypto';
import { describe, it } from 'node:test';
import type { Received, ReceivedNotification } from '../../../src/providers/provider.ts';
import { VerifiedNotification } from '../../../src/providers/verified.ts';
import {
  makeAlipayNotification,
  makeGatewayResponse,
  makeRestResponse,
  rotateAlipayKey,
} from '../../../src/testing/index.ts';
import { appId, loadFit, makeMaterial, now, refusal } from '../../support/alipay.ts';
import { verified } from '../../support/verified.ts';

const material = await rotateAlipayKey(await makeMaterial(), { now });
const stranger = (await makeMaterial()).alipayKeys[0]!;
const [older, newer] = [material.alipayKeys[0]!, material.alipayKeys[1]!];
const context = await loadFit(material.files);
const keyed = await makeMaterial({ mode: 'key', alipayCertificates: 2 });
const byKey = await loadFit(keyed.files, { mode: 'key' });

const apiMethod = 'alipay.trade.query';
const success = '{"code":"10000","subject":"手机 {\\"sign\\":\\"x\\"}","nested":[{}]}';
const gatewayResponse = (text: string | Uint8Array): Received => ({
  kind: 'response',
  apiMethod,
  body: Buffer.from(text),
});
const responseOf = (content: string, alipayKey = newer) =>
  Buffer.from(makeGatewayResponse(apiMethod, content, { alipayKey })).toString();

describe('an answer of the v2 gateway', () => {
  it('verifies with the certificate that it names, old or new', async () => {
    for (const key of [older, newer]) {
      assert.deepEqual(await context.verify(gatewayResponse(responseOf(success, key)), now), { keyId: key.serial });
    }
  });

  it('verifies whatever the order of its members, the space between them, and what is inside', async () => {
    const { sign: signature, alipay_cert_sn: serial } = JSON.parse(responseOf(success)) as Record<string, string>;
    const member = `"alipay_trade_query_response"\n :\t${success}`;
    for (const body of [
      `{"sign":"${signature!}","alipay_cert_sn":"${serial!}",${member}}`,
      ` { ${member} , "a" : [1,{"b":null}] , "sign":"${signature!}"} `,
      `{"a":-1.5e3,${member},"alipay_cert_sn":"${serial!.toUpperCase()}","sign":"${signature!}","b":true}`,
    ]) {
      assert.ok(await context.verify(gatewayResponse(body), now), body);
    }
  });

  it('verifies with any certificate where it names none', async () => {
    const body = makeGatewayResponse(apiMethod, success, { alipayKey: older, namesCertificate: false });
    assert.deepEqual(await context.verify(gatewayResponse(body), now), { keyId: older.serial });
  });

  it('that is encrypted verifies over the ciphertext with its quotes', async () => {
    assert.ok(await context.verify(gatewayResponse(responseOf('"QUJD+/=="')), now));
  });

  it('whose slashes are escaped verifies also when the bare ones were signed', async () => {
    const body = responseOf('{"code":"10000","url":"https://a/b"}').replaceAll('https://a/b', 'https:\\/\\/a\\/b');
    assert.ok(await context.verify(gatewayResponse(body), now));
    await assert.rejects(
      context.verify(gatewayResponse(body.replace('a\\/b', 'c\\/b')), now),
      refusal('signature-invalid'),
    );
  });

  it('whose backslash is itself escaped is not what was signed with a bare slash', async () => {
    const signed = responseOf('{"code":"10000","note":"a\\/b"}');
    assert.ok(await context.verify(gatewayResponse(signed), now));
    assert.ok(
      await context.verify(gatewayResponse(responseOf('{"code":"10000","note":"a/b"}').replace('a/b', 'a\\/b')), now),
    );
    for (const sent of ['a\\\\/b', 'a\\\\\\/b', 'a\\\\\\\\/b'])
      await assert.rejects(
        context.verify(gatewayResponse(signed.replace('a\\/b', sent)), now),
        refusal('signature-invalid'),
        sent,
      );
  });

  for (const [what, change] of Object.entries({
    'another content': (body: string) => body.replace('10000', '10003'),
    'a space inside the content': (body: string) => body.replace('"code":', '"code": '),
    'a signature of a stranger': () => responseOf(success, stranger).replace(stranger.serial, newer.serial),
    'no base64 as its signature': (body: string) => body.replace(/"sign":"[^"]*"\}$/, '"sign":"*"}'),
  })) {
    it(`with ${what} is refused`, async () => {
      await assert.rejects(
        context.verify(gatewayResponse(change(responseOf(success))), now),
        refusal('signature-invalid'),
      );
    });
  }

  it('that names an unknown or expired certificate is refused as such', async () => {
    await assert.rejects(
      context.verify(gatewayResponse(responseOf(success, stranger)), now),
      refusal('key-id-unknown'),
    );
    const late = new Date(newer.issued.notAfter.getTime() + 1000);
    await assert.rejects(context.verify(gatewayResponse(responseOf(success)), late), refusal('no-platform-key'));
  });

  const node = (content: string) => `{"alipay_trade_query_response":${content}}`;
  for (const content of [
    '{"code":"10000"}',
    '{"access_token":"a"}',
    '{}',
    '"QUJD"',
    '{"code":10000}',
    '{"code":null}',
  ]) {
    it(`that is a success without a signature is refused as forged: ${content}`, async () => {
      await assert.rejects(context.verify(gatewayResponse(node(content)), now), refusal('signature-missing', 'sign'));
      const blank = `${node(content).slice(0, -1)},"sign":""}`;
      await assert.rejects(context.verify(gatewayResponse(blank), now), refusal('signature-missing', 'sign'));
    });
  }

  it('that is an error without a signature is neither proof nor forgery; with one, it is judged', async () => {
    const early = '{"error_response":{"code":"40002","sub_code":"isv.invalid-app-id"}}';
    for (const body of [early, node('{"code":"40004"}')]) {
      await assert.rejects(context.verify(gatewayResponse(body), now), refusal('response-unsigned'));
    }
    assert.ok(await context.verify(gatewayResponse(responseOf('{"code":"40004"}')), now));
    const signed = responseOf('{"code":"20000"}').replace('alipay_trade_query_response', 'error_response');
    assert.ok(await context.verify(gatewayResponse(signed), now));
    await assert.rejects(
      context.verify(gatewayResponse(signed.replace('20000', '20001')), now),
      refusal('signature-invalid'),
    );
  });

  it('to another method, to none, to two, or that is no JSON object is refused', async () => {
    const twice = responseOf(success).replace('{', '{"alipay_trade_query_response":{"code":"10000"},');
    const both = responseOf(success).replace('{', '{"error_response":{"code":"1"},');
    const bodies = [
      responseOf(success).replace('query', 'refund'),
      '{}',
      '[]',
      '',
      'null',
      '{"a":',
      twice,
      both,
      '\xff',
    ];
    for (const body of bodies) {
      await assert.rejects(
        context.verify(gatewayResponse(Buffer.from(body, 'latin1')), now),
        refusal('message-malformed'),
        body,
      );
    }
  });

  it('in key mode verifies with the current and the previous public key, whatever it names', async () => {
    for (const alipayKey of keyed.alipayKeys) {
      const body = makeGatewayResponse(apiMethod, success, { alipayKey });
      assert.ok(await byKey.verify(gatewayResponse(body), now));
    }
    await assert.rejects(byKey.verify(gatewayResponse(responseOf(success)), now), refusal('signature-invalid'));
  });
});

describe('an answer of the v3 interface', () => {
  const body = Buffer.from('{"a":"支付"}');
  const message = makeRestResponse(body, { alipayKey: newer, now });
  const answer: Received = { kind: 'response', ...message };
  const withHeaders = (changes: Record<string, string>, status?: number): Received => ({
    ...answer,
    headers: { ...message.headers, ...changes },
    ...(status !== undefined && { status }),
  });

  it('verifies, header names in any case, and within five minutes', async () => {
    const upper = Object.fromEntries(
      Object.entries(message.headers).map(([name, value]) => [name.toUpperCase(), ` ${value} `]),
    );
    assert.deepEqual(await context.verify({ ...answer, headers: upper }, now), { keyId: newer.serial });
    for (const offset of [-300_000, 300_000]) assert.ok(await context.verify(answer, new Date(now.getTime() + offset)));
    for (const offset of [-300_001, 300_001]) {
      await assert.rejects(
        context.verify(answer, new Date(now.getTime() + offset)),
        refusal('timestamp-outside-window'),
      );
    }
  });

  it('with anything changed is refused', async () => {
    const cases: [Received, string][] = [
      [{ ...answer, body: Buffer.from('{}') }, 'signature-invalid'],
      [withHeaders({ 'alipay-nonce': 'x' }), 'signature-invalid'],
      [withHeaders({ 'alipay-sn': older.serial }), 'signature-invalid'],
      [withHeaders({ 'alipay-sn': stranger.serial }), 'key-id-unknown'],
      [withHeaders({ 'alipay-sn': '' }), 'signature-missing'],
      [withHeaders({ 'alipay-signature': '' }), 'signature-missing'],
      [withHeaders({ 'alipay-timestamp': '1e99' }), 'timestamp-outside-window'],
      [withHeaders({ 'alipay-nonce': 'a\nb' }), 'request-invalid'],
      [{ ...answer, headers: {} }, 'signature-missing'],
      [{ kind: 'response', body }, 'request-invalid'],
    ];
    for (const [received, code] of cases) await assert.rejects(context.verify(received, now), { code });
  });

  it('that is an error may come unsigned, which proves nothing; signed, it is judged', async () => {
    await assert.rejects(context.verify({ ...answer, headers: {}, status: 400 }, now), refusal('response-unsigned'));
    assert.ok(await context.verify(withHeaders({}, 400), now));
    await assert.rejects(
      context.verify({ ...withHeaders({}, 400), body: Buffer.alloc(0) } as Received, now),
      refusal('signature-invalid'),
    );
  });

  it('in key mode names no certificate', async () => {
    const signed = makeRestResponse(body, { alipayKey: keyed.alipayKeys[0]!, now });
    const { 'alipay-sn': _, ...headers } = signed.headers;
    assert.ok(await byKey.verify({ kind: 'response', body, headers }, now));
  });
});

describe('a notification', () => {
  const parameters = {
    app_id: appId,
    notify_id: 'n1',
    notify_type: 'trade_status_sync',
    subject: 'a+b %41 手机',
    empty: '',
  };
  const { empty: _, ...filled } = parameters;
  const notify = (more: object = {}) => makeAlipayNotification({ alipayKey: older, parameters: filled, ...more });
  const received = ({ body }: { body: Uint8Array }): ReceivedNotification => ({ kind: 'notification', body });

  for (const rule of ['V1', 'V2'] as const) {
    it(`signed by rule ${rule} verifies with any certificate, and says the rule`, async () => {
      assert.deepEqual(await context.verify(received(notify({ rule })), now), { keyId: older.serial, rule });
    });
  }

  it('verifies with empty values signed or not', async () => {
    assert.ok(await context.verify(received(notify({ parameters })), now));
    const added = Buffer.concat([notify().body, Buffer.from('&empty=')]);
    assert.ok(await context.verify(received({ body: added }), now));
  });

  it('that names its certificate verifies with that one alone', async () => {
    const named = (serial: string) =>
      received({ body: Buffer.concat([notify().body, Buffer.from(`&alipay_cert_sn=${serial}`)]) });
    assert.ok(await context.verify(named(older.serial), now));
    await assert.rejects(context.verify(named(newer.serial), now), refusal('signature-invalid'));
    await assert.rejects(context.verify(named(stranger.serial), now), refusal('key-id-unknown'));
  });

  it('in GBK verifies over its bytes, and opens as text', async () => {
    // 手机 in GBK; node:crypto signs bytes, and so does Alipay.
    const encode = (text: string) => (text === '手机' ? Buffer.from('cad6bbfa', 'hex') : Buffer.from(text));
    const { body } = notify({ parameters: { ...filled, subject: '手机', charset: 'GBK' }, encode });
    const notification = await VerifiedNotification.from(context.verify, received({ body }), now);
    const { resource } = await context.openNotification(notification);
    assert.equal((resource as Record<string, string>)['subject'], '手机');
  });

  it('opens with its id, its kind and its parameters, decoded once', async () => {
    const { body } = notify();
    const notification = await VerifiedNotification.from(context.verify, received({ body }), now);
    const { id, eventType, resource, keyId } = await context.openNotification(notification);
    assert.deepEqual([id, eventType, keyId], ['n1', 'trade_status_sync', older.serial]);
    const { sign: signature, ...rest } = resource as Record<string, string>;
    assert.ok(signature);
    assert.deepEqual(rest, { ...filled, sign_type: 'RSA2' });
  });

  it('for another app is refused when it is opened', async () => {
    const { body } = notify({ parameters: { ...filled, app_id: '2021000000000002' } });
    const notification = await VerifiedNotification.from(context.verify, received({ body }), now);
    await assert.rejects(context.openNotification(notification), refusal('notification-misdirected', 'app_id'));
  });

  for (const [what, change, code] of [
    ['another value', (body: string) => body.replace('n1', 'n2').replace('6e%31', '6e%32'), 'signature-invalid'],
    ['a parameter more', (body: string) => `${body}&a=b`, 'signature-invalid'],
    ['a parameter twice', (body: string) => `${body}&app_id=2`, 'message-malformed'],
    ['a name that is written in another way twice', (body: string) => `${body}&app%5fid=2`, 'message-malformed'],
    ['a percent sign that encodes nothing', (body: string) => `${body}&a=%4`, 'message-malformed'],
    ['no signature', (body: string) => body.replace(/sign=[^&]*$/, ''), 'signature-missing'],
    ['SHA-1', (body: string) => body.replace(/sign_type=[^&]*/, 'sign_type=RSA'), 'signature-algorithm-unsupported'],
    ['SM2', (body: string) => body.replace(/sign_type=[^&]*/, 'sign_type=SM2'), 'signature-algorithm-unsupported'],
  ] as const) {
    it(`with ${what} is refused`, async () => {
      const body = Buffer.from(change(Buffer.from(notify().body).toString()));
      await assert.rejects(context.verify(received({ body }), now), { code });
    });
  }

  it('in a charset that is neither UTF-8 nor GBK, or no text in its own, is not opened', async () => {
    for (const more of [{ charset: 'utf-16' }, { charset: '__proto__' }]) {
      const { body } = notify({ parameters: { ...filled, ...more } });
      await assert.rejects(verified(body).then(context.openNotification), refusal('notification-malformed'));
    }
    const body = Buffer.from('a=%ff');
    await assert.rejects(verified(body).then(context.openNotification), refusal('notification-malformed'));
  });
});

describe('the address that the user came back to', () => {
  const { body } = makeAlipayNotification({
    alipayKey: newer,
    parameters: { app_id: appId, charset: 'utf-8', subject: '手 机' },
  });
  const url = `https://shop.example/back?${Buffer.from(body).toString()}#top`;
  const back = { kind: 'return', body: new Uint8Array(), url } as const;

  it('verifies by its query', async () => {
    assert.deepEqual(await context.verify(back, now), { keyId: newer.serial, rule: 'V1' });
  });

  it('with a changed query, without one, without an address or with a body is refused', async () => {
    await assert.rejects(
      context.verify({ ...back, url: url.replace('app_id', 'app_ie') }, now),
      refusal('signature-invalid'),
    );
    await assert.rejects(context.verify({ ...back, url: 'https://shop.example/' }, now), refusal('signature-missing'));
    await assert.rejects(context.verify({ kind: 'return', body }, now), refusal('request-invalid'));
    await assert.rejects(context.verify({ ...back, body }, now), refusal('request-invalid', 'body'));
  });
});

describe('a message', () => {
  it('verifies with the certificate that is named', async () => {
    const message = Buffer.from('m');
    const signature = sign('sha256', message, newer.privateKey).toString('base64');
    const named = (keyId: string): Received => ({ kind: 'message', message, signature, keyId });
    assert.deepEqual(await context.verify(named(newer.serial), now), { keyId: newer.serial });
    await assert.rejects(context.verify(named(older.serial), now), refusal('signature-invalid'));
    await assert.rejects(context.verify(named('x'), now), refusal('key-id-unknown'));
  });
});
