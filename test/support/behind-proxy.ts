// WeChat Pay under its own name, which only a proxy knows that opens tunnels to it.
import type { TestContext } from 'node:test';
import { type Gateway, startWechatpayGateway } from '../../src/testing/wechatpay-gateway.ts';
import type { WechatpayMaterial } from '../../src/testing/wechatpay-material.ts';
import { startInternet } from './internet.ts';
import { passOn } from './platforms.ts';

export interface BehindProxy {
  readonly platform: Gateway;
  /** The host and the port of each tunnel that the proxy has opened, in order. */
  readonly tunnels: readonly string[];
  /** The proxy's URL. */
  readonly proxy: string;
  /** What trusts the platform there. */
  readonly env: { readonly NODE_EXTRA_CA_CERTS: string };
}

/** The platform knows the merchant of that material. The directory gets the certificates to trust. */
export async function startBehindProxy(
  t: TestContext,
  directory: string,
  material: WechatpayMaterial,
): Promise<BehindProxy> {
  const platform = await startWechatpayGateway();
  t.after(() => platform.close());
  platform.admit(material);
  const tunnels: string[] = [];
  const hosts = { 'api.mch.weixin.qq.com': passOn(platform.url) };
  const internet = await startInternet(t, directory, hosts, { tunnelled: (target) => tunnels.push(target) });
  const env = { NODE_EXTRA_CA_CERTS: internet['NODE_EXTRA_CA_CERTS']! };
  return { platform, tunnels, proxy: internet['HTTPS_PROXY']!, env };
}
