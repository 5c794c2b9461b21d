// paycert reconcile as its users run it: numbers on standard input or from the application, a double of the platform, and a run that is ended.
import assert from 'node:assert/strict';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { alipay } from '../../../src/providers/alipay/provider.ts';
import { startAlipayGateway } from '../../../src/testing/alipay-gateway.ts';
import { createAlipayMaterial, rotateAlipayKey } from '../../../src/testing/alipay-material.ts';
import { listenOnLoopback, type ReceivedRequest } from '../../../src/testing/loopback.ts';
import { createSecretVolume } from '../../../src/testing/secret-volume.ts';
import { startWechatpayGateway } from '../../../src/testing/wechatpay-gateway.ts';
import { listenFor } from '../../support/listening.ts';
import { startOtlpReceiver } from '../../support/otlp-receiver.ts';
import { paycert } from '../../support/paycert.ts';
import { WechatpayV2 } from '../../support/wechatpay-v2.ts';
import { configuration, credential, makeDirectory, makeMaterial, replaceFile, token } from '../../support/sidecar.ts';

/** Orders of the double that nobody placed wait to be paid. */
async function scene(t: TestContext) {
  const directory = await makeDirectory(t);
  const material = await makeMaterial();
  const platform = await startWechatpayGateway();
  t.after(() => platform.close());
  platform.admit(material);
  await createSecretVolume(join(directory, 'keys'), material.files);
  const proxy = `proxy: { listen: { socket: ${JSON.stringify(join(directory, 'proxy.sock'))} }, routes: [{ credential: wechat-main, double: "${platform.url}" }] }\n`;
  const config = join(directory, 'paycert.yaml');
  await writeFile(config, configuration(directory, [credential({ path: join(directory, 'keys') })], proxy));
  await writeFile(join(directory, 'token'), token);
  const run = (more: readonly string[], input = '') =>
    paycert(['reconcile', '--config', config, 'wechat-main', ...more], { input });
  return { directory, platform, material, run };
}

const linesOf = (text: string) => text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Readonly<Record<string, unknown>>])); // prettier-ignore

