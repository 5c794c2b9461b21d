// A real sidecar that keeps an audit: through swaps and rejections, a new key, kill -9 at any moment, and a directory that is no use.
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { Static } from 'typebox';
import type { ProcessStatus } from '../../src/server/schema.ts';
import { createSecretVolume } from '../../src/testing/secret-volume.ts';
import { startWechatpayGateway } from '../../src/testing/wechatpay-gateway.ts';
import { exchange } from '../support/http-client.ts';
import { startOtlpReceiver } from '../support/otlp-receiver.ts';
import { paycert } from '../support/paycert.ts';
import { call, configuration, credential, makeDirectory, makeMaterial, replaceFile, type Sidecar, startSidecar } from '../support/sidecar.ts'; // prettier-ignore

/** For so long it is killed again and again, and eight times at least; `npm run soak` gives it a minute. */
const killMilliseconds = Number(process.env['PAYCERT_KILL_SECONDS'] ?? 0) * 1000;

const key = 'the-key-of-the-chain-of-a-sidecar';
const authorize = '/v1/credentials/wechat-main/authorize';
/** No digest and no time has this text by chance. */
const number = 'order-1001';
const request = {
  method: 'POST',
  url: `/v3/pay/transactions/out-trade-no/${number}/close?mchid=1`,
  body: '{"openid":"oUpF8uM"}',
};

async function scene(t: TestContext, volume = '', beside: (directory: string) => string = () => '') {
  const directory = await makeDirectory(t);
  const material = await makeMaterial();
  const keys = await createSecretVolume(join(directory, 'keys'), material.files);
  const [audited, keyFile] = [join(directory, 'audit'), join(directory, 'audit-key')];
  await writeFile(keyFile, key);
  const more = `audit: { stdout: true, keyFile: ${JSON.stringify(keyFile)}, volume: { directory: ${JSON.stringify(audited)} ${volume} } }\n`;
  const config = configuration(directory, [credential({ path: join(directory, 'keys') })], more + beside(directory));
  const start = () => startSidecar(t, directory, config);
  const verify = (...more: string[]) => paycert(['audit', 'verify', audited, '--key', keyFile, ...more]);
  return { directory, audited, keyFile, material, keys, start, verify };
}

async function linesIn(audited: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const names = (await readdir(audited)).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(audited, name), 'utf8')));
  return texts.flatMap((text) =>
    text.split('\n').flatMap((line) => (line.endsWith('}') ? [JSON.parse(line) as Record<string, unknown>] : [])),
  );
}

const value = (metrics: string, name: string): string => new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1] ?? '';
const statusOf = async (socket: string) =>
  JSON.parse((await call(socket, '/statusz')).content) as Static<typeof ProcessStatus>;
const printed = async (socket: string) => (await paycert(['status', '--socket', socket])).stdout;
const ended = (sidecar: Sidecar) => {
  sidecar.terminate();
  return sidecar.ended;
};

