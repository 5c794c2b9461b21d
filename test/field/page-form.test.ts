// Alipay's page form verifies at the gateway, whatever page embeds it and whatever the business content holds: in a real browser.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { it } from 'node:test';
import { startAlipayGateway } from '../../src/testing/index.ts';
import { browse, noChromium } from '../support/chromium.ts';
import { startProviders } from '../support/provider-sidecar.ts';
import { call } from '../support/sidecar.ts';

const contents: Readonly<Record<string, string>> = {
  'Chinese text and marks': '{"subject":"手机 😀 <b>\\"it\'s\\"</b> 50% & +"}',
  'a bare line feed': '{"out_trade_no":"1",\n"subject":"手机"}',
  'a bare carriage return': '{"out_trade_no":"1",\r"subject":"a"}',
  'a carriage return and a line feed': '{"out_trade_no":"1",\r\n"subject":"a"}',
  'a tab, a no-break space and C1 controls': '{\t"subject":"a\u00a0\u0080\u009f"}',
};

/** How the page around the form says what its bytes are, if it does. */
const pages: Readonly<Record<string, { type: string; head: string }>> = {
  'UTF-8': { type: 'text/html; charset=utf-8', head: '' },
  GBK: { type: 'text/html; charset=gbk', head: '' },
  'an undeclared charset': { type: 'text/html', head: '' },
  'Windows-1252 in its head': { type: 'text/html', head: '<meta charset="windows-1252">' },
  'a form and an input of the same names': {
    type: 'text/html; charset=gbk',
    head: '<form id="alipay"><input name="submit"></form>',
  },
};

it('a page form verifies', { skip: noChromium, timeout: 900_000 }, async (t) => {
  const { sidecar, alipay } = await startProviders(t);
  await using gateway = await startAlipayGateway({ material: alipay });
  let page = { type: '', html: '' };
  const shop = createServer((_, response) => {
    response.setHeader('Content-Type', page.type);
    // ASCII alone: the bytes are the same in every charset of the table.
    response.end(Buffer.from(page.html, 'ascii'));
  }).listen(0, '127.0.0.1');
  await once(shop, 'listening');
  t.after(() => shop.close());
  const url = `http://127.0.0.1:${String((shop.address() as AddressInfo).port)}/`;

  for (const [around, { type, head }] of Object.entries(pages))
    for (const [what, bizContent] of Object.entries(contents))
      await t.test(`with ${what} in a page with ${around}`, async () => {
        const question = { apiMethod: 'alipay.trade.page.pay', bizContent };
        const { content } = await call(sidecar.socket, '/v1/credentials/alipay-main/payment-parameters', {
          body: question,
        });
        const { pageForm } = JSON.parse(content) as { pageForm: string };
        assert.match(pageForm, /^[ -~]*$/, 'a form of ASCII means the same in every charset');
        const form = pageForm.replaceAll('https://openapi.alipay.com', gateway.url);
        page = { type, html: `<!doctype html><html><head>${head}</head><body>${form}</body></html>` };
        const before = gateway.counts.accepted;
        const dom = await browse(url);
        // The browser asks the gateway for an icon, too, which it refuses.
        assert.equal(gateway.counts.accepted, before + 1, dom.slice(0, 500));
      });
});
