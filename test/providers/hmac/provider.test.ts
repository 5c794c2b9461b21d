// HMAC schemes: each signs the text that partners agreed on, and a request is accepted in time, genuine, and once.
import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { Limiter } from '../../../src/store/limiter.ts';
import { hmac } from '../../../src/providers/hmac/provider.ts';
import type { Scheme } from '../../../src/providers/hmac/schemes.ts';
import type { HmacOptions } from '../../../src/providers/hmac/options.ts';
import type { Provider, Received } from '../../../src/providers/provider.ts';
import { Snapshot } from '../../../src/store/snapshot.ts';
import { flatten } from '../../support/flatten.ts';
import { refusal } from '../../support/wechatpay.ts';

const now = new Date('2026-03-01T00:00:00Z');
const later = (seconds: number): Date => new Date(now.getTime() + seconds * 1000);
const time = String(now.getTime() / 1000);
const secret = randomBytes(24).toString('base64');
const keyId = 'partner-1';
const url = 'https://pay.example/v1/pay';
const code = (text: string) => createHmac('sha256', secret).update(text);

const make = (options: Partial<HmacOptions> = {}): Provider =>
  hmac({ keyId, scheme: 'sorted', slash: 'keep', maxNonces: 1000, ...options });

async function load(provider: Provider, material: Readonly<Record<string, string>> = { key: secret }) {
  const context = flatten(
    await provider.load(new Map(Object.entries(material).map(([name, text]) => [name, Buffer.from(text)]))),
  );
  assert.deepEqual(context.problems, []);
  const { sign, authorize, verify } = context;
  assert.ok(sign && authorize && verify);
  return { ...context, sign, authorize, verify };
}

const parameters = { b: 'x y/z+*~', A: '', 名: '值' };

async function authorized(scheme: Scheme, options: Partial<HmacOptions> = {}, nonce = 'n1') {
  const { authorize } = await load(make({ scheme, ...options }));
  return authorize({ method: 'POST', url, parameters }, { now, nonce });
}

/** Signed as the scheme says, in plain words: what each scheme makes of the same request. */
const stamped = `app_id=${keyId}`;
const texts: Readonly<Record<Scheme, [text: string, encoding: 'hex' | 'HEX' | 'base64']>> = {
  sorted: [`A=&${stamped}&b=x y/z+*~&nonce=n1&timestamp=${time}&名=值`, 'hex'],
  'sorted-quoted': [`A=&${stamped}&b=x%20y/z%2B%2A~&nonce=n1&timestamp=${time}&名=%E5%80%BC`, 'HEX'],
  'sorted-appended': [`A=&${stamped}&b=x y/z+*~&nonce=n1&timestamp=${time}&名=值${secret}`, 'hex'],
  'sorted-header': [`A=&${stamped}&b=x+y%2Fz%2B%2A~&nonce=n1&timestamp=${time}&%E5%90%8D=%E5%80%BC`, 'hex'],
  request: [`POST&/v1/pay&A=&Nonce=n1&Timestamp=${time}&b=x%20y/z%2B%2A~&名=%E5%80%BC`, 'base64'],
};

