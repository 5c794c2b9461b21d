// Parts under the names of other parts: no status, Event, log line or metric shows a secret, whatever it was put in the place of.
import assert from 'node:assert/strict';
import { buildProvider } from '../../../src/running/build.ts';
import { describeCredential } from '../../../src/server/credential-status.ts';
import { material } from '../../../src/sources/source.ts';
import { attempt } from '../../../src/store/attempt.ts';
import { Limiter } from '../../../src/store/limiter.ts';
import { Store } from '../../../src/store/store.ts';
import { createLog } from '../../../src/telemetry/log.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';
import { toPkcs8Pem, toSpkiPem } from '../../../src/testing/index.ts';
import { type Corpus, merchantId, now } from '../corpus.ts';
import type { Random } from '../random.ts';
import type { Target } from '../target.ts';
import { type Data, evaluated, type ProviderConfig, statusAfter } from './evaluated.ts';

const clock = { now: () => now, sleep: () => Promise.resolve() };

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const word = (random: Random, length: number): string =>
  Array.from({ length }, () => letters[random.below(letters.length)]).join('');

/** A word that a Secret may hold: as platforms issue them, as people choose them, and as they are pasted. */
const makers: readonly ((random: Random) => string)[] = [
  (random) => word(random, 32),
  (random) => word(random, 30),
  (random) => word(random, 12 + random.below(60)),
  // A length that stands in no other number of a message.
  (random) => word(random, 1100 + random.below(700)),
  (random) => `LTAI${word(random, 20)}`,
  (random) => `STS.${word(random, 24)}`,
  (random) => random.bytes(20).toString('hex').toUpperCase(),
  (random) => random.bytes(20).toString('hex'),
  (random) => `PUB_KEY_ID_${word(random, 21)}`,
  (random) => random.bytes(16).toString('base64'),
  (random) => random.bytes(32).toString('base64'),
  (random) => `"${word(random, 32)}"`,
  (random) => `apiv3_key=${word(random, 32)}`,
  (random) => JSON.stringify({ key: word(random, 32) }),
  (random) => `${word(random, 32)}\n${word(random, 32)}`,
];

/** What each platform publishes. Times are shown as times, and are no names. */
const published: Readonly<Record<string, RegExp>> = {
  access_key_id: /^(?:LTAI|STS\.|TMP\.)[0-9A-Za-z]{4,40}$/,
  merchant_serial: /^[0-9A-F]{40}$/i,
  pub_key_id: /^PUB_KEY_ID_\w{1,100}$/,
};

interface Row {
  readonly provider: ProviderConfig;
  readonly files: Readonly<Record<string, string>>;
  /** Parts of one word, each with what fits it: its maker. */
  readonly words: Readonly<Record<string, (random: Random) => string>>;
}

const secret = (random: Random) => word(random, 32);

/** No certificate of the merchant's, which would make its serial number public. */
function rowsOf({ material: { merchant, platformKeys, authority } }: Corpus): readonly Row[] {
  const [key, publicKey] = [toPkcs8Pem(merchant.privateKey), toSpkiPem(platformKeys[0]!.publicKey)];
  const aesKey = (random: Random) => random.bytes(16).toString('base64');
  const pkcs1 = merchant.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
  return [
    {
      provider: { wechatpay: { merchantId } },
      files: { 'apiclient_key.pem': key, 'pub_key.pem': publicKey, 'trust.pem': authority.certificate },
      words: {
        merchant_serial: (random) => random.bytes(20).toString('hex').toUpperCase(),
        pub_key_id: (random) => `PUB_KEY_ID_${word(random, 21)}`,
        apiv3_key: secret,
        'apiv3_key.previous': secret,
        'apiclient_cert.p12.password': secret,
      },
    },
    {
      provider: { aliyun: {} },
      files: {},
      words: {
        access_key_id: (random) => `LTAI${word(random, 20)}`,
        access_key_secret: (random) => word(random, 30),
        security_token: (random) => word(random, 200),
      },
    },
    {
      provider: { wechatpayV2: { merchantId } },
      files: {},
      words: { apiv2_key: secret, 'apiv2_key.previous': secret },
    },
    {
      provider: { hmac: { keyId: 'shop-1', scheme: 'sorted' } },
      files: {},
      words: { key: secret, 'key.previous': secret },
    },
    {
      provider: { alipay: { appId: '2021000000000001', mode: 'key' } },
      files: { app_private_key: key, alipay_public_key: publicKey },
      words: { aes_key: aesKey, 'aes_key.previous': aesKey },
    },
    {
      provider: { alipay: { appId: '2021000000000001', mode: 'certificate' } },
      files: {
        app_private_key: key,
        'appCertPublicKey.crt': merchant.certificate,
        'alipayCertPublicKey_RSA2.crt': authority.certificate,
        'alipayRootCert.crt': authority.certificate,
      },
      words: { aes_key: aesKey, 'aes_key.previous': aesKey },
    },
    {
      provider: { pss: { appId: 'shop-1' } },
      files: { 'private_key.pem': key, 'public_key.pem': publicKey },
      words: { 'public_key.previous.pem': secret },
    },
    {
      provider: { mtls: {} },
      files: { 'tls.crt': merchant.certificate, 'tls.key': pkcs1, 'ca.crt': authority.certificate },
      words: { 'tls.p12.password': secret, 'ca.crl': secret },
    },
  ];
}

