// docs/clients.md keeps its word: its table names every client, and its server accepts what any platform sends, and nothing else.
import assert from 'node:assert/strict';
import { constants, createHmac, randomUUID, sign } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { Hash } from 'wechatpay-axios-plugin';
import { writeXml } from '../../src/providers/wechatpay-v2/xml.ts';
import { createWechatpayMaterial, makeAlipayNotification, makeNotification } from '../../src/testing/index.ts';
import { endProgram, languages, startProgram } from '../support/clients.ts';
import { makeDirectory } from '../support/directories.ts';
import { exchange } from '../support/http-client.ts';
import { type Name, type ProviderSidecar, startProviders } from '../support/provider-sidecar.ts';
import { blocksUnder, read, root } from './documents.ts';

const page = 'docs/clients.md';

interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

const seconds = () => String(Math.floor(Date.now() / 1000));

/** What each of them sends, signed as it signs. */
const senders: Readonly<Partial<Record<Name, (running: ProviderSidecar, host: string) => Sent>>> = {
  'wechat-main': ({ wechat }) =>
    makeNotification({
      platformKey: wechat.platformKeys[0]!,
      apiV3Key: wechat.apiV3Key,
      now: new Date(),
      resource: { out_trade_no: '1' },
    }),
  'wechat-v2': ({ secrets }) => {
    const parameters = { return_code: 'SUCCESS', transaction_id: '1' };
    const signature = Hash.sign('MD5', parameters, secrets.apiV2Key);
    return { body: writeXml(Object.entries({ ...parameters, sign: signature })) };
  },
  'alipay-main': ({ alipay }) =>
    makeAlipayNotification({ alipayKey: alipay.alipayKeys[0]!, parameters: { app_id: alipay.appId, trade_no: '1' } }),
  partner: ({ secrets }) => {
    const text = `app_id=shop-1&nonce=${randomUUID()}&order=1&timestamp=${seconds()}`;
    // What stands in the address is a parameter too.
    return { body: `${text}&signature=${createHmac('sha256', secrets.shared).update(`a=1&${text}`).digest('hex')}` };
  },
  'partner-pss': ({ partnerKey }, host) => {
    const [time, nonce, body] = [seconds(), randomUUID(), '{"order":1}'];
    const text = `POST\n/notify\na=1\nhost: ${host}\nx-ts: ${time}\nx-nonce: ${nonce}\n${body}`;
    const key = { key: partnerKey.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
    const signature = sign('sha256', Buffer.from(text), key).toString('base64');
    return { headers: { 'X-Ts': time, 'X-Nonce': nonce, 'X-Signature': signature }, body };
  },
};

describe('the clients of docs/clients.md', () => {
  it('are the files of examples/clients, in five languages', () => {
    const named = [...read(page).matchAll(/\]\(\.\.\/examples\/clients\/([\w.]+)\)/g)].map(([, name]) => name);
    assert.deepEqual(named.sort(), readdirSync(new URL('examples/clients/', root)).sort());
    assert.deepEqual(
      languages.map(({ info }) => info),
      ['sh', 'go', 'java', 'python', 'js'],
    );
  });

  it('are of ASCII alone: a compiler may be told of no other alphabet', () => {
    for (const name of readdirSync(new URL('examples/clients/', root)))
      assert.match(read(`examples/clients/${name}`), /^[\n\t\x20-\x7e]*$/, name);
  });
});

/** The programs of that section, run as those of the pages are. */
const servers = blocksUnder(page, 'A server that receives').flatMap(({ info, text }) => {
  const language = languages.find((one) => one.info === info);
  if (language === undefined) return [];
  const rename = (name: string) => name.replace(/\bpay\./, 'server.').replace(/\bPay\b/, 'Server');
  return [{ ...language, file: rename(language.file), command: rename(language.command), code: text }];
});

it('the server of docs/clients.md is there in every language that has one', () => {
  assert.deepEqual(
    servers.map(({ info }) => info),
    ['go', 'java', 'python', 'js'],
  );
});

it('the server of docs/clients.md takes what is genuine from every platform', { timeout: 900_000 }, async (t) => {
  const running = await startProviders(t);
  const directory = await makeDirectory(t);
  type Server = (typeof servers)[number];

  const serve = async ({ command, code, ...rest }: Server, name: string, socket: string) => {
    const env = { PAYCERT_SOCKET: socket, PORT: '0' };
    const child = await startProgram(directory, { ...rest, command: `${command} ${name}` }, code, env);
    t.after(() => endProgram(child));
    child.stderr!.pipe(process.stderr);
    const [line] = (await once(createInterface(child.stdout!), 'line')) as [string];
    return { address: `127.0.0.1${line.slice(line.lastIndexOf(':'))}`, end: () => endProgram(child) };
  };
  const post = (address: string, { headers = {}, body }: Sent) =>
    exchange(address, { method: 'POST', path: '/notify?a=1', headers: { ...headers, Host: address }, body });

  for (const server of servers) {
    for (const [name, send] of Object.entries(senders))
      await t.test(`${server.info}: ${name}`, { skip: server.skip }, async () => {
        const { address, end } = await serve(server, name, running.sidecar.socket);
        const genuine = await post(address, send(running, address));
        assert.deepEqual([genuine.status, genuine.text], [200, 'success']);
        const { headers, body } = send(running, address);
        const text = Buffer.from(body).toString();
        // Not the name of the key: that of another one is no forgery.
        const changed = text.includes('order=1') ? text.replace('order=1', 'order=2') : text.replace('1', '2');
        const forged = await post(address, { ...(headers && { headers }), body: changed });
        assert.deepEqual([forged.status, forged.text], [401, '']);
        end();
      });

    await t.test(`${server.info}: a key that is not loaded is no forgery`, { skip: server.skip }, async () => {
      const { wechat } = running;
      const [platformKey] = (await createWechatpayMaterial({ merchantId: wechat.merchantId, now: new Date() }))
        .platformKeys;
      const { apiV3Key } = wechat;
      const posted = makeNotification({ platformKey: platformKey!, apiV3Key, now: new Date(), resource: {} });
      const { address, end } = await serve(server, 'wechat-main', running.sidecar.socket);
      assert.deepEqual((await post(address, posted)).status, 500);
      end();
    });

    await t.test(`${server.info}: asks for another try when there is no sidecar`, { skip: server.skip }, async () => {
      const { address, end } = await serve(server, 'partner', `${directory}/nowhere.sock`);
      assert.equal((await post(address, { body: 'x' })).status, 503);
      end();
    });
  }
});
