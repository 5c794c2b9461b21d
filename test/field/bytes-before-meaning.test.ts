// Genuine messages of Alipay in another charset than UTF-8 verify: a signature is over bytes.
import assert from 'node:assert/strict';
import { sign } from 'node:crypto';
import { describe, it } from 'node:test';
import type { Received } from '../../src/providers/provider.ts';
import { loadFit, makeMaterial, now, refusal } from '../support/alipay.ts';

const material = await makeMaterial();
const [key] = material.alipayKeys;
const context = await loadFit(material.files);
const apiMethod = 'alipay.trade.query';
const gbk = 'text/html;charset=GBK';

/** In GBK: 支付 is d6a7 b8b6; the second bytes of 誠 (d55c) and 珄 (ab7b) are a backslash and a brace. */
const words = { 支付: 'd6a7b8b6', 誠: 'd55c', 珄: 'ab7b', 𠂇: '95328230' };

const encode = (text: string): Buffer =>
  Buffer.concat(
    [...text.matchAll(/支付|誠|珄|𠂇|[^]/gu)].map(([part]) =>
      part in words ? Buffer.from(words[part as keyof typeof words], 'hex') : Buffer.from(part),
    ),
  );

function answer(content: Buffer): Buffer {
  const signature = sign('sha256', content, key!.privateKey).toString('base64');
  const tail = `,"alipay_cert_sn":"${key!.serial}","sign":"${signature}"}`;
  return Buffer.concat([Buffer.from('{"alipay_trade_query_response":'), content, Buffer.from(tail)]);
}

const received = (body: Buffer, type?: string): Received => ({
  kind: 'response',
  apiMethod,
  body,
  ...(type !== undefined && { headers: { 'Content-Type': type } }),
});

describe('a response in GBK', () => {
  for (const word of Object.keys(words)) {
    it(`verifies over its bytes, declared or not: ${word}`, async () => {
      const body = answer(encode(`{"code":"10000","subject":"${word}","a":{"${word}":"}"}}`));
      for (const type of [gbk, 'application/json; charset="gb18030"', undefined, 'application/json;charset=utf-8'])
        assert.deepEqual(await context.verify(received(body, type), now), { keyId: key!.serial }, String(type));
    });
  }

  it('that was changed by one byte is refused as forged', async () => {
    const body = answer(encode('{"code":"10000","subject":"支付"}'));
    body[body.indexOf(0xd6) + 1] = 0xa8;
    await assert.rejects(context.verify(received(body, gbk), now), refusal('signature-invalid'));
  });

  it('that reports an error and has no signature is unsigned, not forged', async () => {
    const body = encode('{"error_response":{"code":"40002","sub_msg":"支付誠","支付":1,"誠誠":2}}');
    await assert.rejects(context.verify(received(body, gbk), now), refusal('response-unsigned', 'body'));
  });

  it('with bare slashes signed verifies also where a character ends in the byte of a backslash', async () => {
    const signed = encode('{"code":"10000","url":"誠/a"}');
    const body = answer(signed);
    const sent = Buffer.concat([
      body.subarray(0, body.indexOf('/a')),
      Buffer.from('\\/a'),
      body.subarray(body.indexOf('/a') + 2),
    ]);
    assert.ok(await context.verify(received(sent, gbk), now));
  });

  it('whose bytes are text in no charset of Alipay is malformed', async () => {
    const body = answer(Buffer.from([0x22, 0xff, 0xff, 0x22]));
    await assert.rejects(context.verify(received(body), now), refusal('message-malformed', 'body'));
  });

  it('in UTF-8 is read as UTF-8 where it is declared so, whatever else it could be', async () => {
    const body = answer(Buffer.from('{"code":"10000","subject":"手机"}'));
    for (const type of [undefined, 'application/json;charset=utf-8', 'application/json'])
      assert.ok(await context.verify(received(body, type), now));
  });
});
