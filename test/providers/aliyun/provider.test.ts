// Aliyun: what loads, what a token's end means, and that requests verify as Aliyun would verify them.
import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import { aliyun } from '../../../src/providers/aliyun/provider.ts';
import type { RequestToAuthorize } from '../../../src/providers/provider.ts';
import { findViolation } from '../../../src/store/checks.ts';
import { flatten } from '../../support/flatten.ts';
import { refusal } from '../../support/wechatpay.ts';

const now = new Date('2026-03-01T00:00:00.500Z');
const nonce = '0123456789abcdef0123456789abcdef';
const secret = 'OtxrzxIsfpFjA7SwPzILwy8Bw21TLh';
const long = { access_key_id: 'LTAI5tExample', access_key_secret: secret };
const lent = {
  access_key_id: 'STS.NTExample',
  access_key_secret: secret,
  security_token: 'CAIS+token/with=marks',
  expiration: '2026-03-01T01:00:00Z',
};

const load = async (parts: Readonly<Record<string, string>>) =>
  flatten(await aliyun().load(new Map(Object.entries(parts).map(([name, text]) => [name, Buffer.from(text)]))));

async function authorize(parts: Readonly<Record<string, string>>, request: RequestToAuthorize) {
  const context = await load(parts);
  assert.deepEqual(context.problems, []);
  assert.ok(context.authorize);
  return context.authorize(request, { now, nonce });
}

/** As the server does: decode what arrived, and compute the signature anew. */
function verifyRpc(method: string, form: string, key: string): URLSearchParams {
  const parameters = new URLSearchParams(form);
  const encode = (text: string) =>
    encodeURIComponent(text).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
  const names = [...parameters.keys()].filter((name) => name !== 'Signature').sort();
  const canonical = names.map((name) => `${encode(name)}=${encode(parameters.get(name) ?? '')}`).join('&');
  const text = `${method}&%2F&${encode(canonical)}`;
  assert.equal(parameters.get('Signature'), createHmac('sha1', `${key}&`).update(text).digest('base64'));
  return parameters;
}

describe('an RPC call', () => {
  const call = {
    url: 'https://dysmsapi.aliyuncs.com/',
    apiMethod: 'SendSms',
    parameters: { Version: '2017-05-25', PhoneNumbers: '13800000000', TemplateParam: `{"code":"a b+c!'()*~%"}` },
  };

  it('is a form whose signature the server computes too', async () => {
    const { method, url, headers, body, keyId } = await authorize(long, call);
    assert.deepEqual([method, url, keyId], ['POST', 'https://dysmsapi.aliyuncs.com/', long.access_key_id]);
    assert.deepEqual(headers, { 'Content-Type': 'application/x-www-form-urlencoded' });
    const sent = verifyRpc('POST', Buffer.from(body ?? []).toString(), secret);
    assert.equal(sent.get('Timestamp'), '2026-03-01T00:00:00Z');
    assert.equal(sent.get('SignatureNonce'), nonce);
    assert.equal(sent.get('TemplateParam'), call.parameters.TemplateParam);
    assert.equal(sent.get('Format'), 'JSON');
    assert.equal(sent.has('SecurityToken'), false);
  });

  it('with GET carries everything in its address, the base64 of its signature encoded', async () => {
    const { url, body } = await authorize(long, { ...call, method: 'get' });
    assert.equal(body, undefined);
    verifyRpc('GET', new URL(url).search.slice(1), secret);
    assert.doesNotMatch(url, /[+ ]/);
  });

  it('with a security token signs it like any other parameter', async () => {
    const { body } = await authorize(lent, call);
    const sent = verifyRpc('POST', Buffer.from(body ?? []).toString(), secret);
    assert.equal(sent.get('SecurityToken'), lent.security_token);
    assert.equal(sent.get('AccessKeyId'), lent.access_key_id);
  });

  it('never holds the secret', async () => {
    const authorized = await authorize(lent, call);
    const text = JSON.stringify(authorized) + Buffer.from(authorized.body ?? []).toString();
    assert.ok(!text.includes(secret));
  });

  it('is refused with parameters that the signature sets itself, without a version, and with a path', async () => {
    for (const change of [
      { parameters: { ...call.parameters, AccessKeyId: 'x' } },
      { parameters: { ...call.parameters, Timestamp: 'x' } },
      { parameters: { Action: 'x', Version: '1' } },
      { parameters: {} },
      { url: 'https://dysmsapi.aliyuncs.com/x' },
      { url: 'https://dysmsapi.aliyuncs.com/?a=b' },
      { method: 'PUT' },
      { body: Buffer.from('x') },
      { headers: { a: 'b' } },
    ])
      await assert.rejects(() => authorize(long, { ...call, ...change }), refusal('request-invalid'));
  });
});

