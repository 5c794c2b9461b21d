// The examples of docs/providers run as they stand, against a real sidecar and a gateway that checks what arrives.
import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { createHmac, createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { Hash } from 'wechatpay-axios-plugin';
import { startAlipayGateway } from '../../src/testing/index.ts';
import { readXml, writeXml } from '../../src/providers/wechatpay-v2/xml.ts';
import { call } from '../support/sidecar.ts';
import { type ProviderSidecar, startProviders } from '../support/provider-sidecar.ts';
import { codeBlocks } from './documents.ts';

const interpreters = { sh: ['bash', '-e'], python: ['python3', '-'], js: [process.execPath, '--input-type=module'] };
type Language = keyof typeof interpreters;

const examplesOf = (page: string, language: Language): string[] =>
  codeBlocks(`docs/providers/${page}.md`).flatMap(({ info, text: code }) => (info === language ? [code] : []));

const has = (command: string): boolean => spawnSync(command, ['--version']).status === 0;

async function run(language: Language, code: string, env: Readonly<Record<string, string>>): Promise<string> {
  const [command = '', ...args] = interpreters[language];
  const child: ChildProcessByStdio<Writable, Readable, Readable> = spawn(command, args, {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.end(code);
  const [stdout, stderr, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  assert.equal(status, 0, stderr);
  return stdout;
}

/** Answers what `check` makes of a request; what it throws is a 400 with its reason. */
async function startGateway(
  t: TestContext,
  check: (request: IncomingMessage, body: string) => string,
): Promise<string> {
  const server: Server = createServer((request, response) => {
    void text(request).then((body) => {
      try {
        response.end(check(request, body));
      } catch (error) {
        response.writeHead(400).end(String(error));
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const encode = (value: string): string =>
  encodeURIComponent(value).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);

/** As Aliyun checks: both signatures, from what arrived alone. */
function checkAliyun(
  { secrets }: ProviderSidecar,
  { method = '', url = '', headers }: IncomingMessage,
  body: string,
): string {
  const address = new URL(url, 'http://gateway');
  if (headers.authorization === undefined) {
    const parameters = new URLSearchParams(body);
    const canonical = [...parameters]
      .filter(([name]) => name !== 'Signature')
      .map(([name, value]) => `${encode(name)}=${encode(value)}`)
      .sort()
      .join('&');
    const signed = createHmac('sha1', `${secrets.accessKeySecret}&`).update(`${method}&%2F&${encode(canonical)}`);
    assert.equal(parameters.get('Signature'), signed.digest('base64'));
    return 'sent';
  }
  const [, names = '', signature] = /SignedHeaders=([^,]+),Signature=(\w+)$/.exec(headers.authorization) ?? [];
  const lines = names.split(';').map((name) => `${name}:${String(headers[name])}\n`);
  const hash = createHash('sha256').update(body).digest('hex');
  const canonical = [method, address.pathname, address.search.slice(1), lines.join(''), names, hash].join('\n');
  const toSign = `ACS3-HMAC-SHA256\n${createHash('sha256').update(canonical).digest('hex')}`;
  assert.equal(signature, createHmac('sha256', secrets.accessKeySecret).update(toSign).digest('hex'));
  return 'described';
}

/** As WeChat Pay checks and answers, by its SDK. */
function checkV2({ secrets }: ProviderSidecar, body: string): string {
  const { sign, ...parameters } = Object.fromEntries(readXml(Buffer.from(body)));
  assert.equal(sign, Hash.sign('MD5', parameters, secrets.apiV2Key));
  const answer = { return_code: 'SUCCESS', result_code: 'SUCCESS', trade_state: 'SUCCESS' };
  return writeXml(Object.entries({ ...answer, sign: Hash.sign('MD5', answer, secrets.apiV2Key) }));
}

describe('the examples of docs/providers', { timeout: 120_000 }, async () => {
  const shell = has('curl') && has('bash') ? false : 'no curl here';
  const python = has('python3') ? false : 'no Python here';

  for (const page of ['alipay', 'aliyun', 'wechatpayV2', 'hmac', 'pss'])
    it(`in the shell: every call of ${page}.md is answered`, { skip: shell }, async (t) => {
      const { sidecar } = await startProviders(t);
      const [code, ...more] = examplesOf(page, 'sh').filter((block) => block.startsWith('call() {'));
      assert.ok(code !== undefined && more.length === 0);
      const calls = [...code.matchAll(/^call [a-z-]+ /gm)].length;
      const answers = (await run('sh', code, { PAYCERT_SOCKET: sidecar.socket })).trim().split('\n');
      assert.ok(calls >= 2);
      assert.equal(answers.length, calls);
      for (const answer of answers) assert.doesNotMatch(answer, /"title"|"hint"/);
    });

  it('of aliyun.md send what Aliyun accepts', { skip: python }, async (t) => {
    const running = await startProviders(t);
    const gateway = await startGateway(t, (request, body) => checkAliyun(running, request, body));
    const env = { PAYCERT_SOCKET: running.sidecar.socket, GATEWAY: gateway };
    for (const [language, answer] of [
      ['python', 'sent\n'],
      ['js', 'described\n'],
    ] as const) {
      const [code, ...more] = examplesOf('aliyun', language);
      assert.ok(code !== undefined && more.length === 0);
      assert.equal(await run(language, code, env), answer);
    }
  });

  it('of alipay.md sends what Alipay accepts, and verifies its answer', { skip: python }, async (t) => {
    const { sidecar, alipay } = await startProviders(t);
    await using gateway = await startAlipayGateway({ material: alipay });
    const [code, ...more] = examplesOf('alipay', 'python');
    assert.ok(code !== undefined && more.length === 0);
    const env = { PAYCERT_SOCKET: sidecar.socket, GATEWAY: gateway.url };
    assert.equal(await run('python', code, env), '10000\n');
    assert.deepEqual(gateway.counts, { accepted: 1, refused: 0 });
  });

  it('of wechatpayV2.md send what WeChat Pay accepts, and verify its answer', { skip: python }, async (t) => {
    const running = await startProviders(t);
    const gateway = await startGateway(t, (_, body) => checkV2(running, body));
    const [code = ''] = examplesOf('wechatpayV2', 'python');
    const output = await run('python', code, { PAYCERT_SOCKET: running.sidecar.socket, GATEWAY: gateway });
    assert.match(output, /<trade_state>SUCCESS<\/trade_state>/);
  });

  it('of hmac.md sign as the partner does, and paycert accepts it once', { skip: python }, async (t) => {
    const { sidecar, secrets } = await startProviders(t);
    const [code = ''] = examplesOf('hmac', 'python');
    const printed = await run('python', code, { PARTNER_SECRET: secrets.shared });
    const parameters = JSON.parse(printed.replaceAll("'", '"')) as Record<string, string>;
    const body = { kind: 'notification', body: new URLSearchParams(parameters).toString() };
    const verify = () => call(sidecar.socket, '/v1/credentials/partner/verify', { body });
    const { status, content } = await verify();
    assert.deepEqual([status, JSON.parse(content)], [200, { valid: true, keyId: 'shop-1' }]);
    assert.equal((await verify()).status, 422);
  });
});
