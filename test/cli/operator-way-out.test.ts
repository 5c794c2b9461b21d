// A real operator behind a proxy: certificates of platforms come through a tunnel to the platform's own name, which only that proxy knows, over TLS.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startWechatpayGateway } from '../../src/testing/wechatpay-gateway.ts';
import { noControlPlane, useControlPlane } from '../support/control-plane.ts';
import { startInternet } from '../support/internet.ts';
import { ownFiles } from '../support/listing.ts';
import { installDefinition, Tenant, wechatpaySpec } from '../support/operator.ts';
import { RunningPaycert } from '../support/paycert.ts';
import { passOn } from '../support/platforms.ts';
import { makeDirectory, makeMaterial } from '../support/sidecar.ts';

const limit = { timeout: 300_000, skip: noControlPlane };
const controlPlane = useControlPlane(installDefinition);

describe('the way out of an operator', () => {
  it('is the proxy that --way-out names, for platforms alone', limit, async (t) => {
    const tenant = await Tenant.make(controlPlane());
    const { namespace } = tenant;
    const material = await makeMaterial();
    const platform = await startWechatpayGateway();
    t.after(() => platform.close());
    platform.admit(material);
    const tunnels: string[] = [];
    const hosts = { 'api.mch.weixin.qq.com': passOn(platform.url) };
    const internet = await startInternet(t, await makeDirectory(t), hosts, {
      tunnelled: (target) => tunnels.push(target),
    });
    await tenant.write('keys', ownFiles(material));
    await tenant.write('platform', new Map(), { labels: { 'paycert.dev/certificates-of': 'wechat-main' } });
    const env = {
      KUBECONFIG: await controlPlane().kubeconfig('default'),
      NODE_EXTRA_CA_CERTS: internet['NODE_EXTRA_CA_CERTS'] ?? '',
    };
    const flags = ['--namespace', namespace, '--download-certificates', '--way-out', internet['HTTPS_PROXY'] ?? ''];
    const operator = new RunningPaycert(t, ['operator', '--address', '127.0.0.1:0', ...flags], env);
    await tenant.create('wechat-main', wechatpaySpec('keys', { platformCertificates: { secret: 'platform' } }));
    await tenant.condition('wechat-main', 'CertificatesCurrent', 'True Listed');
    assert.deepEqual([platform.counts.accepted, tunnels], [1, ['api.mch.weixin.qq.com:443']]);
    operator.terminate();
    assert.equal(await operator.ended, 0);
  });
});