describe('an ACS3 request', () => {
  const request = {
    method: 'post',
    url: 'https://ecs.cn-shanghai.aliyuncs.com/?b=%7E1&a=&B=x%20y',
    headers: { 'X-Acs-Version': '2014-05-26', 'User-Agent': 'shop' },
    apiMethod: 'RunInstances',
    body: Buffer.from('{"名":1}'),
  };

  it('is signed over method, path, sorted query, its own headers and its body', async () => {
    const { method, url, headers, keyId } = await authorize(lent, request);
    assert.deepEqual([method, keyId], ['POST', lent.access_key_id]);
    assert.equal(url, 'https://ecs.cn-shanghai.aliyuncs.com/?B=x%20y&a=&b=~1');
    const hash = createHash('sha256').update(request.body).digest('hex');
    const canonical = [
      'POST',
      '/',
      'B=x%20y&a=&b=~1',
      'content-type:application/json',
      'host:ecs.cn-shanghai.aliyuncs.com',
      'x-acs-action:RunInstances',
      `x-acs-content-sha256:${hash}`,
      'x-acs-date:2026-03-01T00:00:00Z',
      `x-acs-security-token:${lent.security_token}`,
      `x-acs-signature-nonce:${nonce}`,
      'x-acs-version:2014-05-26',
      '',
      'content-type;host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-security-token;x-acs-signature-nonce;x-acs-version',
      hash,
    ].join('\n');
    const text = `ACS3-HMAC-SHA256\n${createHash('sha256').update(canonical).digest('hex')}`;
    const signature = createHmac('sha256', secret).update(text).digest('hex');
    assert.match(headers['Authorization'] ?? '', new RegExp(`Credential=STS\\.NTExample,.*Signature=${signature}$`));
    assert.equal(headers['User-Agent'], 'shop');
    assert.equal(headers['Accept'], 'application/json');
    // A client sets it from the address, and many refuse to be told.
    assert.ok(!Object.keys(headers).some((name) => name.toLowerCase() === 'host'));
  });

  it('takes a path with the header Host, and the action from a header', async () => {
    const headers = { 'x-acs-version': '1', 'x-acs-action': 'A', Host: 'h' };
    const { url, headers: sent } = await authorize(long, { method: 'GET', url: '/x', headers });
    assert.equal(url, '/x');
    assert.equal(sent['x-acs-action'], 'A');
    assert.match(sent['Authorization'] ?? '', /SignedHeaders=host;x-acs-action;/);
  });

  it('replaces the signature headers and the token that the caller brings', async () => {
    const foreign = {
      'X-ACS-Security-Token': 'theirs',
      'x-acs-date': 'then',
      AUTHORIZATION: 'x',
      'X-Acs-Version': '1',
    };
    const { headers } = await authorize(long, { ...request, headers: foreign });
    assert.doesNotMatch(JSON.stringify(headers), /theirs|then/);
    assert.equal(Object.keys(headers).filter((name) => name.toLowerCase() === 'authorization').length, 1);
  });

  it('is refused without a host, an action or a version, with + in its query, a line break in a header and SM3', async () => {
    for (const change of [
      { url: '/x' },
      { apiMethod: undefined },
      { headers: {} },
      { url: 'https://h/?a=b+c' },
      { headers: { ...request.headers, 'x-acs-a': '1\nx-acs-b:2' } },
      { headers: { ...request.headers, 'X-Acs-Content-SM3': 'a' } },
      { method: undefined },
      { bizContent: '{}' },
    ] as Record<string, unknown>[])
      await assert.rejects(() => authorize(long, { ...request, ...change }), refusal('request-invalid'));
  });
});

