// The status: what people and dashboards need, as documented, and no secret in any form.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import Schema from 'typebox/schema';
import { CredentialList, CredentialStatus, ProcessStatus } from '../../src/server/schema.ts';
import { withHalfWrittenFile } from '../../src/testing/spoiled-material.ts';
import { rotateApiV3Key, rotateMerchant } from '../../src/testing/wechatpay-material.ts';
import { makeMaterial, start, startApi, verdictOf } from '../support/api-server.ts';

const first = await makeMaterial();
const material = rotateApiV3Key(await rotateMerchant(first, { now: start }));
const day = 86_400_000;
const maxAge = { milliseconds: 90 * day, isGiven: false };
const api = await startApi({ shop: { files: first.files, isRequired: true, maxAge }, empty: {} });
after(() => api[Symbol.asyncDispose]());
await api.load('shop', material.files);
const paths = {
  '/v1/credentials': CredentialList,
  '/v1/credentials/shop': CredentialStatus,
  '/v1/credentials/empty': CredentialStatus,
};

/** Everything secret about a merchant, in every form it is likely to be printed in. */
const secrets = [first, material].flatMap(({ merchant, apiV3Key, platformKeys }) => [
  ...[merchant, ...platformKeys].flatMap(({ privateKey }) => {
    const { d = '', p = '', q = '' } = privateKey.export({ format: 'jwk' });
    const lines = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString().split('\n').slice(2, -2);
    const hex = [d, p, q].map((number) => Buffer.from(number, 'base64url').toString('hex'));
    return [...lines, d, p, q, ...hex];
  }),
  apiV3Key,
  Buffer.from(apiV3Key).toString('base64').replace(/=*$/, ''),
  Buffer.from(apiV3Key).toString('hex'),
  [...Buffer.from(apiV3Key)].join(','),
]);

describe('the status', () => {
  it('holds no secret, nor do the events', async () => {
    const texts = [JSON.stringify(api.events)];
    for (const path of ['/statusz', '/openapi.json', ...Object.keys(paths)])
      texts.push((await api.call({ path })).text);
    for (const text of texts) {
      assert.doesNotMatch(text, /PRIVATE KEY/);
      const upper = text.toUpperCase();
      for (const secret of secrets) assert.ok(!upper.includes(secret.toUpperCase()));
    }
  });

  it('is what the OpenAPI document says', async () => {
    for (const [path, schema] of Object.entries({ ...paths, '/statusz': ProcessStatus })) {
      assert.deepEqual(Schema.Compile(schema).Errors((await api.get(path)).body)[1], [], path);
    }
  });

  it('names the current and the retired keys, and when they end', async () => {
    const { body } = await api.get('/v1/credentials/shop');
    const { name, required, ready, lacking, generation, apiv3Key } = body;
    assert.deepEqual([name, required, ready, lacking, generation, apiv3Key], ['shop', true, true, [], 2, 'unproven']);
    const keys = body['keys'] as { role: string; keyId: string; notAfter?: string }[];
    const roles = ['merchant', 'platform', 'platform', 'public-key', 'apiv3', 'apiv3-previous'];
    assert.deepEqual(
      keys.map(({ role }) => role),
      roles,
    );
    assert.deepEqual(
      [keys[0]?.keyId, keys[0]?.notAfter],
      [material.merchant.serialNumber, material.merchant.notAfter.toISOString()],
    );
    const [retired, ...others] = body['retired'] as { until: string; keys: { keyId: string }[] }[];
    assert.deepEqual([others, retired?.keys[0]?.keyId], [[], first.merchant.serialNumber]);
    assert.equal(retired?.until, new Date(start.getTime() + 60_000).toISOString());
  });

  it('says of secrets by when they should be replaced, and of no other key', async () => {
    const { body } = await api.get('/v1/credentials/shop');
    const keys = body['keys'] as { role: string; replaceBy?: string }[];
    assert.deepEqual(
      keys.flatMap(({ role, replaceBy }) => (replaceBy === undefined ? [] : [[role, replaceBy]])),
      [['apiv3', new Date(start.getTime() + 90 * day).toISOString()]],
    );
    assert.ok(!JSON.stringify(body['retired']).includes('replaceBy'));
  });

  it('of a credential whose key is too old is as ready as before', async (t) => {
    t.after(() => (api.clock.time = start));
    api.clock.time = new Date(start.getTime() + 91 * day);
    const { ready, warnings } = (await api.get('/v1/credentials/shop')).body;
    assert.deepEqual([ready, warnings], [true, []]);
  });

  it('forgets retired keys when their grace has ended', async (t) => {
    t.after(() => (api.clock.time = start));
    api.clock.time = new Date(start.getTime() + 60_000);
    assert.deepEqual((await api.get('/v1/credentials/shop')).body['retired'], []);
  });

  it('says why the newest material is not current, by field and never by value', async () => {
    await api.load('shop', withHalfWrittenFile(material));
    const { rejection, lastReload, generation } = (await api.get('/v1/credentials/shop')).body;
    const { code, detail } = rejection as Record<string, string>;
    assert.equal(code, 'pem-malformed');
    assert.match(String(detail), /apiclient_key\.pem/);
    assert.deepEqual([generation, lastReload], [2, { at: start.toISOString(), outcome: 'rejected' }]);
  });

  it('says when good material that is not valid yet becomes current by itself', async (t) => {
    t.after(() => (api.clock.time = start));
    const until = material.merchant.notBefore;
    api.clock.time = new Date(until.getTime() - 1000);
    await api.load('shop', material.files);
    const { deferral, rejection, lastReload } = (await api.get('/v1/credentials/shop')).body;
    const { code, until: at } = deferral as Record<string, string>;
    assert.deepEqual([code, at], ['certificate-not-yet-valid', until.toISOString()]);
    assert.equal(rejection, undefined);
    assert.equal((lastReload as Record<string, string>)['outcome'], 'deferred');
  });

  it('of a credential that was never loaded lacks what it must do', async () => {
    const { ready, lacking, keys, generation } = (await api.get('/v1/credentials/empty')).body;
    assert.deepEqual([ready, lacking, keys, generation], [false, ['sign'], [], undefined]);
    assert.deepEqual(verdictOf(await api.get('/v1/credentials/nobody')), [404, 'credential-unknown']);
  });

  it('of the process is ready when every required credential is', async (t) => {
    t.after(() => (api.clock.time = start));
    const { body } = await api.get('/statusz');
    assert.deepEqual([body['version'], body['startedAt'], body['ready']], ['0.0.0', start.toISOString(), true]);
    assert.deepEqual(
      (body['credentials'] as { name: string }[]).map(({ name }) => name),
      ['shop', 'empty'],
    );
    api.clock.time = new Date(material.merchant.notAfter.getTime() + 1);
    assert.equal((await api.get('/statusz')).body['ready'], false);
  });
});
