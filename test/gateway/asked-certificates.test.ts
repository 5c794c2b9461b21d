// Alipay's certificates by their SN: a message names one that is not known, Alipay is asked once, and only its own counts.
import assert from 'node:assert/strict';
import { before, describe, it, type TestContext } from 'node:test';
import { X509Certificate } from 'node:crypto';
import { serialOf as serialOfCertificate } from '../../src/providers/alipay/serials.ts';
import { createAuthority } from '../../src/testing/authority.ts';
import { type AlipayGateway, startAlipayGateway } from '../../src/testing/alipay-gateway.ts';
import {
  type AlipayKey,
  type AlipayMaterial,
  createAlipayMaterial,
  rotateAlipayApp,
  rotateAlipayKey,
} from '../../src/testing/alipay-material.ts';
import { makeGatewayResponse } from '../../src/testing/alipay-message.ts';
import { appId, makeMaterial, now } from '../support/alipay.ts';
import { Asking } from '../support/asking.ts';
import { startRawPlatform } from '../support/raw-platform.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const apiMethod = 'alipay.open.app.alipaycert.download';

const serialOf = (pem: string): string => serialOfCertificate(new X509Certificate(pem));

const newest = ({ alipayKeys }: AlipayMaterial): AlipayKey => {
  const key = alipayKeys.at(-1);
  assert.ok(key);
  return key;
};

/** Alipay signs with a new certificate, and the application has the one before. */
async function startBehind(t: TestContext, [material, after]: readonly [AlipayMaterial, AlipayMaterial]) {
  const asking = new Asking(t, material.files);
  const platform: AlipayGateway = await startAlipayGateway({ material: after, now: () => asking.clock.now() });
  t.after(() => platform.close());
  await asking.swapped(() => void asking.start(t, platform.url));
  return { asking, platform };
}