describe('a request', () => {
  for (const [scheme, [text, encoding]] of Object.entries(texts) as [Scheme, (typeof texts)[Scheme]][])
    it(`of scheme ${scheme} is signed over the text of its scheme`, async () => {
      const { headers, body } = await authorized(scheme);
      const form = new URLSearchParams(Buffer.from(body ?? []).toString());
      const hex = code(text).digest('hex');
      const expected =
        encoding === 'base64' ? code(text).digest('base64') : encoding === 'HEX' ? hex.toUpperCase() : hex;
      const signature = form.get('signature') ?? form.get('Signature') ?? headers['Authorization'];
      assert.equal(signature, scheme === 'sorted-header' ? `Signature ${expected}` : expected);
      assert.equal(form.get('b'), parameters.b);
      assert.equal(headers['Content-Type'], 'application/x-www-form-urlencoded');
    });

  it('encodes slashes where the partner does', async () => {
    const { body } = await authorized('request', { slash: 'encode' });
    const text = texts.request[0].replaceAll('/', '%2F');
    const form = new URLSearchParams(Buffer.from(body ?? []).toString());
    assert.equal(form.get('Signature'), code(text).digest('base64'));
  });

  it('is refused with parameters that the scheme sets, and with a query', async () => {
    const { authorize } = await load(make());
    for (const change of [{ parameters: { nonce: 'x' } }, { parameters: { signature: 'x' } }, { url: `${url}?a=b` }])
      await assert.rejects(
        () => authorize({ method: 'GET', url, ...change }, { now, nonce: 'n' }),
        refusal('request-invalid'),
      );
  });
});

