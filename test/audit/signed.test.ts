// An audit of calls: what was signed is written before it is handed out, and what was not signed is written too.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { readLine } from '../../src/audit/chain.ts';
import { auditCalls, type Requests } from '../../src/audit/signed.ts';
import { PaycertError } from '../../src/errors.ts';
import { CredentialUse } from '../../src/store/credential-use.ts';
import type { Begin } from '../../src/store/use.ts';
import { loadStore, makeMaterial, start } from '../support/api-server.ts';
import { auditKey, settled, startAudited } from '../support/audited.ts';

const material = await makeMaterial();
const { store } = await loadStore({ shop: { files: material.files } });

async function scene(requests: Requests = 'authorize', onFailure: 'count' | 'refuse' = 'count') {
  const audited = startAudited();
  await settled();
  const calls = auditCalls({ audit: audited.audit, requests, onFailure, key: () => auditKey });
  const caller = { listener: 'shop', claim: 'Java/21' };
  const begin: Begin = (operation, work) => {
    const call = {
      id: 'r-1',
      caller,
      credential: 'shop',
      operation,
      startedAt: start,
      signal: new AbortController().signal,
    };
    return calls.around(call, () => work(call));
  };
  const use = new CredentialUse(store.current('shop'), begin, {
    observe: () => undefined,
    nonce: () => 'n'.repeat(32),
    witness: calls.witness,
  });
  const records = async () => {
    await settled();
    return audited.disk.lines.map((line) => readLine(line)?.record ?? {}).filter(({ type }) => type !== 'started');
  };
  return { ...audited, use, records };
}

/** No digest has this text by chance. */
const number = 'order-1001';
const body = `{"out_trade_no":"${number}","payer":{"openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}}`;
const request = { method: 'POST', url: '/v3/pay/transactions/jsapi?a=1', body };

describe('an audit of calls', () => {
  it('says who signed what, with which key, and nothing of the body but its digest', async () => {
    const { use, records } = await scene();
    const { keyId } = await use.authorize(request);
    const [record = {}] = await records();
    const { time: _, seq: __, previous: ___, hash: ____, ...said } = record;
    assert.deepEqual(said, {
      ...{
        audit: 1,
        type: 'signed',
        outcome: 'ok',
        host: 'shop-1',
        request: 'r-1',
        listener: 'shop',
        claim: 'Java/21',
      },
      ...{
        credential: 'shop',
        operation: 'authorize',
        keyId,
        generation: 1,
        method: 'POST',
        path: '/v3/pay/transactions/jsapi',
      },
      bodySha256: createHash('sha256').update(body).digest('hex'),
    });
    assert.ok(!JSON.stringify(record).includes('oUpF8uMuAJO') && !JSON.stringify(record).includes(number));
  });

  it('has requests alone, or everything that is signed, as the configuration says', async () => {
    for (const [requests, expected] of [
      ['authorize', ['authorize']],
      ['all', ['sign', 'authorize', 'payment-parameters']],
    ] as const) {
      const { use, records } = await scene(requests);
      await use.sign('text');
      await use.authorize(request);
      await use.paymentParameters({ type: 'jsapi', appId: 'wx8888888888888888', prepayId: 'p1' });
      await use.encrypt('text');
      assert.deepEqual(
        (await records()).map(({ operation }) => operation),
        expected,
      );
      for (const { keyId, generation } of await records()) assert.ok(keyId !== undefined && generation === 1);
    }
  });

  it('says what was not signed, and why', async () => {
    const { use, records } = await scene();
    await assert.rejects(use.authorize({ method: 'GET', url: '/v3/a#b' }), { code: 'request-invalid' });
    const [{ type, outcome, code, field, keyId } = {}] = await records();
    assert.deepEqual(
      [type, outcome, code, field, keyId],
      ['not-signed', 'caller-error', 'request-invalid', 'url', undefined],
    );
  });

  it('lets signatures through while nothing can be written, unless it must refuse', async () => {
    const lenient = await scene('authorize', 'count');
    lenient.disk.room = 0;
    await lenient.use.authorize(request);
    await settled();
    await lenient.use.authorize(request);

    const strict = await scene('authorize', 'refuse');
    await strict.use.authorize(request);
    strict.disk.room = 0;
    const refused = { code: 'audit-unavailable', kind: 'not-ready' };
    await assert.rejects(strict.use.authorize(request), refused);
    await assert.rejects(strict.use.authorize(request), refused);
    assert.ok((await strict.use.sign('text')).signature.length > 0, 'what is not audited needs no audit');
    strict.disk.room = Infinity;
    strict.clock.advance(1000);
    await settled();
    await strict.use.authorize(request);
    assert.deepEqual(
      (await strict.records()).map(({ type }) => type),
      ['signed', 'signed', 'signed'],
    );
  });

  it('hands out nothing before its line is written, where it must refuse', async () => {
    const { use, disk } = await scene('authorize', 'refuse');
    const release = disk.hang();
    let isOut = false;
    const authorized = use.authorize(request).then(() => (isOut = true));
    while (disk.writes < 2) await new Promise((resolve) => setImmediate(resolve));
    await settled();
    assert.equal(isOut, false);
    release();
    await authorized;
    assert.match(disk.lines.at(-1) ?? '', /"type":"signed"/);
  });

  it('is not stopped by an error that is no audit’s', async () => {
    const { use } = await scene('authorize', 'refuse');
    await assert.rejects(use.authorize({ method: 'GET', url: 'x' }), PaycertError);
    await use.authorize(request);
  });
});
