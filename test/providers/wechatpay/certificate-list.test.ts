// The list of platform certificates: what opens is taken whole, and nothing hostile gets past it or holds anybody up.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import { PaycertError } from '../../../src/errors.ts';
import { certificateList } from '../../../src/providers/wechatpay/certificate-list.ts';
import { downloadedName, untilName } from '../../../src/providers/wechatpay/downloaded.ts';
import type { Operations } from '../../../src/providers/provider.ts';
import { encryptResource, type WechatpayMaterial } from '../../../src/testing/index.ts';
import { later, loadFit, makeMaterial, now, refusal } from '../../support/wechatpay.ts';

const hour = 3_600_000;

describe('the list of platform certificates', () => {
  let material: WechatpayMaterial;
  let decrypt: Operations['decrypt'];
  before(async () => {
    material = await makeMaterial();
    ({ decrypt } = await loadFit(material.files));
  });

  const seal = (text: string) => encryptResource(text, { apiV3Key: material.apiV3Key, associatedData: 'certificate' });
  const entryOf = (index: number, change: object = {}) => {
    const issued = material.platformKeys[index]?.issued;
    assert.ok(issued);
    const { serialNumber, certificate } = issued;
    return { serial_no: serialNumber, expire_time: '2031-03-01T08:00:00+08:00', encrypt_certificate: seal(certificate), ...change }; // prettier-ignore
  };
  const open = (data: unknown, at = now) => certificateList.open(Buffer.from(JSON.stringify({ data })), decrypt, at);
  const serialOf = (index: number) => material.platformKeys[index]?.keyId ?? '';
  const pemOf = (index: number) => material.platformKeys[index]?.issued?.certificate ?? '';

  it('gives each certificate as a part of material, by its serial number', async () => {
    const parts = await open([entryOf(0), entryOf(1, { effective_time: '2026-01-01T00:00:00+08:00' })]);
    const pem = [...parts].filter(([name]) => name.endsWith('.pem'));
    assert.deepEqual(
      pem.map(([name]) => name).sort(),
      [downloadedName(serialOf(0)), downloadedName(serialOf(1))].sort(),
    );
    const { keys } = await loadFit(new Map([...material.files].filter(([name]) => !name.startsWith('wechatpay_')).concat([...parts]))); // prettier-ignore
    assert.deepEqual(keys.flatMap(({ role, keyId }) => (role === 'platform' ? keyId : [])).sort(), [serialOf(0), serialOf(1)].sort()); // prettier-ignore
  });

  it('names an end only where the platform announces one that is earlier than the certificate’s', async () => {
    const early = await open([entryOf(0, { expire_time: '2026-03-02T08:00:00+08:00' })]);
    assert.equal(Buffer.from(early.get(untilName(serialOf(0))) ?? []).toString(), '2026-03-02T00:00:00.000Z');
    const late = await open([entryOf(0, { expire_time: '2036-03-02T08:00:00+08:00' })]);
    assert.equal(late.has(untilName(serialOf(0))), false);
  });

  it('leaves out what has expired, and keeps what is not valid yet', async () => {
    const expired = entryOf(0, { expire_time: '2026-02-28T08:00:00+08:00' });
    assert.deepEqual([...(await open([expired, entryOf(1)])).keys()].filter((name) => name.endsWith('.pem')), [downloadedName(serialOf(1))]); // prettier-ignore
    await assert.rejects(open([expired]), refusal('certificate-list-empty'));
    await assert.rejects(open([]), refusal('certificate-list-empty'));
    assert.ok((await open([entryOf(0)], later(-40 * 24 * hour))).size > 0);
  });

  describe('where it is stored', () => {
    const day = 24 * hour;
    const until = later(7 * day);
    const keep = (before: ReadonlyMap<string, Uint8Array>, listed: ReadonlyMap<string, Uint8Array>, at = now) => certificateList.keep(before, listed, { now: at, until }); // prettier-ignore
    const endOf = (kept: ReadonlyMap<string, Uint8Array>, index: number) => Buffer.from(kept.get(untilName(serialOf(index))) ?? []).toString(); // prettier-ignore

    it('is what is listed, and for a while what no longer is', async () => {
      const [both, second] = [await open([entryOf(0), entryOf(1)]), await open([entryOf(1)])];
      const kept = keep(both, second);
      assert.deepEqual(kept.get(downloadedName(serialOf(0))), both.get(downloadedName(serialOf(0))));
      assert.equal(endOf(kept, 0), until.toISOString());
      assert.equal(endOf(kept, 1), endOf(second, 1));
      const later6 = certificateList.keep(kept, second, { now: later(6 * day), until: later(13 * day) });
      assert.deepEqual(later6, kept, 'each round afterwards leaves its end as it was');
      assert.deepEqual(certificateList.keep(kept, second, { now: until, until: later(14 * day) }), second);
      assert.deepEqual(keep(kept, both), both, 'listed again, it counts as the list says');
    });

    it('counts no longer than the platform said', async () => {
      const early = await open([entryOf(0, { expire_time: '2026-03-02T08:00:00+08:00' }), entryOf(1)]);
      assert.equal(endOf(keep(early, await open([entryOf(1)])), 0), '2026-03-02T00:00:00.000Z');
    });

    it('drops what somebody else has put under such a name', async () => {
      const second = await open([entryOf(1)]);
      const foreign = new Map([
        [downloadedName('AB'), Buffer.from('no certificate')],
        [downloadedName('CD'), Buffer.from(pemOf(0))],
        [untilName('EF'), Buffer.from('2027-01-01T00:00:00Z')],
        ['note', Buffer.from('x')],
      ]);
      assert.deepEqual(keep(foreign, second), second);
    });
  });

  it('takes one certificate that is there twice once, and refuses two under one serial number', async () => {
    assert.equal((await open([entryOf(0), entryOf(0)])).size, (await open([entryOf(0)])).size);
    const lie = entryOf(0, { encrypt_certificate: seal(pemOf(1)) });
    await assert.rejects(open([entryOf(0), lie]), refusal('certificate-list-invalid'));
  });

  it('refuses what is no list of certificates', async () => {
    for (const body of ['', 'null', '[]', '{}', '{"data":{}}', '{"data":"x"}', '<html>'])
      await assert.rejects(certificateList.open(Buffer.from(body), decrypt, now), refusal('certificate-list-invalid'), body); // prettier-ignore
    for (const change of [
      { serial_no: undefined },
      { serial_no: 5 },
      { serial_no: `PUB_KEY_ID_${'0'.repeat(20)}` },
      { expire_time: 'soon' },
      { expire_time: undefined },
      { encrypt_certificate: null },
      { encrypt_certificate: 'x' },
      { encrypt_certificate: { ...seal('x'), algorithm: 'none' } },
      { encrypt_certificate: { ...seal('x'), ciphertext: '*' } },
      { encrypt_certificate: { ...seal('x'), ciphertext: 'A'.repeat(20_000) } },
      { encrypt_certificate: seal('no certificate') },
      { encrypt_certificate: seal('') },
      { encrypt_certificate: seal(`${pemOf(0)}\n${pemOf(1)}`) },
      { encrypt_certificate: seal(JSON.stringify({ data: [{ encrypt_certificate: seal(pemOf(0)) }] })) },
    ])
      await assert.rejects(open([entryOf(0, change)]), refusal('certificate-list-invalid'), JSON.stringify(change).slice(0, 90)); // prettier-ignore
  });

  it('refuses what the APIv3 key does not open, and what is damaged', async () => {
    const foreign = encryptResource(pemOf(0), { apiV3Key: 'k'.repeat(32), associatedData: 'certificate' });
    for (const sealed of [foreign, { ...seal(pemOf(0)), nonce: '0' }, { ...seal(pemOf(0)), associated_data: 'other' }])
      await assert.rejects(open([entryOf(1), entryOf(0, { encrypt_certificate: sealed })]), refusal('decryption-failed')); // prettier-ignore
  });

  it('opens none of a list that is longer than any of the platform’s', async () => {
    let opened = 0;
    const counting: Operations['decrypt'] = (...all) => {
      opened += 1;
      return decrypt(...all);
    };
    const body = Buffer.from(JSON.stringify({ data: Array.from({ length: 33 }, () => entryOf(0)) }));
    await assert.rejects(certificateList.open(body, counting, now), refusal('certificate-list-invalid'));
    assert.equal(opened, 0);
  });

  it('refuses everything else as a PaycertError, however it is nested', async () => {
    const refused = async (body: string) => {
      await assert.rejects(certificateList.open(Buffer.from(body), decrypt, now), (error) => error instanceof PaycertError); // prettier-ignore
      certificateList.isAbsent({ status: 404, body: Buffer.from(body) });
    };
    await refused('['.repeat(250_000));
    await refused(`{"data":${'['.repeat(100_000)}${']'.repeat(100_000)}}`);
    await refused(`{"data":[${'{"a":'.repeat(40_000)}1${'}'.repeat(40_000)}]}`);
    await fc.assert(
      fc.asyncProperty(fc.json(), async (json) => {
        await refused(json);
        await refused(`{"data":[${json}]}`);
        await refused(JSON.stringify({ data: [entryOf(0, { encrypt_certificate: JSON.parse(json) as unknown })] }));
      }),
      { numRuns: 200 },
    );
  });

  it('is absent where the platform says so with a code, and not where a proxy shows a page', () => {
    const isAbsent = (status: number, body: string) => certificateList.isAbsent({ status, body: Buffer.from(body) });
    assert.ok(isAbsent(404, '{"code":"RESOURCE_NOT_EXISTS","message":"无可用的平台证书"}'));
    assert.ok(isAbsent(403, '{"code":"NO_AUTH"}'));
    assert.ok(!isAbsent(404, '<html>Not Found</html>'));
    assert.ok(!isAbsent(403, '{"message":"blocked"}'));
    assert.ok(!isAbsent(401, '{"code":"SIGN_ERROR"}'));
    assert.ok(!isAbsent(500, '{"code":"SYSTEM_ERROR"}'));
  });

  it('is asked for at the path of its origin', () => {
    assert.equal(certificateList.request('https://api.mch.weixin.qq.com').url, '/v3/certificates');
    assert.equal(certificateList.request('https://apihk.mch.weixin.qq.com').url, '/v3/global/certificates');
  });
});