describe('a request that is received', () => {
  /** What the other side sees of what we sent. */
  const receivedFrom = async (scheme: Scheme, nonce = 'n1', method = 'POST'): Promise<Received> => {
    const { authorize } = await load(make({ scheme }));
    const sent = await authorize({ method, url, parameters }, { now, nonce });
    const { headers, body = new Uint8Array() } = sent;
    return { kind: 'notification', headers, body, url: sent.url, ...(scheme === 'request' && { method }) };
  };

  it('is refused where it is one of our own, sent back', async () => {
    const { authorize, verify } = await load(make());
    const { body = new Uint8Array() } = await authorize({ method: 'POST', url, parameters }, { now, nonce: 'own' });
    await assert.rejects(() => verify({ kind: 'notification', body }, now), refusal('nonce-seen'));
  });

  it('stays accepted once when the clock jumps ahead and back', async () => {
    const { verify } = await load(make());
    const received = await receivedFrom('sorted');
    assert.ok(await verify(received, now));
    // Two hours ahead another message arrives, and what has expired is forgotten.
    await assert.rejects(() => verify(received, later(7200)), refusal('timestamp-outside-window'));
    const { authorize } = await load(make());
    const { body = new Uint8Array() } = await authorize(
      { method: 'POST', url, parameters },
      { now: later(7200), nonce: 'n2' },
    );
    assert.ok(await verify({ kind: 'notification', body }, later(7200)));
    await assert.rejects(() => verify(received, later(1)), refusal('nonce-seen'));
  });

  it('is signed over its bytes: one that is no UTF-8 is refused, and never replaced', async () => {
    const { verify } = await load(make());
    const text = `app_id=${keyId}&name=\ufffd&nonce=n1&timestamp=${time}`;
    const form = (name: string) =>
      `app_id=${keyId}&name=${name}&nonce=n1&timestamp=${time}&signature=${code(text).digest('hex')}`;
    for (const name of ['%FF', '%C3', '%ED%A0%80'])
      await assert.rejects(
        () => verify({ kind: 'notification', body: Buffer.from(form(name)) }, now),
        refusal('message-malformed'),
      );
    const raw = Buffer.from(form('\xff'), 'latin1');
    await assert.rejects(() => verify({ kind: 'notification', body: raw }, now), refusal('message-malformed'));
    assert.ok(await verify({ kind: 'notification', body: Buffer.from(form('%EF%BF%BD')) }, now));
  });

  it('of a scheme without quoting is refused where one value reads as two parameters, here and when it is signed', async () => {
    for (const scheme of ['sorted', 'sorted-appended'] as const) {
      const { authorize, verify } = await load(make({ scheme }));
      const note = { note: 'x&y=1' };
      const request = { method: 'POST', url, parameters: note };
      await assert.rejects(() => authorize(request, { now, nonce: 'n' }), refusal('request-invalid'));
      const text = `app_id=${keyId}&nonce=n1&note=x&timestamp=${time}&y=1`;
      const signature = createHmac('sha256', secret)
        .update(scheme === 'sorted' ? text : text + secret)
        .digest('hex');
      const form = `app_id=${keyId}&nonce=n1&note=x&timestamp=${encodeURIComponent(`${time}&y=1`)}&signature=${signature}`;
      await assert.rejects(
        () => verify({ kind: 'notification', body: Buffer.from(form) }, now),
        refusal('message-malformed'),
      );
    }
    const { authorize } = await load(make({ scheme: 'sorted-quoted' }));
    assert.ok(await authorize({ method: 'POST', url, parameters: { note: 'x&y=1', b: 'A&B' } }, { now, nonce: 'n' }));
  });

  for (const scheme of Object.keys(texts) as Scheme[]) {
    it(`of scheme ${scheme} verifies once`, async () => {
      const { verify } = await load(make({ scheme }));
      const received = await receivedFrom(scheme);
      assert.deepEqual(await verify(received, now), { keyId });
      await assert.rejects(() => verify(received, later(1)), refusal('nonce-seen'));
      const inQuery = await receivedFrom(scheme, 'n2', 'GET');
      assert.deepEqual(await verify(inQuery, now), { keyId });
    });

    it(`of scheme ${scheme} with any value changed is refused`, async () => {
      const { verify } = await load(make({ scheme }));
      const received = (await receivedFrom(scheme)) as Extract<Received, { body: Uint8Array }>;
      const body = Buffer.from(received.body).toString();
      for (const changed of [`${body}&x=y`, body.replace('b=x', 'b=y'), body.replace(/^b=[^&]*&/, '')])
        await assert.rejects(
          () => verify({ ...received, body: Buffer.from(changed) }, now),
          refusal('signature-invalid'),
        );
    });
  }

  it('is judged in order: presence, window, nonce, key id and signature', async () => {
    const { verify } = await load(make());
    const form = (change: Record<string, string | undefined>): Received => {
      const all: typeof change = { app_id: keyId, timestamp: time, nonce: 'n', signature: 'x', ...change };
      const present = Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== undefined);
      return { kind: 'notification', body: Buffer.from(new URLSearchParams(present).toString()) };
    };
    for (const missing of ['app_id', 'timestamp', 'nonce', 'signature'])
      await assert.rejects(() => verify(form({ timestamp: '1', [missing]: undefined }), now), {
        ...refusal('signature-missing'),
        field: missing,
      });
    for (const timestamp of ['1', 'x', `${time}000`, '-1', String(Number(time) + 301), String(Number(time) - 301)])
      await assert.rejects(() => verify(form({ timestamp }), now), refusal('timestamp-outside-window'));
    await assert.rejects(() => verify(form({ app_id: 'other' }), now), refusal('key-id-unknown'));
    await assert.rejects(() => verify(form({}), now), refusal('signature-invalid'));
    // Refused, so its nonce is not taken.
    await assert.rejects(() => verify(form({}), now), refusal('signature-invalid'));
  });

  it('is within the window to the second at both ends', async () => {
    const received = await receivedFrom('sorted');
    for (const seconds of [-300, 300]) {
      const { verify } = await load(make());
      assert.deepEqual(await verify(received, later(seconds)), { keyId });
    }
  });

  it('is not accepted twice at any time, whichever material has been loaded since', async () => {
    const provider = make();
    const received = await receivedFrom('sorted');
    const { verify } = await load(provider);
    await verify(received, later(-300));
    const again = await load(provider, { key: secret, 'key.previous': `${secret}x` });
    for (let seconds = -300; seconds <= 600; seconds += 1)
      await assert.rejects(() => again.verify(received, later(seconds)), { name: 'PaycertError' });
  });

  it('is refused when no more nonces can be remembered, and its nonce is not lost by that', async () => {
    const { verify } = await load(make({ maxNonces: 1 }));
    await verify(await receivedFrom('sorted', 'n1'), now);
    const second = await receivedFrom('sorted', 'n2');
    await assert.rejects(() => verify(second, now), refusal('nonces-full'));
    await assert.rejects(async () => verify(await receivedFrom('sorted', 'n1'), now), refusal('nonce-seen'));
  });

  it('with a parameter that stands twice, in body or address, is refused', async () => {
    const { verify } = await load(make());
    const body = Buffer.from('a=1&a=2');
    await assert.rejects(() => verify({ kind: 'notification', body }, now), refusal('message-malformed'));
    await assert.rejects(
      () => verify({ kind: 'notification', body: Buffer.from('a=1'), url: '/?a=1' }, now),
      refusal('message-malformed'),
    );
  });

  it('is a request: answers and returns are nothing that these schemes sign', async () => {
    const { verify } = await load(make());
    for (const kind of ['response', 'return'] as const)
      await assert.rejects(() => verify({ kind, body: new Uint8Array() }, now), refusal('request-invalid'));
  });
});

