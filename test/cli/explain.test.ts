// What people see of a refused signature, and what they never see.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { explainRefusal, type Inputs } from '../../src/cli/explain.ts';
import { PaycertError } from '../../src/errors.ts';
import { generateKeyPair, toPkcs8Pem } from '../../src/testing/key-pair.ts';
import { Canaries } from '../support/canary.ts';
import { paycert } from '../support/paycert.ts';
import { makeDirectory } from '../support/sidecar.ts';

interface Explanation {
  readonly platform: string;
  readonly code: string;
  readonly compared: boolean;
  readonly difference?: { readonly part: string; readonly character?: number };
  readonly causes: readonly { readonly cause: string; readonly why: string; readonly remedy: string }[];
}

const signError = (text: string, length = Buffer.byteLength(text)) =>
  JSON.stringify({
    code: 'SIGN_ERROR',
    message: '错误的签名，验签失败',
    detail: {
      sign_information: { method: 'GET', url: '/', truncated_sign_message: text, sign_message_length: length },
    },
  });

const text = 'GET\n/v3/certificates\n1700000000\nabc\n\n';
const authorization =
  'WECHATPAY2-SHA256-RSA2048 mchid="1",nonce_str="abc",signature="AAAA",timestamp="1700000000",serial_no="A"';

async function write(t: TestContext, files: Readonly<Record<string, string | Uint8Array>>) {
  const directory = await makeDirectory(t);
  for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content);
  return (name: string) => join(directory, name);
}

async function explainJson(args: readonly string[], input = ''): Promise<Explanation> {
  const { stdout, stderr, code } = await paycert(['explain', ...args, '--output', 'json'], { input });
  assert.deepEqual([code, stderr], [0, '']);
  return JSON.parse(stdout) as Explanation;
}

describe('paycert explain', { timeout: 900_000, concurrency: 2 }, () => {
  it('shows the first difference, what it usually comes from, and what to do', async (t) => {
    const file = await write(t, { body: signError(text), signed: text.replace('certificates', 'certificate') });
    const { stdout, code } = await paycert(['explain', file('body'), '--signed', file('signed')]);
    assert.equal(code, 0);
    const lines = stdout.split('\n');
    assert.equal(lines[0], 'WeChat Pay APIv3 refused the request with SIGN_ERROR');
    assert.equal(lines[2], 'The first difference is in URL, character 16:');
    assert.deepEqual(lines.slice(3, 6), [
      '  platform  /v3/certificates',
      '  signed    /v3/certificate',
      `${' '.repeat(27)}^`,
    ]);
    assert.match(stdout, /1\. another path or query was sent than signed\n {3}Send the url that `authorize` answered/);
  });

  it('builds what was signed from what authorize was given and answered', async (t) => {
    const request = { method: 'GET', url: '/v3/certificates', headers: { Authorization: authorization }, keyId: 'A' };
    const file = await write(t, { request: JSON.stringify(request) });
    const same = await explainJson(['-', '--request', file('request')], signError(text));
    assert.deepEqual([same.compared, same.difference, same.causes[0]?.cause], [true, undefined, 'key']);
    const other = await explainJson(['--request', file('request')], signError(text.replace('abc', 'abd')));
    assert.deepEqual([other.difference?.part, other.causes[0]?.cause], ['NONCE', 'another-attempt']);
  });

  it('says what it usually is where there is nothing to compare', async () => {
    const { compared, causes } = await explainJson([], signError(text));
    assert.equal(compared, false);
    assert.deepEqual(
      causes.map(({ cause }) => cause),
      ['body', 'url', 'key', 'serial-of-another-key', 'clock'],
    );
    const { stdout } = await paycert(['explain'], { input: signError(text) });
    assert.match(stdout, /give --signed or --request to compare/);
  });

  it('tells the platforms apart', async () => {
    for (const [body, platform, code] of [
      [{ error_response: { code: '40002', sub_code: 'isv.invalid-signature' } }, 'Alipay', 'isv.invalid-signature'],
      [{ code: 'invalid-signature', message: '' }, 'Alipay', 'invalid-signature'],
      [{ Code: 'SignatureDoesNotMatch', Message: '' }, 'Aliyun OpenAPI', 'SignatureDoesNotMatch'],
    ] as const) {
      const explanation = await explainJson([], JSON.stringify(body));
      assert.deepEqual([explanation.platform, explanation.code], [platform, code]);
      assert.equal(explanation.causes[0]?.cause, platform === 'Alipay' ? 'key' : 'access-key');
    }
  });

  it('names what is wrong with its inputs, and no value', async (t) => {
    const request = { method: 'GET', url: '/', headers: { Authorization: 'Bearer canary' } };
    const file = await write(t, {
      list: '[]',
      bytes: Buffer.from([0xff]),
      empty: '',
      bare: JSON.stringify(request),
      short: '{"method":"GET"}',
      body: signError(text),
      form: JSON.stringify({ method: 'POST', url: '/', body: 'a=%zz&canary=1' }),
      alipay: JSON.stringify({ error_response: { sub_code: 'isv.invalid-signature' } }),
    });
    for (const [args, code, message] of [
      [[file('nowhere')], 64, /cannot be read \(usage\)/],
      [[file('bytes')], 64, /\(refusal-unknown\)/],
      [[file('empty')], 64, /the body is empty/],
      [[file('list')], 64, /\(refusal-unknown\)/],
      [[file('short')], 64, /\(refusal-unknown\)/],
      [[file('body'), '--signed', file('empty')], 64, /--signed is empty/],
      [[file('body'), '--request', file('short')], 64, /has no url: it is only half of the request/],
      [[file('body'), '--request', file('bare')], 64, /carries no signature of WeChat Pay/],
      [[file('alipay'), '--request', file('form')], 64, /body is not percent-encoded/],
      [[file('body'), '--request', file('bare'), '--signed', file('empty')], 64, /not both/],
      [['-', '--signed', '-'], 64, /only one input can be -/],
    ] as const) {
      const ended = await paycert(['explain', ...args]);
      assert.match(ended.stderr, message);
      assert.equal(ended.code, code);
      assert.doesNotMatch(ended.stderr, /canary/);
    }
  });
});

