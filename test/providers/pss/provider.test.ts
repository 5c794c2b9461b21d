// The canonical PSS scheme: exact text, a salt of 32 bytes, and every request accepted in time, genuine, and once.
import assert from 'node:assert/strict';
import { constants, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import { describe, it } from 'node:test';
import { pss } from '../../../src/providers/pss/provider.ts';
import { canonicalMessage } from '../../../src/providers/pss/message.ts';
import type { Provider, Received } from '../../../src/providers/provider.ts';
import { findViolation } from '../../../src/store/checks.ts';
import { toPkcs8Pem, toSpkiPem } from '../../../src/testing/index.ts';
import { flatten } from '../../support/flatten.ts';
import { keyPairs } from '../../support/key-pairs.ts';
import { refusal } from '../../support/wechatpay.ts';

const now = new Date('2026-03-01T00:00:00Z');
const later = (seconds: number): Date => new Date(now.getTime() + seconds * 1000);
const time = String(now.getTime() / 1000);
const [us, them, others] = await keyPairs();
assert.ok(us && them && others);

const make = (maxNonces = 1000): Provider => pss({ appId: 'app-1', maxNonces });
const load = async (provider: Provider, material: Readonly<Record<string, string>>) =>
  flatten(await provider.load(new Map(Object.entries(material).map(([name, text]) => [name, Buffer.from(text)]))));
const own = { 'private_key.pem': toPkcs8Pem(us.privateKey) };
const partner = { 'public_key.pem': toSpkiPem(them.publicKey) };

const body = Buffer.from('{"名":1}');
const text = `POST\n/v3/pay\na=1&b=&b=2\nhost: pay.example\nx-ts: ${time}\nx-nonce: n1\n{"名":1}`;
const salted = (saltLength: number, message = text) =>
  sign('sha256', Buffer.from(message), {
    key: them.privateKey,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength,
  }).toString('base64');
const url = 'https://pay.example/v3/pay?b=2&b&a=1';
const headers = { Host: 'pay.example', 'X-Ts': time, 'x-nonce': 'n1', 'X-Signature': salted(32), 'X-App-Id': 'them' };
const received = { kind: 'notification', method: 'post', url, headers, body } as const;

async function verifier(provider = make()) {
  const { verify: accept, problems } = await load(provider, { ...own, ...partner });
  assert.deepEqual(problems, []);
  assert.ok(accept);
  return (change: Partial<Extract<Received, { body: Uint8Array }>> = {}, at = now) =>
    accept({ ...received, ...change }, at);
}

describe('the canonical text', () => {
  const parts = { method: 'get', url: '/', host: 'h', timestamp: '1', nonce: 'n', body: new Uint8Array() };

  it('has a line for each part, the query sorted as written, and no line feed behind the body', () => {
    assert.equal(
      canonicalMessage({ ...parts, url, body }).toString(),
      text.replace('POST', 'GET').replace('pay.example', 'h').replace(time, '1').replace('n1', 'n'),
    );
    assert.equal(canonicalMessage(parts).toString(), 'GET\n/\n\nhost: h\nx-ts: 1\nx-nonce: n\n');
    assert.match(canonicalMessage({ ...parts, url: '/%7e?%62=+&a' }).toString(), /^GET\n\/%7e\n%62=\+&a=\n/);
  });

  it('with a line break in a line is refused: two requests would share a signature', () => {
    for (const change of [{ host: 'h\nx-ts: 2' }, { nonce: 'a\nb' }, { url: '/a\nb' }])
      assert.throws(() => canonicalMessage({ ...parts, ...change }), refusal('request-invalid'));
  });
});

describe('a request', () => {
  it('is signed with PSS and a salt of 32 bytes over the canonical text', async () => {
    const { authorize } = await load(make(), own);
    assert.ok(authorize);
    const request = { method: 'post', url, headers: { 'x-ts': 'old', Accept: '*/*' }, body };
    const authorized = await authorize(request, { now, nonce: 'n1' });
    assert.deepEqual([authorized.method, authorized.url, authorized.keyId], ['POST', url, 'app-1']);
    const { 'X-Signature': signature = '', ...sent } = authorized.headers;
    assert.deepEqual(sent, { Accept: '*/*', 'X-App-Id': 'app-1', 'X-Ts': time, 'X-Nonce': 'n1' });
    const key = { key: us.publicKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
    assert.ok(verify('sha256', Buffer.from(text), key, Buffer.from(signature, 'base64')));
  });

  it('without a host is refused', async () => {
    const { authorize } = await load(make(), own);
    assert.ok(authorize);
    const moment = { now, nonce: 'n' };
    await assert.rejects(() => authorize({ method: 'GET', url: '/x' }, moment), refusal('request-invalid'));
    await authorize({ method: 'GET', url: '/x', headers: { host: 'h' } }, moment);
  });
});

describe('a request that is received', () => {
  it('verifies once, and not again for a day, whichever material has been loaded since', async () => {
    const provider = make();
    const accept = await verifier(provider);
    const { keyId } = await accept();
    assert.match(keyId, /^[0-9a-f]{16}$/);
    const again = await verifier(provider);
    await assert.rejects(() => again({}, later(1)), refusal('nonce-seen'));
    // The same nonce under a newer timestamp, as the partner itself would sign it.
    const tomorrow = String(Number(time) + 86_399);
    const fresh = { ...headers, 'X-Ts': tomorrow, 'X-Signature': salted(32, text.replace(time, tomorrow)) };
    await assert.rejects(() => again({ headers: fresh }, later(86_399)), refusal('nonce-seen'));
    assert.deepEqual(await again({ headers: fresh }, later(86_400)), { keyId });
  });

  it('that comes twice at the same moment is accepted once', async () => {
    const accept = await verifier();
    const outcomes = await Promise.allSettled([accept(), accept(), accept()]);
    assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected', 'rejected']);
  });

  it('is judged in order: presence, window, nonce, signature', async () => {
    const accept = await verifier();
    for (const missing of ['X-Ts', 'x-nonce', 'X-Signature', 'Host']) {
      const rest = Object.fromEntries(Object.entries({ ...headers, 'X-Ts': '1' }).filter(([name]) => name !== missing));
      const field = missing.toLowerCase();
      const its = missing === 'X-Ts' ? rest : { ...rest, 'X-Ts': '1' };
      await assert.rejects(() => accept({ headers: its }), { ...refusal('signature-missing'), field });
    }
    const forged = { ...headers, 'X-Signature': 'AAAA' };
    await assert.rejects(() => accept({ headers: { ...forged, 'X-Ts': '1' } }), refusal('timestamp-outside-window'));
    await assert.rejects(() => accept({ headers: forged }), refusal('signature-invalid'));
    await accept();
    await assert.rejects(() => accept({ headers: forged }), refusal('nonce-seen'));
  });

  it('that is forged takes no nonce from the genuine one', async () => {
    const accept = await verifier(make(1));
    for (const nonce of ['n1', 'n2', 'n3'])
      await assert.rejects(
        () => accept({ headers: { ...headers, 'x-nonce': nonce, 'X-Signature': 'AAAA' } }),
        refusal('signature-invalid'),
      );
    await accept();
  });

  it('is refused when no more nonces can be remembered', async () => {
    const accept = await verifier(make(1));
    await accept();
    const second = { ...headers, 'x-nonce': 'n2', 'X-Signature': salted(32, text.replace('n1', 'n2')) };
    await assert.rejects(() => accept({ headers: second }), refusal('nonces-full'));
  });

  it('with any part changed is refused', async () => {
    const accept = await verifier();
    for (const change of [
      { method: 'PUT' },
      { url: `${url}&c=1` },
      { url: 'https://pay.example/v3/other?b=2&b&a=1' },
      { body: Buffer.from('{}') },
      { headers: { ...headers, Host: 'evil.example' } },
      { headers: { ...headers, 'X-Ts': String(Number(time) + 1) } },
      { headers: { ...headers, 'X-Signature': salted(20) } },
      { headers: { ...headers, 'X-Signature': sign('sha256', Buffer.from(text), them.privateKey).toString('base64') } },
    ])
      await assert.rejects(() => accept(change), refusal('signature-invalid'));
  });

  it('is a request, with its method, address and headers', async () => {
    const accept = await verifier();
    for (const change of [{ kind: 'response' }, { kind: 'return' }, { url: undefined }, { method: undefined }] as const)
      await assert.rejects(() => accept(change as never), refusal('request-invalid'));
  });
});

describe('a message', () => {
  it('verifies with the partner’s key, or the one before it, by its id', async () => {
    const material = { ...partner, 'public_key.previous.pem': toSpkiPem(others.publicKey) };
    const { verify: accept, keys } = await load(make(), material);
    assert.ok(accept);
    const [current, previous] = keys;
    const message = { kind: 'message', message: Buffer.from(text), signature: salted(32) } as const;
    const { keyId = '' } = current ?? {};
    assert.deepEqual(await accept({ ...message, keyId }, now), { keyId });
    await assert.rejects(() => accept({ ...message, keyId: previous?.keyId ?? '' }, now), refusal('signature-invalid'));
    await assert.rejects(() => accept({ ...message, keyId: 'x' }, now), refusal('key-id-unknown'));
  });

  it('that names this side’s own key is refused as such', async () => {
    const { sign: issue, verify: accept } = await load(make(), { ...own, ...partner });
    assert.ok(issue && accept);
    const { keyId } = await issue(Buffer.from(text));
    await assert.rejects(
      () => accept({ kind: 'message', message: Buffer.from(text), signature: salted(32), keyId }, now),
      {
        code: 'key-id-own',
        message: `the signature names this side’s own key id ${keyId}, and the partner never signs with that key`,
      },
    );
  });
});

describe('keys', () => {
  const problemsOf = async (material: Readonly<Record<string, string>>) =>
    (await load(make(), material)).problems.map(({ code, field }) => `${code} ${String(field)}`);
  const made = (type: 'rsa-pss', options: object) =>
    (generateKeyPairSync(type, { modulusLength: 2048, ...options } as never) as unknown as { publicKey: KeyObject })
      .publicKey;

  it('allow what they are there for', async () => {
    const both = await load(make(), { ...own, ...partner });
    assert.deepEqual([...both.capabilities(now)], ['sign', 'verify']);
    const signs = await load(make(), own);
    assert.deepEqual([[...signs.capabilities(now)], signs.verify], [['sign'], undefined]);
    const verifies = await load(make(), partner);
    assert.deepEqual([[...verifies.capabilities(now)], verifies.authorize], [['verify'], undefined]);
  });

  it('pass the checks before a swap: what the private key signs verifies with its own public half', async () => {
    const context = await load(make(), { ...own, ...partner });
    assert.equal(await findViolation({ context, current: undefined, older: 'accept' }, now), undefined);
    const { set } = context;
    const broken = { ...context, set: { ...set, signer: { ...set.signer!, publicKey: others.publicKey } } };
    const violation = await findViolation({ context: broken, current: undefined, older: 'accept' }, now);
    assert.equal(violation?.code, 'self-test-failed');
  });

  it('are refused where none is there, where they are no RSA or too small, and where both are one’s own', async () => {
    assert.deepEqual(await problemsOf({}), ['material-missing private_key.pem']);
    assert.deepEqual(await problemsOf({ ...own, 'public_key.pem': toSpkiPem(us.publicKey) }), [
      'platform-key-is-merchant public_key.pem',
    ]);
    const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;
    assert.deepEqual(await problemsOf({ 'public_key.pem': toSpkiPem(small) }), ['key-too-small public_key.pem']);
    const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    assert.deepEqual(await problemsOf({ 'private_key.pem': toPkcs8Pem(curve) }), [
      'algorithm-unsupported private_key.pem',
    ]);
  });

  it('that are bound to PSS must be bound to the parameters of the scheme', async () => {
    const bound = { hashAlgorithm: 'sha256', mgf1HashAlgorithm: 'sha256', saltLength: 32 };
    assert.deepEqual(await problemsOf({ 'public_key.pem': toSpkiPem(made('rsa-pss', bound)) }), []);
    for (const change of [{ hashAlgorithm: 'sha512' }, { mgf1HashAlgorithm: 'sha1' }, { saltLength: 64 }])
      assert.deepEqual(await problemsOf({ 'public_key.pem': toSpkiPem(made('rsa-pss', { ...bound, ...change })) }), [
        'algorithm-unsupported public_key.pem',
      ]);
  });
});