describe('a certificate that Alipay signs with and nobody here knows', { timeout: 900_000 }, () => {
  let both: readonly [AlipayMaterial, AlipayMaterial];
  before(async () => {
    const material = await makeMaterial();
    both = [material, await rotateAlipayKey(material, { now })];
  });

  it('is downloaded once a response names it, and verifies beside the one that is known', async (t) => {
    const { asking, platform } = await startBehind(t, both);
    assert.equal(platform.counts.accepted, 0, 'a start asks nobody');
    const answers: string[] = [];
    await asking.swapped(async () => {
      answers.push(...(await Promise.all(Array.from({ length: 20 }, () => asking.verify(newest(both[1]))))));
    });
    assert.deepEqual([...new Set(answers)], ['key-id-unknown']);
    assert.equal(platform.counts.accepted, 1, 'twenty messages are one question');
    assert.equal(await asking.verify(newest(both[1])), newest(both[1]).serial);
    assert.equal(await asking.verify(newest(both[0])), newest(both[0]).serial);
    assert.deepEqual(asking.state, { at: now, outcome: 'listed', listedAt: now });
  });

  it('is waited for while it is asked for, and by nobody who has gone', async (t) => {
    const { asking } = await startBehind(t, both);
    const [gone, here] = [AbortSignal.abort(), new AbortController()];
    const next = newest(both[1]);
    const learn = (signal: AbortSignal) => asking.certificates.learn('shop', next.serial, signal);
    assert.equal(await learn(here.signal), false, 'nobody asks for it');
    assert.equal(await asking.verify(next), 'key-id-unknown');
    assert.deepEqual(await Promise.all([learn(gone), learn(here.signal), learn(here.signal)]), [false, true, true]);
    assert.equal(await asking.verify(next), next.serial);
    assert.equal(await learn(here.signal), false, 'it is known');
    assert.equal(await asking.certificates.learn('other', next.serial, here.signal), false);

    const forged = { ...next, serial: 'f'.repeat(32) };
    assert.equal(await asking.verify(forged), 'key-id-unknown');
    assert.equal(await asking.certificates.learn('shop', forged.serial, here.signal), false, 'Alipay has none');
  });

  it('is waited for no longer than the question takes that fails, and not while it waits to be asked again', async (t) => {
    const { asking, platform } = await startBehind(t, both);
    await platform.close();
    const [next, { signal }] = [newest(both[1]), new AbortController()];
    assert.equal(await asking.verify(next), 'key-id-unknown');
    assert.equal(await asking.certificates.learn('shop', next.serial, signal), false);
    assert.equal(asking.state?.outcome, 'failed');
    assert.equal(await asking.certificates.learn('shop', next.serial, signal), false);
    assert.equal(asking.downloads, 1);
  });

  it('is kept through new material and a new configuration of the same application, and not for another', async (t) => {
    const { asking, platform } = await startBehind(t, both);
    await asking.swapped(() => asking.verify(newest(both[1])));
    const rotated = await rotateAlipayApp(both[0], now);
    asking.source.content = rotated.files;
    await asking.swapped(() => asking.source.tick());
    assert.equal(await asking.verify(newest(both[1])), newest(both[1]).serial);
    const signal = new AbortController().signal;
    const countOf = async (application?: string) =>
      [...(await asking.decorated(platform.url, application).source.read(signal)).data.keys()].filter((name) => name.includes('downloaded')).length; // prettier-ignore
    assert.equal(await countOf(), 1);
    assert.equal(await countOf('2021000000000009'), 0);
  });

  it('is dropped where the material has another root, and rejects no material', async (t) => {
    const { asking } = await startBehind(t, both);
    await asking.swapped(() => asking.verify(newest(both[1])));
    const other = await createAlipayMaterial({ appId, now });
    asking.source.content = other.files;
    await asking.swapped(() => asking.source.tick());
    assert.deepEqual(asking.recorder.of('rejected'), []);
    assert.deepEqual(asking.serials, [newest(other).serial]);
  });

  it('counts until its end', async (t) => {
    const { asking } = await startBehind(t, both);
    await asking.swapped(() => asking.verify(newest(both[1])));
    asking.clock.jump(5 * 366 * day);
    assert.equal(await asking.verify(newest(both[1])), 'no-platform-key');
  });

  it('is asked for again with growing pauses while Alipay is away, and as long as messages name it', async (t) => {
    const { asking, platform } = await startBehind(t, both);
    await platform.close();
    assert.equal(await asking.asked(() => asking.verify(newest(both[1]))), 'gateway-unreachable');
    assert.equal(asking.state?.outcome, 'failed');
    for (const minutes of [1, 2, 4, 8, 16])
      assert.equal(await asking.asked(() => asking.clock.advance(minutes * minute)), 'gateway-unreachable');
    assert.equal(await asking.asked(() => asking.clock.advance(19 * minute)), 'unknown', 'nobody names it any more');
    asking.clock.advance(day);
    assert.equal(asking.downloads, 7);
  });

  it('is asked for when the only certificate that is known has expired', async (t) => {
    const [material, after] = both;
    const { authority } = material;
    const expired = await authority.issue({
      ...{ commonName: '支付宝(中国)网络技术有限公司-2088000000000000', organization: '支付宝' },
      ...{ notBefore: new Date(now.getTime() - 2 * day), notAfter: new Date(now.getTime() - day) },
    });
    const files = new Map([...material.files].filter(([name]) => !name.startsWith('alipayCert')));
    files.set('alipayCertPublicKey_RSA2.crt', Buffer.from(expired.certificate));
    const { asking } = await startBehind(t, [{ ...material, files }, after]);
    await asking.swapped(async () => assert.equal(await asking.verify(newest(after)), 'no-platform-key'));
    assert.equal(await asking.verify(newest(after)), newest(after).serial);
  });

  it('that Alipay does not know either is asked for once in five minutes, and six an hour at most', async (t) => {
    const { asking, platform } = await startBehind(t, both);
    const forged = (index: number) => ({ ...newest(both[1]), serial: index.toString(16).padStart(32, 'a') });
    for (let count = 1; count <= 6; count++) {
      assert.equal(await asking.asked(() => asking.verify(forged(count))), 'unknown');
      assert.equal(await asking.verify(forged(count)), 'key-id-unknown');
    }
    for (let count = 7; count <= 50; count++) await asking.verify(forged(count));
    await asking.verify({ ...newest(both[1]), serial: 'x'.repeat(32) });
    await asking.verify({ ...newest(both[1]), serial: both[0].appSerial });
    asking.clock.advance(hour - 1);
    assert.equal(platform.counts.accepted, 6);
    asking.clock.advance(1);
    assert.equal(await asking.asked(() => asking.verify(forged(51))), 'unknown');
  });
});

