// The configuration file: a mutated one is refused by name, or each of its credentials can be built.
import assert from 'node:assert/strict';
import { buildCredential, buildPolicy } from '../../../src/running/build.ts';
import { parseConfig } from '../../../src/config/load.ts';
import { now } from '../corpus.ts';
import { byteMutations } from '../mutate-bytes.ts';
import { mutateText } from '../mutate-text.ts';
import { mutate, refusalOf, type Target } from '../target.ts';

const samples = [
  `listen: { socket: /run/paycert/paycert.sock, tcp: { address: 127.0.0.1:8010, tokenFile: /run/paycert/token } }
admin: { address: ":9464" }
credentials:
  - name: wechat-main
    required: true
    provider: { wechatpay: { merchantId: "1900000001" } }
    source: { files: { path: /etc/paycert/wechat-main } }
`,
  `# block style, every field
listen:
  socket: /run/paycert.sock
  maxBodyBytes: 2097152
log:
  level: debug
credentials:
  - name: a
    require: [sign, verify, decrypt]
    older: reject
    grace: 12h
    provider:
      wechatpay:
        merchantId: '1900000001'
        responseKey: { publicKeyPercent: 5 }
        legacyFieldPadding: false
    source:
      merge:
        - files: { path: [/a, /b], poll: 5s, keys: { apiclient_key.pem: tls.key } }
        - env: { keys: { apiv3_key: APIV3_KEY } }
  - name: b.b
    provider: { wechatpay: { merchantId: "1900000002", responseKey: publicKey } }
    source: { env: { keys: { apiclient_key.pem: KEY, merchant_serial: SERIAL } } }
`,
  '{"listen":{"tcp":{"address":"[::1]:0","insecure":true,"exposed":true}},"credentials":[]}',
].map((text) => Buffer.from(text));

const mutations = [...byteMutations, ...byteMutations.map(() => mutateText)];
const dependencies = {
  clock: { now: () => now, sleep: () => Promise.resolve() },
  observe: () => undefined,
  environment: {},
};

export async function config(): Promise<Target> {
  return {
    async run(random) {
      const text = mutate(random.pick(samples), mutations, random, samples).toString();
      const parsed = await refusalOf(() => parseConfig(text));
      if ('error' in parsed) return 'refused';
      const { credentials } = parsed.value;
      assert.ok(Object.isFrozen(parsed.value) && Object.isFrozen(credentials));
      for (const credential of credentials) {
        const { graceMilliseconds } = buildCredential(credential, dependencies);
        assert.ok(Number.isSafeInteger(graceMilliseconds));
        assert.ok(buildPolicy(credential).requires.length > 0);
      }
      return 'accepted';
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
