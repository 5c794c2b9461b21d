// A platform double misbehaves as it is asked to, for as many requests as it is asked to, and then behaves again.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import {
  createAlipayMaterial,
  type Fault,
  startAlipayGateway,
  startAliyunGateway,
  startWechatpayGateway,
} from '../../src/testing/index.ts';
import { makeMaterial, merchantId, start } from '../support/api-server.ts';
import { shopAt, startProxied } from '../support/proxied.ts';

const material = await makeMaterial();
const [appId, alipay] = [
  '2021000000000001',
  await createAlipayMaterial({ appId: '2021000000000001', mode: 'key', now: start }),
];

const order = (number: string) => ({
  ...{ mchid: merchantId, appid: 'wx1', description: 'Tea', out_trade_no: number },
  ...{ notify_url: 'https://shop.example/paid', amount: { total: 1 } },
});

async function serve(t: TestContext) {
  const gateway = await startWechatpayGateway({ now: () => start });
  t.after(() => gateway.close());
  gateway.admit(material);
  const proxied = await startProxied(t, { material, double: gateway.url });
  const pay = async (number: string) => {
    const body = JSON.stringify(order(number));
    const { status, headers, problem } = await proxied.call({ path: '/shop/v3/pay/transactions/native', body });
    return [status, problem?.title, headers['paycert-outcome']];
  };
  const isPlaced = (number: string) => {
    try {
      return gateway.pay(merchantId, number).url !== '';
    } catch {
      return false;
    }
  };
  return { gateway, proxied, pay, isPlaced };
}

describe('a double that misbehaves', () => {
  const faults: readonly [Fault, readonly unknown[]][] = [
    [{ do: 'unsign' }, [502, 'response-unverified', 'unknown']],
    [{ do: 'forge' }, [502, 'response-unverified', 'unknown']],
    [{ do: 'probe' }, [502, 'response-unverified', 'unknown']],
    [{ do: 'reset' }, [502, 'gateway-interrupted', 'unknown']],
    [{ do: 'truncate' }, [502, 'gateway-interrupted', 'unknown']],
    [{ do: 'huge', bytes: 5_000_000 }, [502, 'response-too-large', 'unknown']],
    [{ do: 'date', milliseconds: 90_000 }, [200, undefined, 'ok']],
    [{ do: 'late', until: Promise.resolve() }, [200, undefined, 'ok']],
  ];
  for (const [fault, expected] of faults) {
    it(`(${fault.do}) has placed the order, once, and behaves at the next request`, async (t) => {
      const { gateway, pay, isPlaced } = await serve(t);
      gateway.misbehave(fault);
      assert.deepEqual(await pay('1'), expected);
      assert.deepEqual([isPlaced('1'), gateway.counts.accepted], [true, 1]);
      assert.deepEqual(await pay('2'), [200, undefined, 'ok']);
    });
  }

  it('(hang) never responds, and can be closed all the same', async (t) => {
    const { gateway, proxied, pay, isPlaced } = await serve(t);
    gateway.misbehave({ do: 'hang' });
    const asked = pay('1');
    await new Promise<void>((resolve) => {
      const look = () => (gateway.counts.accepted === 1 ? resolve() : void setImmediate(look));
      look();
    });
    assert.ok(isPlaced('1'));
    await gateway.close();
    assert.deepEqual(await asked, [502, 'gateway-interrupted', 'unknown']);
    assert.ok(proxied.events.some(({ type }) => type === 'attempted'));
  });

  it('responds with any status, and has done nothing', async (t) => {
    const { gateway, pay, isPlaced } = await serve(t);
    const headers = { Location: 'https://elsewhere.example/', 'Retry-After': '1' };
    for (const [status, got] of [[429, 429], [500, 500], [302, 502]] as const) {
      gateway.misbehave({ do: 'respond', status, headers, body: '{}' });
      assert.equal((await pay('1'))[0], got);
    }
    assert.deepEqual([isPlaced('1'), gateway.counts.accepted], [false, 0]);
  }); // prettier-ignore

  it('does so at the requests that are meant, as often as it is asked to, and may have done nothing before', async (t) => {
    const { gateway, pay, isPlaced } = await serve(t);
    gateway.misbehave({ do: 'reset' }, { times: 2, acts: false, when: ({ method, url }) => `${method} ${url}`.includes('native') }); // prettier-ignore
    gateway.misbehave({ do: 'respond', status: 500 }, { when: ({ url }) => url === '/v3/certificates' });
    assert.deepEqual([(await pay('1'))[0], (await pay('2'))[0], (await pay('3'))[0]], [502, 502, 200]);
    assert.deepEqual([isPlaced('1'), isPlaced('2'), isPlaced('3')], [false, false, true]);
    gateway.misbehave({ do: 'reset' }, { times: Infinity });
    assert.equal((await pay('4'))[0], 502);
    gateway.behave();
    assert.equal((await pay('5'))[0], 200);
  });

  it('is Alipay’s, in both versions, or Aliyun’s, by the same words', async (t) => {
    const gateway = await startAlipayGateway({ material: alipay, now: () => start });
    t.after(() => gateway.close());
    const proxied = await startProxied(t, {
      material: alipay,
      double: gateway.url,
      shop: shopAt({ alipay: { appId, mode: 'key' } }),
    });
    const v2 = { path: `/shop/gateway.do?app_id=${appId}&method=alipay.trade.refund`, method: 'POST' };
    for (const call of [v2, { path: '/shop/v3/alipay/trade/refund', body: '{}' }]) {
      for (const fault of [{ do: 'unsign' }, { do: 'forge' }] as const) {
        gateway.misbehave(fault);
        assert.equal((await proxied.call(call)).problem?.title, 'response-unverified', `${fault.do} ${call.path}`);
      }
      assert.equal((await proxied.call(call)).status, 200);
    }
    const aliyun = await startAliyunGateway({ account: { accessKeyId: 'a', accessKeySecret: 'b' } });
    t.after(() => aliyun.close());
    aliyun.misbehave({ do: 'respond', status: 503, body: 'busy' });
    assert.equal(await (await fetch(aliyun.url)).text(), 'busy');
  });
});
