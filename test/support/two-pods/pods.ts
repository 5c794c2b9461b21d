// Two real sidecars that take the same notifications for one application, with or without a Redis that they share.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { Agent } from 'node:http';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createAlipayMaterial, createSecretVolume, makeAlipayNotification, makeNotification, makeV2Notification } from '../../../src/testing/index.ts'; // prettier-ignore
import { Random } from '../../fuzz/random.ts';
import { exchange } from '../http-client.ts';
import type { RedisServer } from '../redis.ts';
import type { LogLine } from '../paycert.ts';
import { call, makeMaterial, merchantId, replaceFile, type Sidecar, startSidecar } from '../sidecar.ts';
import { FickleApplication } from './application.ts';
import { type Platform, platforms, sendAll } from './platforms.ts';

const appId = '2021000000000001';
const apiV2Key = 'k'.repeat(32);

interface Message {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** What came of a run. */
export interface Tally {
  readonly accepted: number;
  readonly handled: number;
  /** Accepted before the application had handled them. */
  readonly unhandled: readonly string[];
  /** Accepted by no try of the schedule of their platform. */
  readonly lost: readonly string[];
  /** Delivered again after the application's 2xx. */
  readonly again: number;
  /** Deliveries that one pod could not let the other know. */
  readonly unshared: number;
}

type After = Pick<TestContext, 'after'>;

/** Signed when they are sent: platforms sign each try again. */
async function makeMessages(directory: string): Promise<Readonly<Record<Platform, (number: string) => Message>>> {
  const [material, alipay] = [await makeMaterial(), await createAlipayMaterial({ appId })];
  const [[platformKey], [alipayKey]] = [material.platformKeys, alipay.alipayKeys];
  assert.ok(platformKey && alipayKey);
  await createSecretVolume(join(directory, 'wechat'), material.files);
  await createSecretVolume(join(directory, 'wechat-v2'), new Map([['apiv2_key', apiV2Key]]));
  await createSecretVolume(join(directory, 'alipay'), alipay.files);
  const { apiV3Key } = material;
  return {
    wechat: (id) => makeNotification({ platformKey, apiV3Key, id, resource: { out_trade_no: id } }),
    'wechat-v2': (id) => ({
      body: makeV2Notification({ apiV2Key, parameters: { out_trade_no: id, transaction_id: id, nonce_str: 'n' } }),
    }),
    alipay: (id) =>
      makeAlipayNotification({ alipayKey, parameters: { app_id: appId, notify_id: id, out_trade_no: id } }),
  };
}

const configurationOf = (directory: string, own: string, redis: RedisServer | undefined) => ({
  listen: { socket: join(own, 'api.sock') },
  admin: { address: '127.0.0.1:0' },
  notifications: {
    listen: { address: '127.0.0.1:0' },
    forwardTo: { socket: join(directory, 'application.sock') },
    secretFile: join(directory, 'notification-secret'),
    // Longer than it takes on any machine, and not long for those that hang.
    applicationDeadline: '2s',
    ...(redis && { dedupe: { redis: { address: `redis://127.0.0.1:${String(redis.port)}`, deadline: '1s' } } }),
  },
  credentials: platforms.map((name) => ({
    ...{ name, provider: providers[name] },
    source: { files: { path: join(directory, name) } },
  })),
});
const providers: Readonly<Record<Platform, object>> = {
  wechat: { wechatpay: { merchantId } },
  'wechat-v2': { wechatpayV2: { merchantId } },
  alipay: { alipay: { appId, mode: 'certificate' } },
};

export class TwoPods {
  readonly application: FickleApplication;
  readonly pods: readonly Sidecar[];
  readonly #messages: Readonly<Record<Platform, (number: string) => Message>>;
  readonly #addresses: readonly string[];
  readonly #random = new Random('pods');
  readonly #agent = new Agent({ keepAlive: true });

  private constructor(
    parts: Pick<TwoPods, 'application' | 'pods'>,
    messages: Awaited<ReturnType<typeof makeMessages>>,
  ) {
    this.application = parts.application;
    this.pods = parts.pods;
    const isTheirs = (line: LogLine) => line['listener'] === 'notifications';
    this.#addresses = parts.pods.map(({ lines }) => String(lines.find(isTheirs)?.['address']));
    this.#messages = messages;
  }

  static async start(t: After, directory: string, redis?: RedisServer): Promise<TwoPods> {
    const messages = await makeMessages(directory);
    await replaceFile(join(directory, 'notification-secret'), 'a-secret-of-the-application');
    const application = new FickleApplication(join(directory, 'application.sock'));
    await application.start();
    t.after(() => application.stop());
    const pods = await Promise.all(
      ['a', 'b'].map(async (name) => {
        const own = join(directory, name);
        await mkdir(own);
        // JSON is YAML.
        const text = JSON.stringify(configurationOf(directory, own, redis));
        const pod = await startSidecar(t, own, text, { waitFor: platforms });
        if (redis !== undefined) await pod.event('dedupe-changed');
        return pod;
      }),
    );
    const both = new TwoPods({ application, pods }, messages);
    t.after(() => both.#agent.destroy());
    return both;
  }

  /** Through either pod, by chance. The application is away for a while, twice; between, what else is given happens. */
  async take(numbers: readonly string[], incidents: readonly (() => Promise<void>)[] = []): Promise<Tally> {
    const accepted = new Set<string>();
    const unhandled: string[] = [];
    const [before, handledBefore] = [this.application.again, this.application.handled.size];
    const unsharedBefore = await this.#unshared();
    const restart = async () => {
      await this.application.stop();
      // Somebody finds it away.
      await this.#post('wechat', numbers[0] ?? '');
      await this.application.start();
    };
    const lost = await sendAll({
      numbers,
      post: (platform, number) => this.#post(platform, number),
      accepted: (platform, number) => {
        const name = `${platform} ${number}`;
        accepted.add(name);
        if (!this.application.handled.has(name)) unhandled.push(name);
      },
      incidents: [restart, ...incidents, restart],
    });
    return {
      accepted: accepted.size,
      handled: this.application.handled.size - handledBefore,
      unhandled,
      lost: lost.map(({ platform, number }) => `${platform} ${number}`),
      again: this.application.again - before,
      unshared: (await this.#unshared()) - unsharedBefore,
    };
  }

  async #post(platform: Platform, number: string) {
    const address = this.#random.pick(this.#addresses);
    const message = this.#messages[platform](number);
    return exchange(address, { path: `/${platform}`, method: 'POST', agent: this.#agent, ...message });
  }

  async #unshared(): Promise<number> {
    const texts = await Promise.all(this.pods.map(async ({ admin }) => (await call(admin, '/metrics')).content));
    const values = texts.map((text) => /^paycert_deliveries_unshared_total (\d+)$/m.exec(text)?.[1]);
    return values.reduce((sum, value) => sum + Number(value), 0);
  }
}