describe('a sidecar with an audit', { timeout: 900_000 }, () => {
  it('hands out no signature whose line its collector has not, and does not start where none is named', async (t) => {
    const directory = await makeDirectory(t);
    await createSecretVolume(join(directory, 'keys'), (await makeMaterial()).files);
    const collector = await startOtlpReceiver(t);
    const audit = 'audit: { otlp: { onFailure: refuse } }\n';
    const config = configuration(directory, [credential({ path: join(directory, 'keys') })], audit);
    const env = { OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: `${collector.origin}/v1/logs`, OTEL_SERVICE_NAME: 'shop-signer' };
    const sidecar = await startSidecar(t, directory, config, { env });
    const sign = async () => (await call(sidecar.socket, authorize, { body: request })).status;
    assert.equal(await sign(), 200);
    const { body = '', resource } = collector.logs.at(-1) ?? {};
    assert.match(body, /"type":"signed".*"hash":"[0-9a-f]{64}"\}$/);
    assert.equal(resource?.['service.name'], 'shop-signer');
    collector.respond((response) => void response.writeHead(401).end());
    assert.deepEqual([await sign(), await sign()], [503, 503]);
    collector.respond((response) => void response.end('{}'));
    await sidecar.event('audit-recovered');
    assert.equal(await sign(), 200);
    assert.equal(await ended(sidecar), 0);
    const lines = [...new Set(collector.logs.map((one) => one.body))];
    await writeFile(join(directory, 'collected.jsonl'), `${lines.join('\n')}\n`);
    const { code, stdout } = await paycert(['audit', 'verify', join(directory, 'collected.jsonl')]);
    assert.equal(code, 0, stdout);
    assert.deepEqual(collector.spans, []);

    const { code: failed, stderr } = await paycert(['sidecar', '--config', join(directory, 'paycert.yaml')]);
    assert.deepEqual([failed, /audit\.otlp .*OTEL_EXPORTER_OTLP_LOGS_ENDPOINT/.test(stderr)], [78, true], stderr);
  });

  it('writes down swaps, rejections, configurations and signatures, in one chain whose end is a metric', async (t) => {
    const { directory, audited, material, keys, keyFile, start, verify } = await scene(t);
    const sidecar = await start();
    const answer = await call(sidecar.socket, authorize, { body: request, headers: { 'Request-Id': 'order-7', 'User-Agent': 'Java/21' } }); // prettier-ignore
    assert.equal(answer.status, 200);
    assert.equal((await call(sidecar.socket, authorize, { body: { method: 'GET', url: 'x' } })).status, 400);
    const swapped = sidecar.event('swapped', { generation: 2 });
    await keys.write((await makeMaterial(1)).files);
    await swapped;
    const rejected = sidecar.event('rejected');
    await keys.write(new Map(material.files).set('apiclient_key.pem', Buffer.from('no key')));
    await rejected;
    const replaced = sidecar.event('token-replaced', { file: 'audit-key' });
    await writeFile(join(directory, 'old-key'), key);
    await replaceFile(keyFile, 'another-key-of-the-chain');
    await replaced;
    const refused = sidecar.event('config-rejected');
    await replaceFile(join(directory, 'paycert.yaml'), 'listen: 1');
    await refused;
    const metrics = (await call(sidecar.admin, '/metrics')).content;
    const head = `${value(metrics, 'paycert_audit_seq')}:${value(metrics, 'paycert_audit_head')}`;
    assert.equal(await ended(sidecar), 0);

    const verified = await verify('--key', join(directory, 'old-key'), '--head', head);
    assert.equal(verified.code, 0, verified.stdout);
    const lines = await linesIn(audited);
    const ofType = (type: string) => lines.filter((line) => line['type'] === type);
    for (const type of [
      'started',
      'configured',
      'swapped',
      'rejected',
      'token-replaced',
      'config-rejected',
      'signed',
      'not-signed',
      'stopping',
    ])
      // prettier-ignore
      assert.ok(ofType(type).length > 0, type);
    const [signed = {}] = ofType('signed');
    const { request: id, listener, claim, generation, outcome, method, path } = signed;
    assert.deepEqual(
      [id, listener, claim, generation, outcome, method],
      ['order-7', 'socket', 'Java/21', 1, 'ok', 'POST'],
    );
    assert.match(String(path), /^\/v3\/pay\/transactions\/out-trade-no\/~[0-9a-f]{24}\/close$/);
    assert.equal(ofType('not-signed')[0]?.['code'], 'request-invalid');
    const [, second] = ofType('swapped');
    assert.deepEqual([second?.['credential'], second?.['generation']], ['wechat-main', 2]);
    const printed = sidecar.lines.filter((line) => line['audit'] === 1);
    assert.deepEqual(printed, lines);
    const all = JSON.stringify(lines) + metrics;
    for (const hidden of [key, 'another-key-of-the-chain', 'oUpF8uM', number, material.apiV3Key]) assert.ok(!all.includes(hidden)); // prettier-ignore
  });

  it('has every signature that it handed out, whenever it is killed, where it must refuse otherwise', async (t) => {
    const { audited, start, verify } = await scene(t, ', onFailure: refuse, maxFileBytes: 65536');
    const handedOut: string[] = [];
    const until = performance.now() + killMilliseconds;
    for (let round = 0; round < 8 || performance.now() < until; round += 1) {
      const sidecar = await start();
      const before = handedOut.length;
      const enough = randomInt(1, 60);
      const { promise: isEnough, resolve } = Promise.withResolvers<undefined>();
      const callers = Array.from({ length: 8 }, async (_, caller) => {
        for (let turn = 0; ; turn += 1) {
          const id = `${round}-${caller}-${turn}`;
          const answer = await call(sidecar.socket, authorize, { body: request, headers: { 'Request-Id': id } });
          if (answer.status === 200) handedOut.push(id);
          if (handedOut.length - before >= enough) resolve(undefined);
        }
      }).map((calling) => calling.catch(() => undefined));
      await isEnough;
      sidecar.child.kill('SIGKILL');
      await Promise.all([sidecar.ended, ...callers]);
      const { code, stdout } = await verify();
      assert.equal(code, 0, stdout);
      assert.match(stdout, /lines are in order, from 1 to \d+ of 20/);
    }
    const written = new Set((await linesIn(audited)).map((line) => line['request']));
    assert.deepEqual(
      handedOut.filter((id) => !written.has(id)),
      [],
    );
    assert.ok(handedOut.length > 8);
  });

  it('has a line for each request that the proxy signs, and one for how the call ended', async (t) => {
    const platform = await startWechatpayGateway();
    t.after(() => platform.close());
    const proxy = (directory: string) =>
      `proxy: { listen: { socket: ${JSON.stringify(join(directory, 'proxy.sock'))} }, routes: [{ credential: wechat-main, double: "${platform.url}" }] }\n`;
    const { directory, audited, material, start, verify } = await scene(t, ', onFailure: refuse', proxy);
    platform.admit(material);
    const sidecar = await start();
    const path = '/wechat-main/v3/certificates';
    const headers = { 'Request-Id': 'proxied-1' };
    assert.equal((await exchange(join(directory, 'proxy.sock'), { path, headers })).status, 200);
    assert.equal(await ended(sidecar), 0);
    assert.equal((await verify()).code, 0);
    const lines = (await linesIn(audited)).filter((line) => line['request'] === 'proxied-1');
    assert.deepEqual(
      lines.map(({ type, outcome, operation, listener, method, path: shown, status, verified }) => [type, outcome, operation, listener, method, shown, status, verified]), // prettier-ignore
      [
        ['signed', 'ok', 'forward', 'proxy-socket', 'GET', '/v3/certificates', undefined, undefined],
        ['forwarded', 'ok', undefined, undefined, 'GET', undefined, 200, 'yes'],
      ],
    );
    assert.equal(lines[0]?.['keyId'], material.merchant.serialNumber);
  });

  it('signs while its directory takes nothing, unless it must refuse, and says so in metrics and log', async (t) => {
    for (const [onFailure, status] of [
      ['count', 200],
      ['refuse', 503],
    ] as const) {
      const { audited, start, verify } = await scene(t, `, onFailure: ${onFailure}`);
      // A file where the directory should be: every disk refuses that, also to root.
      await writeFile(audited, '');
      const sidecar = await start();
      await sidecar.event('audit-failed', { code: 'audit-unavailable' });
      const answer = await call(sidecar.socket, authorize, { body: request });
      assert.equal(answer.status, status, answer.content);
      assert.match((await call(sidecar.admin, '/metrics')).content, /^paycert_audit_failing 1$/m);
      const { written, since, reason } = (await statusOf(sidecar.socket)).audit!;
      assert.equal(written, false);
      assert.deepEqual([reason?.code, reason?.at], ['audit-unavailable', since]);
      assert.match(await printed(sidecar.socket), new RegExp(`^not audited: since ${since!} lines of the audit wait\\. the audit cannot be written: (?:EEXIST|ENOTDIR) \\(audit-unavailable\\)`, 'm')); // prettier-ignore
      const shown = JSON.parse((await call(sidecar.admin, '/status')).content) as { readonly audit: object };
      assert.deepEqual(shown.audit, { written: false, since, code: 'audit-unavailable' });
      await rm(audited);
      await mkdir(audited);
      await sidecar.event('audit-recovered');
      assert.equal((await call(sidecar.socket, authorize, { body: request })).status, 200);
      assert.match((await call(sidecar.admin, '/metrics')).content, /^paycert_audit_failing 0$/m);
      assert.deepEqual((await statusOf(sidecar.socket)).audit, { written: true });
      assert.doesNotMatch(await printed(sidecar.socket), /not audited/);
      assert.equal(await ended(sidecar), 0);
      assert.equal((await verify()).code, 0);
    }
  });
});
