// paycert digest as its users run it, on a real API server: with the right to list PaymentCredentials and no other.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { noControlPlane, useControlPlane } from '../../support/control-plane.ts';
import { listenFor } from '../../support/listening.ts';
import { installDefinition, makeAccount, rule, Tenant, wechatpaySpec } from '../../support/operator.ts';
import { paycert } from '../../support/paycert.ts';
import { makeDirectory } from '../../support/sidecar.ts';

describe('paycert digest', { skip: noControlPlane, timeout: 900_000 }, () => {
  const controlPlane = useControlPlane(installDefinition);

  it('prints what it finds, or posts it, and reads nothing but PaymentCredentials', async (t) => {
    const tenant = await Tenant.make(controlPlane());
    await tenant.create('wechat-main', wechatpaySpec('keys'));
    const account = await makeAccount(tenant, [rule('paycert.dev', ['paymentcredentials'], 'list')]);
    const run = (...words: string[]) => paycert(['digest', '-n', tenant.namespace, ...words], { env: account });
    const printed = await run();
    assert.deepEqual([printed.code, printed.stderr], [0, '']);
    assert.match(printed.stdout, /: 1 finding about 1 credential\n\nNeeds doing this month:\n- .*\/wechat-main: Unknown\. The operator/); // prettier-ignore
    const { findings } = JSON.parse((await run('--output', 'json')).stdout) as {
      findings: readonly { name: string }[];
    };
    assert.deepEqual(findings.map(({ name }) => name), ['wechat-main']); // prettier-ignore

    const posted: string[] = [];
    const origin = await listenFor(t, (request, response) => {
      void request.toArray().then((chunks) => {
        posted.push(Buffer.concat(chunks as Buffer[]).toString());
        response.end('{"errcode":0}');
      });
    });
    const file = join(await makeDirectory(t), 'webhook');
    await writeFile(file, `${origin}/robot?key=a-secret-key\n`);
    const sent = await run('--receiver', 'wecom', '--webhook-file', file);
    assert.deepEqual([sent.code, sent.stdout, sent.stderr], [0, '', '']);
    assert.match(posted[0] ?? '', /"msgtype":"text".*wechat-main/);
    // Its right is in one namespace.
    assert.match((await paycert(['digest', '-A'], { env: account })).stderr, /cluster-forbidden/);
  });

  it('says what is wrong with its words before it asks anything', async () => {
    for (const words of [
      ['--receiver', 'slack', '--webhook-file', '/x'],
      ['--receiver', 'wecom'],
      ['--webhook-file', '/nowhere'],
      ['--webhook-file', '/x', '--receiver', 'wecom', '--template', '/y'],
    ])
      // prettier-ignore
      assert.equal((await paycert(['digest', ...words])).code, 64, words.join(' '));
  });
});