describe('an access key', () => {
  it('is named by its id, and shows nothing of its secret', async () => {
    const { keys, capabilities } = await load({ ...long, access_key_secret: `${secret}\n` });
    const [key] = keys;
    assert.equal(key?.keyId, long.access_key_id);
    assert.match(key.fingerprint, /^[0-9a-f]{8}$/);
    assert.equal(key.notAfter, undefined);
    assert.deepEqual([...capabilities(now)], ['sign']);
  });

  it('whose id has not the published form, or is another part as well, signs with it and shows a check value', async () => {
    const token =
      'CAISzgJ1q6Ft5B2yfSjIr5bBEuPe3OpqgqvbGh/Z1W0OeMdimvfhozz2IHhMenhhBOwasfw0mG9b5/8clqZaS5JeSVeBY81fw2Rk';
    for (const parts of [
      { ...long, access_key_id: 'hunter2' },
      { ...long, access_key_id: 'p' },
      { ...lent, access_key_id: token },
      { ...lent, access_key_id: 'LTAI/with+marks=' },
      { ...long, access_key_id: 'STSexample' },
      { ...long, note: `${long.access_key_id}\n` },
    ]) {
      const { keys, signer, authorize: sign } = await load(parts);
      const shown = JSON.stringify([keys, signer?.facts]);
      assert.ok(!shown.includes(`"${parts.access_key_id}"`), parts.access_key_id);
      assert.match(keys[0]!.keyId, /^[0-9a-f]{8}$/);
      const request = {
        apiMethod: 'SendSms',
        url: 'https://dysmsapi.aliyuncs.com/',
        parameters: { Version: '2017-05-25' },
      };
      const { body, keyId } = await sign!(request, { now, nonce });
      assert.equal(new URLSearchParams(Buffer.from(body!).toString()).get('AccessKeyId'), parts.access_key_id);
      assert.equal(keyId, keys[0]!.keyId);
    }
  });

  it('that is lent cannot sign any more when its token has expired, and is not swapped in then', async () => {
    const context = await load(lent);
    const end = new Date(lent.expiration);
    assert.deepEqual([...context.capabilities(new Date(end.getTime() - 1))], ['sign']);
    assert.deepEqual([...context.capabilities(end)], []);
    const candidate = { context, current: undefined, older: 'accept' as const };
    assert.equal(await findViolation(candidate, now), undefined);
    assert.equal((await findViolation(candidate, end))?.code, 'security-token-expired');
  });

  it('is refused where a part is missing or is not what it should be, each by its name', async () => {
    const problemsOf = async (parts: Readonly<Record<string, string>>) =>
      (await load(parts)).problems.map(({ code, field }) => `${code} ${String(field)}`);
    assert.deepEqual(await problemsOf({}), ['material-missing access_key_id', 'material-missing access_key_secret']);
    assert.deepEqual(await problemsOf({ ...long, access_key_secret: 'LTAI5tExample' }), [
      'access-key-malformed access_key_secret',
    ]);
    assert.deepEqual(await problemsOf({ ...lent, security_token: 'two words', access_key_id: '' }), [
      'access-key-malformed access_key_id',
      'access-key-malformed security_token',
    ]);
    assert.deepEqual(await problemsOf({ access_key_id: secret, access_key_secret: 'bq2sjzg80syu2pg2' }), [
      'access-key-malformed access_key_id',
    ]);
    assert.deepEqual(await problemsOf({ ...long, access_key_id: 'STS.Example' }), ['material-missing security_token']);
    for (const expiration of [
      '2027-02-30T00:00:00Z',
      'tomorrow',
      '1772326800',
      '2026-13-01T00:00:00Z',
      '2026-03-01T00:00:00',
    ])
      assert.deepEqual(await problemsOf({ ...lent, expiration }), ['expiration-malformed expiration']);
    assert.deepEqual(await problemsOf({ ...lent, expiration: '2026-03-01T08:00:00.5+08:00\n' }), []);
  });
});
