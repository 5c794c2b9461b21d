// The memory of what was signed: bounded, found by nonce, and without the text, in the heap too.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { platforms } from '../../src/providers/registry.ts';
import { SignedMemory } from '../../src/store/signed-memory.ts';

const refusals = platforms.wechatpay.refusals!;
const sent = (nonce: string, body = '{}') => ({
  method: 'POST',
  url: '/v3/pay/transactions/out-trade-no/A1?mchid=1',
  headers: {
    Authorization: `WECHATPAY2-SHA256-RSA2048 mchid="1",nonce_str="${nonce}",signature="A",timestamp="1700000000",serial_no="A"`,
  },
  body: Buffer.from(body),
  keyId: 'A',
});
const signing = { credential: 'shop', startedAt: new Date(0) };

describe('the memory of what was signed', () => {
  it('has names, lengths and a digest, and shows ids of a path by their shape', () => {
    const memory = new SignedMemory(10);
    memory.note(signing, sent('n1'), refusals);
    const [record] = memory.find('n1');
    assert.ok(record);
    const { digest, ...rest } = record;
    assert.match(digest, /^[0-9a-f]{64}$/);
    assert.deepEqual(rest, {
      at: new Date(0),
      credential: 'shop',
      keyId: 'A',
      method: 'POST',
      path: '/v3/pay/transactions/out-trade-no/A9',
      parts: [
        { name: 'METHOD', byteLength: 4 },
        { name: 'URL', byteLength: 44 },
        { name: 'TIMESTAMP', byteLength: 10 },
        { name: 'NONCE', byteLength: 2 },
        { name: 'BODY', byteLength: 3 },
      ],
      byteLength: 67,
    });
  });

  it('drops the oldest beyond its bound', () => {
    const memory = new SignedMemory(2);
    for (const nonce of ['n1', 'n2', 'n3']) memory.note(signing, sent(nonce), refusals);
    assert.deepEqual(
      ['n1', 'n2', 'n3'].map((nonce) => memory.find(nonce).length),
      [0, 1, 1],
    );
  });

  it('takes as little for a request of a megabyte and a thousand parameters as for a small one', () => {
    const memory = new SignedMemory(2);
    const parameters = Array.from({ length: 1000 }, (_, index) => `${'p'.repeat(100)}${index}=${'v'.repeat(1000)}`);
    const request = {
      ...sent('n1'),
      url: 'https://openapi.alipay.com/gateway.do',
      headers: {},
      body: Buffer.from(`timestamp=2026-01-01+00%3A00%3A00&sign=A&${parameters.join('&')}`),
    };
    memory.note(signing, request, platforms.alipay.refusals!);
    const found = memory.find('2026-01-01 00:00:00');
    assert.ok(JSON.stringify(found).length < 10_000, `${JSON.stringify(found).length} characters`);
  });

  it('never fails what it remembers', () => {
    const memory = new SignedMemory(2);
    for (const url of ['', '%', '::'])
      memory.note(signing, { ...sent('n1'), url, headers: {} }, platforms.aliyun.refusals!);
    assert.deepEqual(memory.find('n1'), []);
  });

  for (const isKept of [false, true])
    it(
      isKept ? 'would be seen to keep a text in the heap, if it did' : 'keeps nothing of a text in the heap',
      async () => {
        const canary = randomBytes(24).toString('hex');
        const program = `
        import v8 from 'node:v8';
        const { platforms } = await import('./src/providers/registry.ts');
        const { SignedMemory } = await import('./src/store/signed-memory.ts');
        const memory = new SignedMemory(10);
        const kept = [];
        function note() {
          const secret = Buffer.from(process.argv[1], 'base64').toString();
          const form = new URLSearchParams({ app_id: '1', timestamp: '2026-01-01 00:00:00', sign: 'A', ['a_name_of_some_length']: secret });
          const body = Buffer.from(form.toString());
          memory.note({ credential: 'shop', startedAt: new Date() },
            { method: 'POST', url: 'https://openapi.alipay.com/gateway.do', headers: {}, body, keyId: 'A' }, platforms.alipay.refusals);
          body.fill(0);
          if (${String(isKept)}) kept.push(secret.slice(0, 40));
        }
        note();
        for (let i = 0; i < 8; i++) { /(x)/.exec('x'); gc(); }
        await new Promise((resolve) => setImmediate(resolve));
        gc();
        globalThis.held = [memory, kept];
        v8.getHeapSnapshot().pipe(process.stdout);`;
        const args = ['--expose-gc', '--input-type=module', '-e', program, Buffer.from(canary).toString('base64')];
        const child = spawn(process.execPath, args, { cwd: new URL('../..', import.meta.url) });
        const [snapshot, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
        assert.equal(child.exitCode, 0, errors);
        assert.equal(snapshot.includes(canary.slice(0, 40)), isKept);
      },
    );
});