describe('what is handed out as Alipay’s certificate', { timeout: 900_000 }, () => {
  let material: AlipayMaterial;
  let added: AlipayKey;
  before(async () => {
    material = await makeMaterial();
    added = newest(await rotateAlipayKey(material, { now }));
  });

  /** The response to the question for `added`, of that content and signed with that key. */
  const respond = (content: string, signer: AlipayKey, change = (body: string) => body): Buffer => {
    const node = JSON.stringify({ code: '10000', msg: 'Success', alipay_cert_content: Buffer.from(content).toString('base64') }); // prettier-ignore
    const body = change(makeGatewayResponse(apiMethod, node, { alipayKey: signer }).toString());
    const head = [
      'HTTP/1.1 200 OK',
      'Content-Type: text/html;charset=utf-8',
      `Content-Length: ${String(Buffer.byteLength(body))}`,
    ];
    return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
  };

  /** What becomes of it. */
  async function outcomeOf(t: TestContext, response: Buffer, key: AlipayKey = added): Promise<string> {
    const asking = new Asking(t, material.files);
    const platform = await startRawPlatform(t);
    platform.respond(response);
    await asking.swapped(() => void asking.start(t, platform.origin));
    const swapped = asking.recorder.next('swapped');
    const outcome = await asking.asked(() => asking.verify(key));
    if (outcome === 'listed') await swapped;
    assert.equal(asking.serials.includes(key.serial), outcome === 'listed');
    return outcome;
  }

  it('counts when the key that it brings, or one that is known, has signed the response', async (t) => {
    for (const signer of [added, newest(material)])
      assert.equal(await outcomeOf(t, respond(added.issued.certificate, signer)), 'listed');
  });

  it('counts by its chain alone where Alipay has not signed the response', async (t) => {
    const unsigned = (body: string) => body.replace(/,"alipay_cert_sn".*/, '}');
    assert.equal(await outcomeOf(t, respond(added.issued.certificate, added, unsigned)), 'listed');
    const other = newest(await rotateAlipayKey(material, { now }));
    assert.equal(await outcomeOf(t, respond(other.issued.certificate, added, unsigned)), 'certificate-list-invalid');
  });

  it('is refused when somebody else has signed the response', async (t) => {
    const stranger = newest(await makeMaterial());
    const { certificate } = added.issued;
    const known = { ...stranger, serial: newest(material).serial };
    for (const response of [
      respond(certificate, stranger),
      respond(certificate, known),
      respond(certificate, { ...stranger, serial: added.serial }),
    ])
      // prettier-ignore
      assert.equal(await outcomeOf(t, response), 'certificate-list-unverified');
  });

  it('is refused when it is another certificate than the one that was asked for', async (t) => {
    const other = newest(await rotateAlipayKey(material, { now }));
    assert.equal(await outcomeOf(t, respond(other.issued.certificate, other)), 'certificate-list-invalid');
  });

  /** The same question for a certificate that is made for it. */
  async function ofIssued(
    t: TestContext,
    make: Parameters<AlipayMaterial['authority']['issue']>[0],
    authority = material.authority,
  ) {
    const issued = await authority.issue({ notBefore: new Date(now.getTime() - day), ...make });
    const { privateKey, publicKey } = issued;
    const key = { privateKey, publicKey, issued, serial: serialOf(issued.certificate) };
    return outcomeOf(t, respond(issued.certificate, key), key);
  }

  it('is refused when the same root has issued it to another organisation, or to an application', async (t) => {
    const own = { commonName: '支付宝(中国)网络技术有限公司-2088000000000001', organization: '支付宝' };
    assert.equal(await ofIssued(t, own), 'listed');
    assert.equal(await ofIssued(t, { ...own, organization: '商户' }), 'certificate-list-invalid');
    assert.equal(await ofIssued(t, { commonName: own.commonName }), 'certificate-list-invalid');
    const application = `2088000000000001-${appId}`;
    assert.equal(await ofIssued(t, { ...own, commonName: application }), 'certificate-list-invalid');
    assert.equal(await ofIssued(t, { ...own, keyPair: material.app }), 'certificate-list-invalid');
  });

  it('is refused when an application’s certificate is a link of its chain', async (t) => {
    const { app } = material;
    // Its owner has the key, and signs with it what he likes.
    const names = { commonName: `2088000000000000-${appId}`, organization: '商户' };
    const forger = await createAuthority({ now, keyPair: app, ...names });
    const issued = await forger.issue({
      ...{ commonName: '支付宝(中国)网络技术有限公司-2088000000000000', organization: '支付宝' },
      notBefore: new Date(now.getTime() - day),
    });
    const { privateKey, publicKey, certificate } = issued;
    const key = { privateKey, publicKey, issued, serial: serialOf(certificate) };
    assert.ok(new X509Certificate(certificate).verify(app.publicKey));
    assert.equal(await outcomeOf(t, respond(certificate + app.certificate, key), key), 'certificate-list-invalid');
  });

  it('is refused when it has expired, or is not valid yet', async (t) => {
    const own = { commonName: '支付宝(中国)网络技术有限公司-2088000000000001', organization: '支付宝' };
    for (const [from, to] of [
      [-2, -1],
      [1, 2],
    ] as const)
      // prettier-ignore
      assert.equal(
        await ofIssued(t, { ...own, notBefore: new Date(now.getTime() + from * day), notAfter: new Date(now.getTime() + to * day) }),
        'certificate-list-invalid',
      );
  });

  it('is refused when another root has issued it, by whatever name', async (t) => {
    const own = { commonName: '支付宝(中国)网络技术有限公司-2088000000000001', organization: '支付宝' };
    const names = { commonName: 'Ant Financial Certification Authority R1', organization: 'Ant Financial' };
    assert.equal(await ofIssued(t, own, await createAuthority({ now, ...names })), 'certificate-list-invalid');
  });

  it('is refused when the platform refuses the question, or sends a page', async (t) => {
    const refusal = '{"error_response":{"code":"40002","msg":"Invalid Arguments","sub_code":"isv.invalid-signature"}}';
    const page = '<html>';
    for (const [body, status] of [
      [refusal, '200 OK'],
      [page, '502 Bad Gateway'],
      [page, '200 OK'],
    ] as const) {
      // prettier-ignore
      const response = Buffer.from(`HTTP/1.1 ${status}\r\nContent-Length: ${String(body.length)}\r\n\r\n${body}`);
      assert.equal(await outcomeOf(t, response), 'certificate-list-refused');
    }
  });
});
