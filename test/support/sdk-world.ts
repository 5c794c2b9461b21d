// What programs with a platform's own SDK run against: a sidecar with a proxy, whose way out leads to doubles under the platforms' names.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { makeAlipayNotification, makeNotification, rotatePlatform } from '../../src/testing/index.ts';
import { toSpkiPem } from '../../src/testing/key-pair.ts';
import { makeDirectory } from './directories.ts';
import { freePort } from './free-port.ts';
import { type Answer, exchange } from './http-client.ts';
import { type Host, startInternet } from './internet.ts';
import { type Platforms, startPlatforms } from './platforms.ts';
import { type ProviderSidecar, startProviders } from './provider-sidecar.ts';

const proxyToken = 'a-token-for-the-proxy-in-tests';

export interface SdkWorld {
  readonly running: ProviderSidecar;
  readonly platforms: Platforms;
  readonly directory: string;
  /** The base URL of a credential at the signing proxy, with the token in its path. */
  readonly proxied: (credential: string) => string;
  /** WeChat Pay signs with a key that nobody knows, or with its own again. */
  setStranger(isStranger: boolean): Promise<void>;
  /** For programs: where the sidecar and its proxy are, and how to reach the platforms' own names. */
  readonly env: Readonly<Record<string, string>>;
}

/** `control.example`, by which a program in another language pays an order, is sent a notification, and changes how WeChat Pay signs. */
const controlOf =
  ({ platforms, running, setStranger }: Pick<SdkWorld, 'platforms' | 'running' | 'setStranger'>): Host =>
  async ({ url }) => {
    const [, what, number = ''] = url.split('/');
    if (what === 'stranger' || what === 'genuine') await setStranger(what === 'stranger');
    if (what === 'notify') {
      const { status, text } = await notify(running, number);
      return { status: 200, headers: {}, body: Buffer.from(JSON.stringify({ status, text })) };
    }
    const posted = what === 'pay' ? platforms.wechat.pay(running.wechat.merchantId, number) : undefined;
    const notification = posted && { headers: posted.headers, body: Buffer.from(posted.body).toString() };
    return { status: 200, headers: {}, body: Buffer.from(JSON.stringify(notification ?? {})) };
  };

/** As the platform posts it, to the listener that hands it on to the program; the answer is the platform's. */
async function notify({ sidecar, wechat, alipay }: ProviderSidecar, number: string): Promise<Answer> {
  const address = String(sidecar.lines.find(({ listener }) => listener === 'notifications')?.['address']);
  const { apiV3Key, platformKeys } = wechat;
  const [platformKey, alipayKey] = [platformKeys.find(({ issued }) => issued !== undefined)!, alipay.alipayKeys[0]!];
  const resource = { out_trade_no: number, attach: '支付', trade_state: 'SUCCESS' };
  const posted = number.startsWith('A')
    ? makeAlipayNotification({ alipayKey, parameters: { app_id: alipay.appId, notify_id: number, out_trade_no: number, subject: '手机 +%&=' } }) // prettier-ignore
    : makeNotification({ platformKey, apiV3Key, id: number, resource });
  const path = number.startsWith('A') ? '/alipay-main' : '/wechat-main';
  return exchange(address, { path, method: 'POST', ...posted });
}

export async function startSdkWorld(t: TestContext): Promise<SdkWorld> {
  const directory = await makeDirectory(t);
  const known: { hosts?: Readonly<Record<string, Host>> } = {};
  const names = ['api.mch.weixin.qq.com', 'openapi.alipay.com', 'dysmsapi.aliyuncs.com', 'control.example'];
  const late =
    (name: string): Host =>
    (request) =>
      known.hosts![name]!(request);
  const internet = await startInternet(t, directory, Object.fromEntries(names.map((name) => [name, late(name)])));
  const tokenFile = join(directory, 'proxy-token');
  await writeFile(tokenFile, proxyToken);
  const tcp = `tcp: { address: "127.0.0.1:0", tokenFile: ${JSON.stringify(tokenFile)} }`;
  const wayOut = `wayOut: { proxy: ${JSON.stringify(internet['HTTPS_PROXY'])} }`;
  const trusted = { NODE_EXTRA_CA_CERTS: internet['NODE_EXTRA_CA_CERTS']! };
  const [port, secretFile] = [await freePort(), join(directory, 'notification-secret')];
  await writeFile(secretFile, proxyToken);
  const forwardTo = `forwardTo: { url: "http://127.0.0.1:${String(port)}/notified" }, secretFile: ${JSON.stringify(secretFile)}`;
  const notifications = `notifications: { listen: { address: "127.0.0.1:0" }, ${forwardTo}, deliver: raw }\n`;
  const running = await startProviders(t, [], `${wayOut}\nproxy: { listen: { ${tcp} } }\n${notifications}`, trusted);
  const platforms = await startPlatforms(t, running);
  const { wechat, alipay, sidecar } = running;
  const [{ platformKeys: strangers }, [alipayKey]] = [
    await rotatePlatform(wechat, { now: new Date() }),
    alipay.alipayKeys,
  ];
  const setStranger = async (isStranger: boolean) =>
    platforms.wechat.setPlatformKeys(wechat.merchantId, isStranger ? strangers.slice(-1) : wechat.platformKeys);
  known.hosts = { ...platforms.hosts, 'control.example': controlOf({ platforms, running, setStranger }) };
  const certificates = join(directory, 'platform-certificates');
  await mkdir(certificates);
  for (const { keyId, issued } of wechat.platformKeys)
    if (issued !== undefined) await writeFile(join(certificates, `${keyId}.pem`), issued.certificate);
  const proxy = `http://${String(sidecar.lines.find(({ listener }) => listener === 'proxy-tcp')?.['address'])}`;
  const env = {
    ...internet,
    PAYCERT_SOCKET: sidecar.socket,
    PAYCERT_PROXY: proxy,
    PAYCERT_PROXY_TOKEN: proxyToken,
    // Where notifications are handed on to, and the key of one that opens them again.
    APPLICATION_PORT: String(port),
    WECHAT_APIV3_KEY: wechat.apiV3Key,
    // Public, for SDKs that verify again.
    WECHAT_PLATFORM_CERTIFICATES: certificates,
    ALIPAY_PUBLIC_KEY: toSpkiPem(alipayKey!.publicKey),
    ALIPAY_CERT_SN: alipayKey!.serial,
    MERCHANT_PUBLIC_KEY: toSpkiPem(wechat.merchant.publicKey),
    TZ: 'Asia/Shanghai',
  };
  return {
    running,
    platforms,
    directory,
    setStranger,
    env,
    proxied: (credential) => `${proxy}/~${proxyToken}/${credential}`,
  };
}