function fill({ files, words }: Row, random: Random): ReadonlyMap<string, string> {
  const filled = new Map(Object.entries(files));
  for (const [name, fit] of Object.entries(words)) {
    const kind = random.below(7);
    if (kind < 3) filled.set(name, fit(random));
    else if (kind === 3) filled.set(name, random.pick(makers)(random));
    // One value of the Secret under two names, as a writer of the resource may name it.
    else if (kind < 6 && filled.size > 0) filled.set(name, random.pick([...filled.values()]));
    // A part that is no word gets one.
    else if (random.isOneIn(2) && filled.size > 0) filled.set(random.pick([...filled.keys()]), fit(random));
  }
  return filled;
}

/** Whether it may be seen: of the published form, and no other part's value. */
const isName = (filled: ReadonlyMap<string, string>, name: string, text: string): boolean =>
  published[name]?.test(text) === true && [...filled].every(([other, value]) => other === name || value !== text);

/** Everything by which a part could be known: as it is, and as other writings of the same bytes. */
function tracesOf(text: string): readonly string[] {
  const bytes = Buffer.from(text);
  const lines = text.split('\n').filter((line) => line.length >= 8 && !line.startsWith('-----'));
  // Its beginning after what all of its kind begin with, its middle and its end.
  const parts = lines.flatMap((line) => {
    const own = line.replace(/^(?:LTAI|STS\.|PUB_KEY_ID_|apiv3_key=|\{"key":"|")/, '');
    return own.length < 20
      ? []
      : [own.slice(0, 10), own.slice(own.length / 2 - 5, own.length / 2 + 5), own.slice(-12, -2)];
  });
  return [...lines, ...parts, bytes.toString('base64').replace(/=+$/, ''), bytes.toString('hex')].map((trace) =>
    trace.toLowerCase(),
  );
}

export async function names(corpus: Corpus): Promise<Target> {
  const rows = rowsOf(corpus);

  /** By the operator, then by a sidecar. */
  async function outputsOf(provider: ProviderConfig, data: Data) {
    const result = await evaluated(provider, data, undefined);
    const told = JSON.stringify(statusAfter(provider, result, undefined));
    const lines: string[] = [];
    const observe = createLog('debug', { write: (line) => void lines.push(line) }, () => now);
    const store = new Store();
    store.declare('shop', { provider: Object.keys(provider).join(), isRequired: true, requires: ['sign'] });
    const credential = {
      name: 'shop',
      provider: buildProvider(provider),
      older: 'accept',
      graceMilliseconds: 0,
    } as const;
    await attempt(credential, material(data), { store, clock, limiter: new Limiter(1), observe });
    assert.ok(lines.length > 0, 'what became of it is logged');
    const shown = JSON.stringify(describeCredential(store.entry('shop'), now));
    const metrics = await createMetrics({ store, clock, version: '0' }).render();
    return { isValid: result.violations.length === 0, told: [told, shown, ...lines].join('\n'), metrics };
  }

  return {
    async run(random) {
      const row = random.pick(rows);
      const filled = fill(row, random);
      const data = new Map([...filled].map(([name, text]) => [name, Buffer.from(text)]));
      const { isValid, told, metrics } = await outputsOf(row.provider, data);
      const all = `${told}\n${metrics}`.toLowerCase();
      for (const [name, text] of filled) {
        // Certificates and public keys are public, and their own facts are shown.
        if (/-BEGIN (?:CERTIFICATE|PUBLIC KEY)-/.test(text) || isName(filled, name, text)) continue;
        for (const trace of tracesOf(text)) assert.ok(!all.includes(trace), `${name} is shown: ${trace}`);
        const length = Buffer.byteLength(text);
        if (length >= 1100 && length < 1800)
          assert.doesNotMatch(told, new RegExp(`\\b${length}\\b`), `the length of ${name} is shown`);
      }
      return isValid ? 'accepted' : 'refused';
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
