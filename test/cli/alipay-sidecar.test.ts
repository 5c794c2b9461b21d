// A sidecar with an Alipay credential: a person is certified over its API, and nothing of hers is in any output.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createAlipayMaterial, createSecretVolume, startAlipayGateway } from '../../src/testing/index.ts';
import { exchange } from '../support/http-client.ts';
import { call, configuration, makeDirectory, startSidecar } from '../support/sidecar.ts';

const appId = '2021000000000001';
const person = { cert_name: '司马相如', cert_no: '11010119900307001X' };

describe('a sidecar with an Alipay credential', { timeout: 900_000 }, () => {
  it('certifies a person against a gateway that verifies, and logs neither name nor number', async (t) => {
    const directory = await makeDirectory(t);
    const material = await createAlipayMaterial({ appId, now: new Date() });
    await createSecretVolume(join(directory, 'alipay'), material.files);
    await using gateway = await startAlipayGateway({ material });
    const credential =
      `  - name: alipay\n    provider: { alipay: { appId: "${appId}", mode: certificate } }\n` +
      `    source: { files: { path: ${join(directory, 'alipay')} } }\n`;
    const config = configuration(directory, [credential], 'log: { level: debug }\n');
    const sidecar = await startSidecar(t, directory, config, { waitFor: ['alipay'] });

    const ask = async (operation: string, body: object, status = 200) => {
      const answer = await call(sidecar.socket, `/v1/credentials/alipay/${operation}`, { body });
      assert.equal(answer.status, status, answer.content);
      return JSON.parse(answer.content) as Record<string, string>;
    };
    const send = async (apiMethod: string, content: object) => {
      const request = { apiMethod, bizContent: JSON.stringify(content) };
      const { method, url, headers, body } = (await ask('authorize', request)) as unknown as {
        method: string;
        url: string;
        headers: Record<string, string>;
        body: string;
      };
      const { pathname, search } = new URL(url);
      const answer = await exchange(new URL(gateway.url).host, { method, path: pathname + search, headers, body });
      await ask('verify', { kind: 'response', apiMethod, body: answer.text });
      await ask('verify', { kind: 'response', apiMethod, body: answer.text.replace('10000', '10001') }, 422);
      const members = JSON.parse(answer.text) as Record<string, Record<string, string>>;
      return members[`${apiMethod.replaceAll('.', '_')}_response`]!;
    };
    const { certify_id } = await send('alipay.user.certify.open.initialize', {
      outer_order_no: randomBytes(16).toString('hex'),
      identity_param: person,
    });
    const page = { apiMethod: 'alipay.user.certify.open.certify', bizContent: JSON.stringify({ certify_id }) };
    const { pageUrl = '' } = await ask('payment-parameters', page);
    assert.equal((await send('alipay.user.certify.open.query', { certify_id }))['passed'], 'F');
    const opened = await exchange(new URL(gateway.url).host, {
      path: new URL(pageUrl).pathname + new URL(pageUrl).search,
    });
    assert.equal(opened.status, 302);
    assert.equal((await send('alipay.user.certify.open.query', { certify_id }))['passed'], 'T');
    assert.equal(gateway.counts.refused, 0);
    await ask('authorize', { apiMethod: 'x', bizContent: JSON.stringify(person), nonce: '***' }, 400);

    const output = sidecar.stdout + sidecar.stderr;
    assert.match(output, /"operation":"authorize"/);
    for (const secret of Object.values(person)) assert.ok(!output.includes(secret));
  });
});