/** What is printed, or what is said of the error; anything but a deliberate one is thrown. */
function show(inputs: Inputs, isJson: boolean): string {
  try {
    return explainRefusal(inputs, isJson);
  } catch (error) {
    if (!(error instanceof PaycertError)) throw error;
    return `${error.message} ${error.hint}`;
  }
}

describe('a canary', () => {
  // As platforms issue them: letters and digits, which is what a code is written with, too.
  const random = () => `Lq${randomBytes(18).toString('base64').replace(/[+/]/g, 'x')}7Ve`;
  const secrets = { apiKey: randomBytes(16).toString('hex'), token: random(), signature: random(), shared: random() };
  const person = { name: '张三丰', phone: '13812345678', id: '11010519491231002X', mail: 'zhang@example.com' };

  it('in any input of paycert explain appears in no output', async () => {
    const key = toPkcs8Pem((await generateKeyPair()).privateKey);
    const canaries = new Canaries();
    for (const [name, secret] of Object.entries({ ...secrets, key })) canaries.add(name, Buffer.from(secret));
    const all = Object.values({ ...secrets, ...person });
    const json = JSON.stringify({ ...secrets, payer: person });
    const pairs = Object.entries({ ...secrets, ...person });
    const query = pairs.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');
    const wechat = `POST\n/v3/${secrets.apiKey}?${query}\n${person.phone}\n${secrets.shared}\n${json}\n`;
    const form = pairs.map(([name, value]) => `${name}=${value}`).join('&');
    const rpc = `POST&%2F&${encodeURIComponent(query)}`;
    const canonical = `POST\n/${secrets.apiKey}\n${query}\nx-acs-security-token:${secrets.token}\n\nhost;${secrets.apiKey}\n${secrets.shared}`;
    const bodies = [
      signError(wechat),
      signError(wechat.slice(0, 60), wechat.length),
      JSON.stringify({ code: 'SIGN_ERROR', message: all.join(), detail: json }),
      JSON.stringify({ code: secrets.apiKey, message: all.join() }),
      JSON.stringify({ error_response: { code: secrets.token, sub_code: person.name, sub_msg: all.join() } }),
      JSON.stringify({ a_response: { sub_code: 'isv.invalid-signature', sub_msg: `验签字符串为：${form}` } }),
      JSON.stringify({
        code: 'invalid-signature',
        message: `验签字符串为：app_id=${secrets.token}\nPOST\n/\n${json}\n`,
      }),
      JSON.stringify({ Code: secrets.shared, Message: `server string to sign is:${rpc}` }),
      JSON.stringify({
        Code: 'SignatureDoesNotMatch',
        Message: `StringToSign is [a] CanonicalRequest is [${canonical}]`,
      }),
      json.slice(0, -1),
      key,
    ];
    const request = {
      method: 'POST',
      url: `https://a/?${query}&sign=${encodeURIComponent(secrets.signature)}&Signature=1`,
      headers: { Authorization: `${authorization},signature="${secrets.signature}"`, [secrets.apiKey]: secrets.token },
      body: form,
      appAuthToken: secrets.token,
    };
    const bare = { ...request, headers: {}, body: '' };
    const signed = [wechat, form, rpc, canonical, key, json, wechat.replace(person.phone, '1'), secrets.apiKey];
    const inputs = [
      {},
      ...signed.map((one) => ({ signed: Buffer.from(one) })),
      ...[request, bare].map((one) => ({ request: Buffer.from(JSON.stringify(one)) })),
    ];
    const outputs = bodies.flatMap((body) =>
      inputs.flatMap((input) => [true, false].map((isJson) => show({ body: Buffer.from(body), ...input }, isJson))),
    );
    assert.ok(outputs.filter((output) => output.includes('difference')).length > 50);
    const leaks = outputs.flatMap((output) => [
      ...canaries.find(output),
      ...Object.values(person).filter((value) => output.includes(value)),
    ]);
    assert.deepEqual(leaks, []);
  });
});