describe('a key', () => {
  it('signs bytes, and verifies what it signed under its own id', async () => {
    const { sign, verify } = await load(make());
    const message = Buffer.from('hello');
    const { signature } = await sign(message);
    assert.deepEqual(signature, createHmac('sha256', secret).update(message).digest());
    const received = { kind: 'message', message, signature: Buffer.from(signature).toString('base64'), keyId } as const;
    assert.deepEqual(await verify(received, now), { keyId });
    await assert.rejects(() => verify({ ...received, keyId: 'x' }, now), refusal('key-id-unknown'));
    await assert.rejects(() => verify({ ...received, signature: 'AAAA' }, now), refusal('signature-invalid'));
  });

  it('that came before verifies and does not sign: the one in the material, and the one that a swap retired', async () => {
    const other = randomBytes(24).toString('base64');
    const message = Buffer.from('hello');
    const signature = createHmac('sha256', secret).update(message).digest('base64');
    const received = { kind: 'message', message, signature, keyId } as const;
    const inMaterial = await load(make(), { key: other, 'key.previous': secret });
    assert.deepEqual(await inMaterial.verify(received, now), { keyId });
    assert.deepEqual((await inMaterial.sign(message)).signature, createHmac('sha256', other).update(message).digest());
    const provider = make();
    const limiter = new Limiter(4);
    const about = { generation: 1, loadedAt: now, version: undefined, retired: [] };
    const before = new Snapshot(await load(provider), about, limiter);
    const retired = before.retire(now, 60_000);
    const snapshot = new Snapshot(await load(provider, { key: other }), { ...about, generation: 2, retired }, limiter);
    assert.deepEqual(await snapshot.verify(received, later(59)), { keyId });
    await assert.rejects(() => snapshot.verify(received, later(60)), refusal('signature-invalid'));
    const forged = { ...received, message: Buffer.from('x') };
    await assert.rejects(() => snapshot.verify(forged, now), refusal('signature-invalid'));
  });

  it('of less than 32 bytes, or none, is refused', async () => {
    const problemsOf = async (material: Record<string, string>) => {
      const data = new Map(Object.entries(material).map(([name, text]) => [name, Buffer.from(text)]));
      return (await make().load(data)).set.problems.map(({ code: problem, field }) => `${problem} ${String(field)}`);
    };
    assert.deepEqual(await problemsOf({}), ['material-missing key']);
    assert.deepEqual(await problemsOf({ key: 'x'.repeat(31), 'key.previous': '' }), [
      'hmac-key-too-short key',
      'hmac-key-too-short key.previous',
    ]);
    assert.deepEqual(await problemsOf({ key: `${'x'.repeat(32)}\n` }), []);
  });

  it('shows its id and four bytes of check value, never itself', async () => {
    const { keys } = await load(make());
    assert.equal(keys[0]?.keyId, keyId);
    assert.match(keys[0].fingerprint, /^[0-9a-f]{8}$/);
    assert.ok(!JSON.stringify(keys).includes(secret));
  });
});
