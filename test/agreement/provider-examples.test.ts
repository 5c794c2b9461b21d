// The examples of every provider run as they stand, against a real sidecar, and gateways that check what arrives.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { makeNotification } from '../../src/testing/index.ts';
import { type Language, languages, runProgram } from '../support/clients.ts';
import { makeDirectory } from '../support/directories.ts';
import { type Host, startInternet } from '../support/internet.ts';
import { startPlatforms, textOf } from '../support/platforms.ts';
import { providerIds, type ProviderSidecar, startProviders } from '../support/provider-sidecar.ts';
import { call } from '../support/sidecar.ts';
import { blocksUnder, pageOf } from './documents.ts';

/** What each exchange prints: the answer, once it has verified where the platform signs answers. */
const answers: Readonly<Record<string, { readonly programs: RegExp; readonly shell?: RegExp }>> = {
  wechatpay: { programs: /^\{"prepay_id":"wx\w+"\}$/ },
  alipay: {
    programs: /^\{"alipay_trade_query_response":\{"code":"10000",.*\}$/,
    shell: /"code":"10000".*"path":"\/v3\/alipay\/trade\/query"/s,
  },
  aliyun: {
    programs: /^200 \{"Message":"OK","Code":"OK",.*\}$/,
    shell: /^200\n\{"Message":"OK",.*\}200\n\{"RequestId":"[0-9A-F-]+"\}$/,
  },
  wechatpayV2: { programs: /^<xml>.*<trade_state>SUCCESS<\/trade_state>.*<\/xml>$/s },
  hmac: { programs: /^200 paid$/, shell: /^200\npaid$/ },
  pss: { programs: /^200 paid$/, shell: /^200\npaid$/ },
};

const programOf = (id: string, { info }: Language): string => {
  const blocks = blocksUnder(pageOf(id), 'From a program').filter((block) => block.info === info);
  return blocks[0]?.text ?? '';
};

/** What a page of WeChat Pay's takes for given: a notification as it was received. */
async function writeNotification(directory: string, { wechat }: ProviderSidecar): Promise<void> {
  const { headers, body } = makeNotification({
    platformKey: wechat.platformKeys[0]!,
    apiV3Key: wechat.apiV3Key,
    now: new Date(),
    resource: { out_trade_no: '1' },
  });
  await writeFile(join(directory, 'headers.json'), JSON.stringify(headers));
  await writeFile(join(directory, 'body.json'), body);
}

/** mTLS signs no messages: its programs are in mtls-examples.test.ts. */
const signing = providerIds.filter((id) => id !== 'mtls');

const shell = languages.find(({ info }) => info === 'sh')!;

it('every call in the shell is answered', { skip: shell.skip, timeout: 900_000 }, async (t) => {
  const running = await startProviders(t);
  for (const id of signing)
    await t.test(pageOf(id), async () => {
      const directory = await makeDirectory(t);
      await writeNotification(directory, running);
      const [code = '', ...more] = blocksUnder(pageOf(id), 'Every call in curl').map((block) => block.text);
      assert.equal(more.length, 0);
      const inThere = `cd ${directory}\n${code}`;
      const {
        stdout,
        stderr,
        code: status,
      } = await runProgram(directory, { ...shell, command: 'bash -e pay.sh' }, inThere, {
        PAYCERT_SOCKET: running.sidecar.socket,
      });
      assert.equal(status, 0, stderr);
      const printed = code.split('\n').filter((line) => /^(?:call|curl) /.test(line));
      const [calls, kept] = [printed.length, printed.filter((line) => / > \w+\.json$/.test(line)).length];
      const lines = stdout.trim().split('\n');
      assert.ok(calls >= 2);
      assert.equal(lines.length, calls - kept);
      for (const line of lines) assert.doesNotMatch(line, /"title"|"hint"/);
    });
});

it('a whole exchange in each language', { timeout: 900_000 }, async (t) => {
  const running = await startProviders(t);
  const directory = await makeDirectory(t);
  const { hosts } = await startPlatforms(t, running);
  let isForged = false;
  let count = 0;
  const watched = Object.entries(hosts).map(([name, host]): [string, Host] => [
    name,
    async (request) => {
      count += 1;
      const answer = await host(request);
      return isForged ? { ...answer, body: Buffer.from(textOf(answer).replace('wx', 'wy')) } : answer;
    },
  ]);
  const internet = await startInternet(t, directory, Object.fromEntries(watched));
  const env = { ...internet, PAYCERT_SOCKET: running.sidecar.socket };

  for (const language of languages) {
    for (const id of signing)
      await t.test(`${pageOf(id)}: ${language.info}`, { skip: language.skip }, async () => {
        count = 0;
        const { code, stdout, stderr } = await runProgram(directory, language, programOf(id, language), env);
        assert.equal(code, 0, stderr);
        const { programs, shell: inShell } = answers[id]!;
        const isShell = language.info === 'sh' && inShell !== undefined;
        assert.match(stdout.trim(), isShell ? inShell : programs);
        assert.equal(count, language.info === 'sh' ? programOf(id, language).split('$(send ').length - 1 : 1);
      });

    await t.test(
      `an answer that was changed on its way is not printed: ${language.info}`,
      { skip: language.skip },
      async () => {
        isForged = true;
        const outcome = await runProgram(directory, language, programOf('wechatpay', language), env);
        isForged = false;
        assert.notEqual(outcome.code, 0);
        assert.equal(outcome.stdout, '');
        assert.match(outcome.stderr, /signature-invalid/);
      },
    );
  }
});

const python = languages.find(({ info }) => info === 'python')!;

it(
  'the partner’s side in hmac.md signs what paycert accepts once',
  { skip: python.skip, timeout: 900_000 },
  async (t) => {
    const { sidecar, secrets } = await startProviders(t);
    const [block] = blocksUnder(pageOf('hmac'), "The partner's side");
    const env = { PARTNER_SECRET: secrets.shared };
    const { stdout, stderr } = await runProgram(await makeDirectory(t), python, block?.text ?? '', env);
    assert.equal(stderr, '');
    const parameters = JSON.parse(stdout.replaceAll("'", '"')) as Record<string, string>;
    const body = { kind: 'notification', body: new URLSearchParams(parameters).toString() };
    const verify = () => call(sidecar.socket, '/v1/credentials/partner/verify', { body });
    const { status, content } = await verify();
    assert.deepEqual([status, JSON.parse(content)], [200, { valid: true, keyId: 'shop-1' }]);
    assert.equal((await verify()).status, 422);
  },
);