describe('paycert reconcile', { timeout: 900_000 }, () => {
  it('asks for each number on standard input at the times that it is given, and exits with 75 while any is open', async (t) => {
    const { platform, material, run } = await scene(t);
    const { code, stdout, stderr } = await run(['--after', '0s,10ms,20ms'], '1001\n\n1002\r\n1001\nno number\n');
    assert.equal(code, 75, stderr);
    const results = linesOf(stdout);
    assert.deepEqual(
      results.map(({ order, state, final, queries, code: why }) => [order, state, final, queries, why]).sort(),
      [
        ['1001', 'open', false, 3, undefined],
        ['1002', 'open', false, 3, undefined],
        ['no number', 'unknown', false, 1, 'request-invalid'],
      ],
    );
    assert.equal(platform.counts.accepted, 6);
    for (const secret of [material.apiV3Key, 'PRIVATE']) assert.ok(!`${stdout}${stderr}`.includes(secret));
    assert.deepEqual([(await run([], '')).code, (await run([], '')).stdout], [0, '']);
  });

  it('learns Alipay’s next certificate from the first response that names it', async (t) => {
    const directory = await makeDirectory(t);
    const appId = '2021000000000001';
    const material = await createAlipayMaterial({ appId });
    const platform = await startAlipayGateway({ material: await rotateAlipayKey(material) });
    t.after(() => platform.close());
    await createSecretVolume(join(directory, 'keys'), material.files);
    const { paymentParameters } = (await alipay({ appId, mode: 'certificate' }).load(material.files)).operations;
    const bizContent = '{"out_trade_no":"A1","total_amount":"9.00"}';
    const placed = await paymentParameters?.({ apiMethod: 'alipay.trade.page.pay', bizContent }, { now: new Date(), nonce: '0'.repeat(32) }); // prettier-ignore
    await fetch(platform.url + new URL(placed?.['pageUrl'] ?? '').pathname + new URL(placed?.['pageUrl'] ?? '').search, { redirect: 'manual' }); // prettier-ignore
    const entry = `  - name: alipay-main
    provider: { alipay: { appId: "${appId}", mode: certificate } }
    source: { files: { path: ${JSON.stringify(join(directory, 'keys'))} } }
    platformCertificates: download
    gateway: { double: "${platform.url}" }
`;
    const proxy = `proxy: { listen: { socket: ${JSON.stringify(join(directory, 'proxy.sock'))} }, routes: [{ credential: alipay-main, double: "${platform.url}" }] }\n`;
    const config = join(directory, 'paycert.yaml');
    await writeFile(config, configuration(directory, [entry], proxy));
    await writeFile(join(directory, 'token'), token);
    const args = ['reconcile', '--config', config, 'alipay-main', '--after', '0s,2s'];
    const { code, stdout, stderr } = await paycert(args, { input: 'A1\n' });
    assert.equal(code, 75, stderr);
    const [result] = linesOf(stdout);
    assert.deepEqual([result?.['queries'], result?.['state'], result?.['code']], [2, 'open', undefined], stdout);
    // The order, a query that waits for the certificate, that, and a query.
    assert.equal(platform.counts.accepted, 4);
  });

  it('is a trace of each query where the environment names a collector, with its attempt below it', async (t) => {
    const { directory } = await scene(t);
    const collector = await startOtlpReceiver(t);
    const args = ['reconcile', '--config', join(directory, 'paycert.yaml'), 'wechat-main', '--after', '0s'];
    const { code } = await paycert(args, { input: '1001\n1002\n', env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin } }); // prettier-ignore
    assert.equal(code, 75);
    const queries = collector.spans.filter(({ name }) => name === 'query-order');
    assert.deepEqual([queries.length, new Set(queries.map(({ traceId }) => traceId)).size], [2, 2]);
    for (const { kind, spanId, parentSpanId, attributes } of queries) {
      assert.deepEqual([kind, parentSpanId, attributes['paycert.outcome']], [1, undefined, 'ok']);
      const below = collector.spans.filter((span) => span.parentSpanId === spanId);
      assert.deepEqual(below.map((span) => [span.kind, span.attributes['http.response.status_code']]), [[3, 200]]); // prettier-ignore
    }
    assert.equal(collector.spans.length, 4);
  });

  it('asks at the credential that --fallback names where the first is away, and says how often', async (t) => {
    const { directory, platform, material } = await scene(t);
    const other = new WechatpayV2('k'.repeat(32));
    const second = await listenOnLoopback(0, (request: ReceivedRequest) => other.respond(request));
    t.after(() => second.close());
    const origin = platform.url;
    await platform.close();
    await createSecretVolume(join(directory, 'v2'), new Map([['apiv2_key', Buffer.from('k'.repeat(32))]]));
    const entry = `  - name: wechat-v2
    provider: { wechatpayV2: { merchantId: "1900000001", appId: wx8888888888888888 } }
    source: { files: { path: ${JSON.stringify(join(directory, 'v2'))} } }
`;
    const routes = `[{ credential: wechat-main, double: "${origin}" }, { credential: wechat-v2, double: "${second.url}" }]`;
    const proxy = `proxy: { listen: { socket: ${JSON.stringify(join(directory, 'proxy.sock'))} }, routes: ${routes} }\n`;
    const config = join(directory, 'paycert.yaml');
    await writeFile(config, configuration(directory, [credential({ path: join(directory, 'keys') }), entry], proxy));
    const args = ['reconcile', '--config', config, 'wechat-main', '--fallback', 'wechat-v2', '--after', '0s'];
    const { code, stdout, stderr } = await paycert(args, { input: '1001\n' });
    assert.equal(code, 0, stderr);
    const [result] = linesOf(stdout);
    assert.deepEqual([result?.['order'], result?.['state'], result?.['from']], ['1001', 'paid', 'wechat-v2']);
    assert.match(stderr, /wechat-main said nothing of an order 1 times: wechat-v2 was asked/);
    for (const secret of [material.apiV3Key, 'kkkkkkkk']) assert.ok(!`${stdout}${stderr}`.includes(secret));
  });

  it('refuses a --fallback that cannot be asked about the same orders, at once, and ends', async (t) => {
    const { directory, run } = await scene(t);
    const unknown = await run(['--fallback', 'nobody'], '1001\n');
    assert.deepEqual([unknown.code, unknown.stdout], [64, '']);
    assert.match(unknown.stderr, /the configuration has no credential "nobody"/);
    const config = join(directory, 'paycert.yaml');
    await createSecretVolume(join(directory, 'v2'), new Map([['apiv2_key', Buffer.from('k'.repeat(32))]]));
    const entry = `  - name: wechat-v2
    provider: { wechatpayV2: { merchantId: "1900000002", appId: wx8888888888888888 } }
    source: { files: { path: ${JSON.stringify(join(directory, 'v2'))} } }
`;
    await appendFile(config, entry);
    const another = await run(['--fallback', 'wechat-v2'], '1001\n');
    assert.deepEqual([another.code, another.stdout], [64, '']);
    assert.match(another.stderr, /request-invalid/);
  });

  it('takes the open orders from the application, with a token', async (t) => {
    const { directory, run } = await scene(t);
    const seen: (string | undefined)[] = [];
    let body = JSON.stringify(['1001', '1002']);
    const application = await listenFor(t, (request, response) => {
      seen.push(request.headers.authorization);
      response.end(body);
    });
    const orders = ['--orders', `${application}/open`, '--orders-token-file', join(directory, 'token')];
    const { code, stdout } = await run([...orders, '--after', '0s']);
    assert.equal(code, 75);
    assert.deepEqual(
      linesOf(stdout)
        .map(({ order }) => order)
        .sort(),
      ['1001', '1002'],
    );
    assert.deepEqual(seen, [`Bearer ${token}`]);
    body = '{"orders":[]}';
    const refused = await run(orders);
    assert.deepEqual([refused.code, refused.stderr.includes('lists no orders')], [64, true]);
    body = '[]';
    assert.equal((await run(orders)).code, 0);
    assert.equal((await run(['--orders', 'shop'])).code, 64);
    assert.equal((await run(['--orders', 'http://127.0.0.1:1/'])).code, 64);
  });

  it('ends at the end of the time that it is given', async (t) => {
    const { run } = await scene(t);
    const { code, stdout } = await run(['--for', '1s', '--after', '0s,1h'], '1001\n');
    assert.deepEqual([code, linesOf(stdout)[0]?.['final']], [75, false]);
  });

  it('continues by its journal: what is final is not asked for again', async (t) => {
    const { directory, platform, run } = await scene(t);
    const journal = join(directory, 'journal');
    const first = await run(['--after', '0s', '--journal', journal], '1001\n');
    assert.equal(first.code, 75);
    assert.equal(linesOf(first.stdout)[0]?.['state'], 'open');
    const [noted] = linesOf(await readFile(journal, 'utf8'));
    assert.deepEqual([noted?.['order'], noted?.['final']], ['1001', false]);
    await appendFile(journal, '{"order":"1002","first":"2026-11-27T00:00:00.000Z","final":true}\n{"order":"10');
    const before = platform.counts.accepted;
    const second = await run(['--after', '0s', '--journal', journal], '1001\n1002\n');
    assert.deepEqual(
      linesOf(second.stdout).map(({ order, firstAt }) => [order, firstAt]),
      [['1001', noted?.['first']]],
    );
    assert.equal(platform.counts.accepted, before + 1);
  });

  it('says what is missing before it asks anything', async (t) => {
    const { directory, run, platform } = await scene(t);
    const config = ['--config', join(directory, 'paycert.yaml')];
    for (const words of [
      ['reconcile', 'wechat-main'],
      ['reconcile', ...config],
      ['reconcile', ...config, 'other'],
    ])
      assert.equal((await paycert(words)).code, 64, words.join(' '));
    assert.equal((await run(['--after', '1s,1s'], '1')).code, 64);
    assert.equal((await run([join(directory, 'nowhere')])).code, 64);
    await replaceFile(join(directory, 'paycert.yaml'), configuration(directory, [credential({ path: join(directory, 'no-keys') })])); // prettier-ignore
    const { code, stderr } = await run([], '1');
    assert.deepEqual([code, /has no valid material/.test(stderr)], [75, true]);
    assert.equal(platform.counts.accepted, 0);
  });
});
