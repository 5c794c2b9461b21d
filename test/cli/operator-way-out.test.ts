// A real operator behind a proxy: certificates of platforms come through a tunnel to the platform's own name, which only that proxy knows, over TLS.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startBehindProxy } from '../support/behind-proxy.ts';
import { noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { ownFiles } from '../support/listing.ts';
import { installDefinition, Tenant, wechatpaySpec } from '../support/operator.ts';
import { RunningPaycert } from '../support/paycert.ts';
import { makeDirectory, makeMaterial } from '../support/sidecar.ts';

const limit = { timeout: 300_000, skip: noControlPlane };
const controlPlane = useControlPlane(installDefinition);

describe('the way out of an operator', () => {
  it('is the proxy that --way-out names, for platforms alone', limit, async (t) => {
    const tenant = await Tenant.make(controlPlane());
    const { namespace } = tenant;
    const material = await makeMaterial();
    const { platform, tunnels, proxy, env } = await startBehindProxy(t, await makeDirectory(t), material);
    await tenant.write('keys', ownFiles(material));
    await tenant.write('platform', new Map(), { labels: { 'paycert.dev/certificates-of': 'wechat-main' } });
    const flags = ['--namespace', namespace, '--download-certificates', '--way-out', proxy];
    const KUBECONFIG = await controlPlane().kubeconfig('default');
    const operator = new RunningPaycert(t, ['operator', '--address', '127.0.0.1:0', ...flags], { ...env, KUBECONFIG });
    await tenant.create('wechat-main', wechatpaySpec('keys', { platformCertificates: { secret: 'platform' } }));
    await tenant.condition('wechat-main', 'CertificatesCurrent', 'True Listed');
    assert.deepEqual([platform.counts.accepted, tunnels], [1, ['api.mch.weixin.qq.com:443']]);
    operator.terminate();
    assert.equal(await operator.ended, 0);
  });
});
