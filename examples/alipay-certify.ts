// Proves who a person is with alipay.user.certify.open.*: initialize, her page, query. Run it: node examples/alipay-certify.ts
// In a program of yours the imports are 'paycert' and 'paycert/testing', and requests go to the address that authorize returns.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPaycert } from '../src/index.ts';
import { createAlipayMaterial, createSecretVolume, startAlipayGateway } from '../src/testing/index.ts';

// Stands for what Alipay and the cluster do: key material in a directory, and a gateway that verifies and signs.
const directory = await mkdtemp(join(tmpdir(), 'paycert-example-'));
const appId = '2021000000000001';
const material = await createAlipayMaterial({ appId, now: new Date() });
await createSecretVolume(directory, material.files);
await using gateway = await startAlipayGateway({ material });

/** `张*`, `110***********0011`: enough to tell two people apart in a log, and no more. */
const mask = (text: string): string =>
  text.length > 8 ? text.slice(0, 3) + '*'.repeat(text.length - 7) + text.slice(-4) : `${text.slice(0, 1)}*`;

try {
  const provider = { alipay: { appId, mode: 'certificate', gateway: 'production' } } as const;
  const credentials = [{ name: 'alipay-main', required: true, provider, source: { files: { path: directory } } }];
  await using paycert = await startPaycert(credentials);

  /** The double's address instead of Alipay's; leave it out in a program of yours. */
  const toGateway = (address: string): string => gateway.url + new URL(address).pathname + new URL(address).search;

  /** One call of the v2 gateway. Throws unless Alipay signed the response and it is a success: what is not certain is no. */
  const call = async (apiMethod: string, content: object): Promise<Record<string, unknown>> => {
    const request = { apiMethod, bizContent: JSON.stringify(content) };
    const { method, url, headers, body = null } = await paycert.current('alipay-main').authorize(request);
    const response = await fetch(toGateway(url), { method, headers, body: body && Buffer.from(body) });
    const answer = Buffer.from(await response.arrayBuffer());
    // With the snapshot that is current now: Alipay's key may be younger than the request.
    await paycert.current('alipay-main').verify({ kind: 'response', apiMethod, status: response.status, body: answer });
    const members = JSON.parse(answer.toString()) as Record<string, Record<string, unknown>>;
    const result = members[`${apiMethod.replaceAll('.', '_')}_response`] ?? {};
    if (result['code'] !== '10000') throw new Error(`${apiMethod} failed: ${String(result['sub_code'])}`);
    return result;
  };

  const person = { cert_name: process.argv[2] ?? '张三', cert_no: process.argv[3] ?? '110101199003070011' };
  console.log(`certifying ${mask(person.cert_name)}, ${mask(person.cert_no)}`);
  const { certify_id: certifyId } = await call('alipay.user.certify.open.initialize', {
    outer_order_no: randomBytes(16).toString('hex'),
    biz_code: 'FACE',
    identity_param: { identity_type: 'CERT_INFO', cert_type: 'IDENTITY_CARD', ...person },
    merchant_config: { return_url: 'https://shop.example/certified' },
  });

  // Nothing to verify here: the person's browser opens the page.
  const page = { apiMethod: 'alipay.user.certify.open.certify', bizContent: JSON.stringify({ certify_id: certifyId }) };
  const { pageUrl = '' } = await paycert.current('alipay-main').paymentParameters(page);
  console.log(`her browser opens ${new URL(pageUrl).origin}, signed`);
  const opened = await fetch(toGateway(pageUrl), { redirect: 'manual' });
  console.log(`the page answers ${opened.status}`);

  // The return address is for the person to see; only this answer counts.
  const { passed } = await call('alipay.user.certify.open.query', { certify_id: certifyId });
  console.log(`passed: ${passed === 'T'}`);
  console.log(`the gateway verified ${gateway.counts.accepted} requests and refused ${gateway.counts.refused}`);
} finally {
  await rm(directory, { recursive: true });
}
