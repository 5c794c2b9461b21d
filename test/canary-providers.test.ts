// No secret of any provider that signs appears in any output: every call, good and bad material, every command.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { operations } from '../src/server/operations.ts';
import { Canaries } from './support/canary.ts';
import { paycert } from './support/paycert.ts';
import { providers, type ProviderSidecar, type Spoiled, startProviders } from './support/provider-sidecar.ts';
import { call } from './support/sidecar.ts';

/** What people do wrong: a secret in another part, two in one, half of one. */
const spoiled: readonly Spoiled[] = [
  {
    name: 'sms-swapped',
    provider: 'sms',
    material: ({ sms }) => ({ access_key_id: sms['access_key_secret']!, access_key_secret: sms['access_key_id']! }),
  },
  {
    name: 'sms-lines',
    provider: 'sms',
    material: ({ sms }) => ({ ...sms, security_token: `${sms['access_key_secret']!}\n${sms['security_token']!}` }),
  },
  {
    name: 'sms-expiration',
    provider: 'sms',
    material: ({ sms }) => ({ ...sms, expiration: sms['access_key_secret']! }),
  },
  {
    name: 'v2-twice',
    provider: 'wechat-v2',
    material: ({ 'wechat-v2': v2 }) => ({ apiv2_key: `${v2['apiv2_key']!}${v2['apiv2_key']!}` }),
  },
  {
    name: 'v2-key-as-certificate',
    provider: 'wechat-v2',
    material: ({ 'wechat-v2': v2 }) => ({ ...v2, 'apiclient_cert.pem': v2['apiclient_key.pem']! }),
  },
  {
    name: 'alipay-swapped',
    provider: 'alipay-main',
    material: ({ 'alipay-main': alipay }) => ({ ...alipay, aes_key: alipay['app_private_key.txt']! }),
  },
  { name: 'hmac-cut', provider: 'partner', material: ({ partner }) => ({ key: partner['key']!.slice(0, 31) }) },
  {
    name: 'pss-private-as-public',
    provider: 'partner-pss',
    material: ({ 'partner-pss': pss }) => ({ ...pss, 'public_key.pem': pss['private_key.pem']! }),
  },
];

const names = Object.keys(providers);

function* bodies({ secrets, ownKeyPem }: ProviderSidecar): Generator {
  const { accessKeySecret, apiV3Key, apiV2Key, shared, aesKey } = secrets;
  const url = 'https://gateway.example/';
  yield* [{}, { message: 'hello' }, { message: shared, signature: apiV2Key, keyId: ownKeyPem }];
  yield* [
    { method: 'POST', url, apiMethod: 'A', headers: { 'x-acs-version': '1' }, body: 'x' },
    { method: 'POST', url, apiMethod: 'A', parameters: { Version: '1' } },
    { method: 'POST', url, parameters: { a: 'b' } },
    { apiMethod: 'a.b', bizContent: aesKey, parameters: { encrypt_type: 'AES' } },
    { method: 'POST', url, body: 'x' },
    { method: 'POST', url, encryptionKeyId: apiV3Key, headers: { 'Wechatpay-Serial': apiV3Key } },
    { method: 'POST', url, parameters: { sign: apiV2Key, AccessKeyId: accessKeySecret, signature: shared } },
    { method: 'POST', url, headers: { [shared.replace(/[^a-z]/gi, '')]: 'x' }, apiMethod: accessKeySecret },
  ];
  yield* ['response', 'notification', 'return'].flatMap((kind) =>
    [`<xml><a>${apiV2Key}</a><sign>${apiV2Key}</sign></xml>`, `<xml><a>&${apiV2Key};</a></xml>`, shared, ''].map(
      (body) => ({
        kind,
        body,
        method: 'POST',
        url: `${url}?app_id=${encodeURIComponent(shared)}&signature=${encodeURIComponent(shared)}`,
        headers: { 'X-Ts': shared, 'X-Nonce': shared, 'X-Signature': ownKeyPem, Host: 'h', Authorization: shared },
      }),
    ),
  );
  yield* [
    { ciphertext: apiV2Key },
    { ciphertext: shared, algorithm: shared, nonce: shared },
    { ciphertext: aesKey, algorithm: 'AES' },
    { body: apiV2Key },
  ];
  yield* [
    { type: 'jsapi', prepayId: 'p' },
    { type: 'app', prepayId: apiV2Key, appId: accessKeySecret },
  ];
}

describe('canary secrets of the providers', { timeout: 900_000 }, () => {
  it('appear in no log line, metric, answer, error or report', async (t) => {
    const running = await startProviders(t, spoiled);
    const { sidecar, directory, secrets } = running;
    for (const { name } of spoiled) {
      // The loaded ones have been awaited; these must have been refused, not overlooked.
      if (name === 'sms-swapped') continue;
      await sidecar.event('rejected', { credential: name });
    }
    const canaries = new Canaries();
    // What a caller sends may come back, as a security token does in every request; what it holds must not.
    const { securityToken, ...hidden } = secrets;
    for (const [name, secret] of Object.entries(hidden)) canaries.add(name, Buffer.from(secret));
    const outputs: string[] = [];
    const leaks: string[] = [];
    for (const { name: operation } of operations)
      for (const name of [...names, ...spoiled.map((one) => one.name)])
        for (const body of bodies(running)) {
          const { status, content } = await call(sidecar.socket, `/v1/credentials/${name}/${operation}`, { body });
          outputs.push(`${name}/${operation} ${status} ${content}`);
          // What a caller puts into a request comes back in it; in a refusal it must not.
          const own = status === 200 ? canaries.find(JSON.stringify(body)) : [];
          leaks.push(...canaries.find(content).filter((found) => !own.includes(found)));
        }
    for (const path of ['/statusz', '/v1/credentials', '/openapi.json'])
      outputs.push((await call(sidecar.socket, path)).content);
    outputs.push((await call(sidecar.admin, '/metrics')).content);
    for (const args of [
      ['validate', '--config', join(directory, 'paycert.yaml')],
      ['status', '--socket', sidecar.socket],
      ['inspect', ...[...names, ...spoiled.map(({ name }) => name)].map((name) => join(directory, name))],
    ])
      for (const format of ['text', 'json']) {
        const { stdout, stderr } = await paycert([...args, '--output', format]);
        outputs.push(`${args[0]}: ${stdout}${stderr}`);
      }
    sidecar.terminate();
    assert.equal(await sidecar.ended, 0);
    outputs.push(...sidecar.stdout.split('\n'), sidecar.stderr);
    assert.ok(outputs.some((output) => output.startsWith('wechat-v2/authorize 200')));
    assert.ok(outputs.some((output) => output.startsWith('sms/authorize 200')));
    assert.ok(outputs.some((output) => output.startsWith('alipay-main/authorize 200')));
    assert.deepEqual(
      outputs.filter((output) => output.includes('internal-error')),
      [],
    );
    const reports = outputs.filter((output) => !/^[a-z0-9-]+\/[a-z-]+ \d{3} /.test(output));
    assert.ok(reports.length > 100);
    leaks.push(
      ...reports.flatMap((output) => canaries.find(output).map((found) => `${found} in ${output.slice(0, 300)}`)),
    );
    assert.deepEqual(leaks, []);
    assert.ok(!outputs.filter((output) => !output.includes('/authorize 200')).some((o) => o.includes(securityToken)));
  });
});
