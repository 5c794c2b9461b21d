// The shops of examples/flows go from the order to the refund in every language, and tell each platform what became of its notification.
import assert from 'node:assert/strict';
import { createHmac, verify } from 'node:crypto';
import { once } from 'node:events';
import { cp, mkdir, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  makeAlipayNotification,
  makeNotification,
  makeProbe,
  makeV2Notification,
  makeV2RefundNotification,
  rotatePlatform,
} from '../../src/testing/index.ts';
import { quoted, read, root, sections, tableRows } from '../agreement/documents.ts';
import { startCgi } from '../support/cgi.ts';
import { endProgram, type Language, languages, runCommand, startCommand } from '../support/clients.ts';
import { makeDirectory } from '../support/directories.ts';
import { exchange } from '../support/http-client.ts';
import { startInternet } from '../support/internet.ts';
import { type Platforms, startPlatforms } from '../support/platforms.ts';
import { type ProviderSidecar, startProviders } from '../support/provider-sidecar.ts';
import { configuration, startSidecar } from '../support/sidecar.ts';

const folderOf = (name: string): string => fileURLToPath(new URL(`examples/${name}/`, root));

/** The table of docs/flows.md, in the order of the languages. */
const rows = tableRows(sections('docs/flows.md')[0]?.body ?? '').map(
  ([name = '', , build = '', step = '', receiver = '']) => ({
    name,
    build: quoted(build)[0],
    shop: quoted(step)[0]?.replace(' order 20260101001', ''),
    receiver: quoted(receiver)[0]?.replace(/^PORT=8080 /, ''),
  }),
);

interface Posted {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

interface Shop {
  readonly run: (...words: string[]) => Promise<{ code: number; stdout: string; stderr: string }>;
  /** What it prints. */
  readonly ask: (...words: string[]) => Promise<Record<string, unknown>>;
  /** What the receiver answers. */
  readonly post: (path: string, posted: Posted) => Promise<readonly [number, string]>;
  readonly orders: string;
  /** Where the shop looks for its sidecar from now on. */
  readonly useSocket: (socket: string) => Promise<void>;
}

interface Running {
  readonly providers: ProviderSidecar;
  readonly platforms: Platforms;
  /** A sidecar that holds no material yet. */
  readonly unready: string;
  readonly env: Readonly<Record<string, string>>;
}

async function openShop(t: TestContext, language: Language, { env, providers }: Running): Promise<Shop> {
  const folder = await makeDirectory(t);
  const [orders, link] = [join(folder, 'orders'), join(folder, 'link.sock')];
  await cp(folderOf('clients'), folder, { recursive: true });
  await cp(folderOf('flows'), folder, { recursive: true });
  await mkdir(orders);
  const row = rows[languages.indexOf(language)]!;
  const own = { ...env, PAYCERT_SOCKET: link };
  if (row.build !== undefined) {
    const { code, stderr } = await runCommand(folder, row.build, own);
    assert.equal(code, 0, stderr);
  }
  const serve = async (): Promise<string> => {
    if (language.info === 'sh')
      return startCgi(t, join(folder, 'receiver.sh'), { ...process.env, PAYCERT_SOCKET: link, STORE: orders });
    const child = startCommand(folder, row.receiver!.replace('ORDERS', orders), { ...own, PORT: '0' });
    t.after(() => endProgram(child));
    child.stderr!.resume();
    const [line] = (await once(createInterface(child.stdout!), 'line')) as [string];
    return `127.0.0.1${line.slice(line.lastIndexOf(':'))}`;
  };
  let address = '';
  const useSocket = async (socket: string) => {
    await rm(link, { force: true });
    await symlink(socket, link);
    // A client may keep its connection to the sidecar that was there.
    address = await serve();
  };
  await useSocket(providers.sidecar.socket);
  const run: Shop['run'] = (...words) => runCommand(folder, [row.shop, ...words].join(' '), own);
  return {
    run,
    async ask(...words) {
      const { code, stdout, stderr } = await run(...words);
      assert.equal(code, 0, `${words.join(' ')}: ${stderr}`);
      return JSON.parse(stdout) as Record<string, unknown>;
    },
    async post(path, { headers = {}, body }) {
      const { status, text } = await exchange(address, { method: 'POST', path, headers, body });
      return [status, text];
    },
    orders,
    useSocket,
  };
}

/** A sidecar that serves, and whose credentials of those names wait for their first material. */
async function startUnready(t: TestContext): Promise<string> {
  const directory = await makeDirectory(t);
  await mkdir(join(directory, 'empty'));
  const providers = {
    'wechat-main': 'wechatpay: { merchantId: "1900000001" }',
    'wechat-v2': 'wechatpayV2: { merchantId: "1900000001" }',
    'alipay-main': 'alipay: { appId: "2021000000000001", mode: certificate }',
  };
  const credentials = Object.entries(providers).map(
    ([name, provider]) =>
      `  - name: ${name}\n    provider: { ${provider} }\n    source: { files: { path: ${JSON.stringify(join(directory, 'empty'))} } }\n`,
  );
  const { socket } = await startSidecar(t, directory, configuration(directory, credentials), { waitFor: [] });
  return socket;
}

const stored = async ({ orders }: Shop): Promise<string[]> =>
  Promise.all((await readdir(orders)).map((name) => readFile(join(orders, name), 'utf8')));

const changed = ({ headers, body }: Posted): Posted => ({
  ...(headers && { headers }),
  body: Buffer.from(
    Buffer.from(body)
      .toString()
      .replace(/SUCCESS|%53%55/, 'SUCCESs'),
  ),
});

it('docs/flows.md names the programs of every language, and all of them', async () => {
  const named = [...read('docs/flows.md').matchAll(/\]\(\.\.\/examples\/flows\/([\w.]+)\)/g)].map(([, name]) => name);
  assert.deepEqual(named.sort(), (await readdir(folderOf('flows'))).sort());
  assert.equal(rows.length, languages.length);
});

it('every shop of examples/flows', { timeout: 900_000 }, async (suite) => {
  const providers = await startProviders(suite);
  const platforms = await startPlatforms(suite, providers);
  const running: Running = {
    providers,
    platforms,
    unready: await startUnready(suite),
    env: await startInternet(suite, await makeDirectory(suite), platforms.hosts),
  };
  const { wechat, alipay, secrets } = providers;
  const merchant = wechat.merchantId;
  const [platformKey, alipayKey] = [wechat.platformKeys[0]!, alipay.alipayKeys[0]!];
  const { apiV3Key } = secrets;
  const apiV2Key = secrets.apiV2Key;

  const genuine = (): Readonly<Record<string, Posted>> => ({
    '/wechatpay': makeNotification({ platformKey, apiV3Key, now: new Date(), resource: { out_trade_no: '1' } }),
    '/wechatpay-v2': {
      body: makeV2Notification({ apiV2Key, parameters: { transaction_id: '1', mch_id: merchant, appid: 'wx1' } }),
    },
    '/alipay': makeAlipayNotification({
      alipayKey,
      parameters: { app_id: alipay.appId, notify_id: '1', trade_status: 'TRADE_SUCCESS' },
    }),
  });
  const success: Readonly<Record<string, readonly [number, string]>> = {
    '/wechatpay': [204, ''],
    '/wechatpay-v2': [200, '<xml><return_code>SUCCESS</return_code></xml>'],
    '/alipay': [200, 'success'],
  };
  const failure: Readonly<Record<string, string>> = {
    '/wechatpay': '{"code":"FAIL"}',
    '/wechatpay-v2': '<xml><return_code>FAIL</return_code></xml>',
    '/alipay': 'fail',
  };

  for (const language of languages)
    await suite.test(language.info, { skip: language.skip }, async (t) => {
      const shop = await openShop(t, language, running);
      const number = `2026${language.info}`;

      await t.test('takes an order, is notified that it is paid, and pays it back', async () => {
        const client = (await shop.ask('order', number)) as Record<string, string>;
        const { appId, timeStamp, nonceStr, package: last, paySign = '' } = client;
        const text = `${appId}\n${timeStamp}\n${nonceStr}\n${last}\n`;
        assert.ok(verify('sha256', Buffer.from(text), wechat.merchant.publicKey, Buffer.from(paySign, 'base64')));
        assert.equal((await shop.ask('query', number))['trade_state'], 'NOTPAY');
        const early = await shop.run('refund', number);
        assert.deepEqual([early.code, early.stdout], [1, '']);
        assert.match(early.stderr, /INVALID_REQUEST/);

        const paid = platforms.wechat.pay(merchant, number);
        assert.equal(paid.url, 'https://shop.example/wechatpay');
        assert.deepEqual(await shop.post('/wechatpay', paid), success['/wechatpay']);
        assert.match((await stored(shop)).join(), new RegExp(`"${number}"`));
        const { trade_state: state, amount } = await shop.ask('query', number);
        assert.deepEqual([state, (amount as Record<string, unknown>)['total']], ['SUCCESS', 100]);

        assert.equal((await shop.ask('refund', number))['status'], 'PROCESSING');
        const repaid = platforms.wechat.completeRefund(merchant, `R${number}`);
        assert.deepEqual(await shop.post('/wechatpay', repaid), success['/wechatpay']);
        assert.match((await stored(shop)).join(), /REFUND\.SUCCESS/);
        assert.equal((await shop.ask('query-refund', number))['status'], 'SUCCESS');
        assert.equal((await shop.ask('query', number))['trade_state'], 'REFUND');
      });

      await t.test(
        'takes an order over WeChat Pay v2, is notified that it is paid, and that it is paid back',
        async () => {
          const { paySign, ...client } = (await shop.ask('v2-order', number)) as Record<string, string>;
          const text = [...Object.entries(client).sort(([a], [b]) => (a < b ? -1 : 1)), ['key', apiV2Key]];
          const code = createHmac('sha256', apiV2Key).update(text.map((pair) => pair.join('=')).join('&')).digest('hex'); // prettier-ignore
          assert.deepEqual([client['package'], paySign], [`prepay_id=wx${number}`, code.toUpperCase()]);
          assert.equal((await shop.ask('v2-query', number))['trade_state'], 'NOTPAY');

          const paid = platforms.wechatV2.pay(number);
          assert.equal(paid.url, 'https://shop.example/wechatpay-v2');
          assert.deepEqual(await shop.post('/wechatpay-v2', paid), success['/wechatpay-v2']);
          assert.match((await stored(shop)).join(), new RegExp(`"42${number}"`));
          assert.equal((await shop.ask('v2-query', number))['trade_state'], 'SUCCESS');

          const early = await shop.run('v2-query-refund', number);
          assert.deepEqual([early.code, early.stdout], [language.info === 'sh' ? 5 : 1, '']);
          assert.match(early.stderr, /REFUNDNOTEXIST/);
          assert.deepEqual(
            await shop.post('/wechatpay-v2', platforms.wechatV2.repay(number)),
            success['/wechatpay-v2'],
          );
          assert.match((await stored(shop)).join(), new RegExp(`"50${number}"`));
          assert.equal((await shop.ask('v2-query-refund', number))['refund_status_0'], 'SUCCESS');
        },
      );

      await t.test('is paid over Alipay on a page and in an app, and pays back', async () => {
        const host = new URL(platforms.alipay.url).host;
        const { pageUrl = '' } = (await shop.ask('page', number)) as Record<string, string>;
        const page = await exchange(host, { path: pageUrl.replace(/^https:\/\/[^/]+/, '') });
        assert.equal(page.status, 302);
        const paid = platforms.alipay.pay(number);
        assert.equal(paid.url, 'https://shop.example/alipay');
        assert.deepEqual(await shop.post('/alipay', paid), success['/alipay']);
        assert.equal((await shop.ask('alipay-query', number))['trade_status'], 'TRADE_SUCCESS');
        assert.equal((await shop.ask('alipay-refund', number))['fund_change'], 'Y');
        assert.equal((await shop.ask('alipay-query', number))['trade_status'], 'TRADE_CLOSED');

        const { orderString = '' } = (await shop.ask('app', `${number}a`)) as Record<string, string>;
        const inApp = await exchange(host, { method: 'POST', path: '/gateway.do', body: orderString });
        assert.match(inApp.text, /"code":"10000"/);
        const early = await shop.run('alipay-refund', `${number}a`);
        assert.equal(early.code, language.info === 'sh' ? 5 : 1);
        assert.match(early.stderr, /ACQ\.TRADE_STATUS_ERROR/);
      });

      await t.test('sends a text message over Aliyun', async () => {
        const before = platforms.aliyun.sent.length;
        assert.equal((await shop.ask('sms', '13800000000'))['Code'], 'OK');
        const [sent, ...more] = platforms.aliyun.sent.slice(before);
        const { PhoneNumbers, TemplateParam = '' } = sent ?? {};
        assert.deepEqual([PhoneNumbers, JSON.parse(TemplateParam), more], ['13800000000', { code: '1234' }, []]);
      });

      await t.test('says to every platform that it has what is genuine', async () => {
        for (const [path, posted] of Object.entries(genuine())) {
          assert.deepEqual(await shop.post(path, posted), success[path], path);
          assert.deepEqual(await shop.post(path, posted), success[path], `${path}, once more`);
        }
        const refund = makeV2RefundNotification({ apiV2Key, parameters: { out_refund_no: '1', refund_id: '2' } });
        assert.deepEqual(await shop.post('/wechatpay-v2', { body: refund }), success['/wechatpay-v2']);
        assert.equal((await shop.post('/elsewhere', { body: Buffer.from('x') }))[0], 404);
      });

      await t.test('answers 401 to what is forged, and stores nothing of it', async () => {
        const before = (await stored(shop)).length;
        for (const [path, posted] of Object.entries(genuine())) {
          assert.deepEqual(await shop.post(path, changed(posted)), [401, failure[path]], path);
          for (const body of [Buffer.from('a=b'), Buffer.alloc(300_000, 'a=b&')])
            assert.deepEqual(await shop.post(path, { body }), [401, failure[path]], path);
        }
        const probe = makeProbe(
          makeNotification({ platformKey, apiV3Key, now: new Date(), resource: { out_trade_no: '1' } }),
        );
        assert.deepEqual(await shop.post('/wechatpay', probe), [401, failure['/wechatpay']]);
        assert.equal((await stored(shop)).length, before);
      });

      await t.test(
        'answers 500 when the shop cannot store it, or when a key of the platform is not loaded',
        async () => {
          await rm(shop.orders, { recursive: true });
          for (const [path, posted] of Object.entries(genuine()))
            assert.deepEqual(await shop.post(path, posted), [500, failure[path]], path);
          await mkdir(shop.orders);
          const resource = { out_trade_no: '1' };
          const rotated = (await rotatePlatform(wechat, { now: new Date() })).platformKeys.at(-1)!;
          const unknown = makeNotification({ platformKey: rotated, apiV3Key, now: new Date(), resource });
          assert.deepEqual(await shop.post('/wechatpay', unknown), [500, failure['/wechatpay']]);
          const sealed = makeNotification({ platformKey, apiV3Key: 'x'.repeat(32), now: new Date(), resource });
          assert.deepEqual(await shop.post('/wechatpay', sealed), [500, failure['/wechatpay']]);
          assert.deepEqual(await stored(shop), []);
        },
      );

      await t.test(
        'answers 503 while the sidecar is not there or not ready, and takes the same notification after that',
        async () => {
          const posted = genuine();
          for (const socket of ['/nowhere.sock', running.unready]) {
            await shop.useSocket(socket);
            for (const [path, one] of Object.entries(posted))
              assert.deepEqual(await shop.post(path, one), [503, failure[path]], `${path} ${socket}`);
          }
          assert.equal((await shop.run('order', `${number}b`)).code, language.info === 'sh' ? 1 : 75);
          await shop.useSocket(providers.sidecar.socket);
          for (const [path, one] of Object.entries(posted))
            assert.deepEqual(await shop.post(path, one), success[path], path);
        },
      );
    });
});
