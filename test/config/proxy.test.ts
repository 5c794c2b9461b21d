// `proxy` in paycert.yaml: what is exposed, unguarded or aimed elsewhere by mistake is refused by name.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseConfig } from '../../src/config/load.ts';
import { PaycertError } from '../../src/errors.ts';

const withProxy = (proxy: string): string => `
listen: { socket: /run/paycert.sock }
proxy: ${proxy}
credentials:
  - name: shop
    provider: { wechatpay: { merchantId: "1900000001" } }
    source: { files: { path: /keys } }
  - name: sms
    provider: { aliyun: { endpoints: [dysmsapi.aliyuncs.com] } }
    source: { files: { path: /sms } }
  - name: wide
    provider: { aliyun: {} }
    source: { files: { path: /sms } }
  - name: partner
    provider: { pss: { appId: us, origin: "https://partner.example" } }
    source: { files: { path: /partner } }
  - name: nowhere
    provider: { hmac: { keyId: us, scheme: sorted } }
    source: { files: { path: /partner } }
  - resource: other
`;

const socket = 'listen: { socket: /run/proxy.sock }';

function fieldOf(proxy: string): [string, string | undefined] {
  try {
    parseConfig(withProxy(proxy));
  } catch (error) {
    assert.ok(error instanceof PaycertError);
    return [error.code, error.field];
  }
  return assert.fail(`accepted: ${proxy}`);
}

describe('a proxy', () => {
  for (const good of [
    `{ ${socket} }`,
    '{ listen: { tcp: { address: "127.0.0.1:8011", tokenFile: /run/token } }, deadline: 10s, maxBodyBytes: 4096 }',
    `{ ${socket}, routes: [{ credential: shop, origin: "https://apihk.mch.weixin.qq.com", allow: ["GET /v3/*"] }] }`,
    `{ ${socket}, routes: [{ credential: shop, double: "http://127.0.0.1:9000" }, { credential: other }] }`,
    `{ ${socket}, routes: [{ credential: sms, origin: "https://dysmsapi.aliyuncs.com", allow: [SendSms, "Query*"] }] }`,
    `{ ${socket}, routes: [{ credential: wide, double: "http://127.0.0.1:9000" }], spareShare: 0.01 }`,
    `{ ${socket}, routes: [{ credential: partner, allow: ["POST /v1/*"] }, { credential: nowhere, double: "http://127.0.0.1:9000" }] }`,
    `{ ${socket}, breaker: { failurePercent: 30, minimumCalls: 50, openFor: 2s }, bulkhead: { concurrent: 8, queued: 0 } }`,
    `{ ${socket}, routes: [{ credential: shop, double: "http://127.0.0.1:9000", spareDouble: "http://127.0.0.1:9001" }] }`,
    `{ ${socket}, resign: local, identityFile: /etc/paycert/identity }`,
  ])
    it(`is accepted: ${good}`, () => assert.ok(parseConfig(withProxy(good)).proxy));

  const refused: Readonly<Record<string, [string, string]>> = {
    '{ listen: {} }': ['config-invalid', 'proxy.listen'],
    [`{ ${socket}, resign: local }`]: ['config-invalid', 'proxy.resign'],
    [`{ ${socket}, identityFile: /etc/paycert/identity }`]: ['config-invalid', 'proxy.identityFile'],
    '{ listen: { socket: /run/paycert.sock } }': ['config-invalid', 'proxy.listen.socket'],
    '{ listen: { tcp: { address: "127.0.0.1:8011" } } }': ['config-invalid', 'proxy.listen.tcp.tokenFile'],
    '{ listen: { tcp: { address: "0.0.0.0:8011", tokenFile: /t } } }': ['listener-exposed', 'proxy.listen.tcp.address'],
    '{ listen: { tcp: { address: "127.0.0.1:70000", tokenFile: /t } } }': [
      'config-invalid',
      'proxy.listen.tcp.address',
    ],
    [`{ ${socket}, routes: [{ credential: nobody }] }`]: ['config-invalid', 'proxy.routes[0].credential'],
    [`{ ${socket}, routes: [{ credential: shop }, { credential: shop }] }`]: [
      'config-invalid',
      'proxy.routes[1].credential',
    ],
    [`{ ${socket}, routes: [{ credential: shop, origin: "https://api.alipay.com" }] }`]: [
      'config-invalid',
      'proxy.routes[0].origin',
    ],
    [`{ ${socket}, routes: [{ credential: shop, origin: "https://api.mch.weixin.qq.com/v3" }] }`]: [
      'config-invalid',
      'proxy.routes[0].origin',
    ],
    [`{ ${socket}, routes: [{ credential: shop, double: "http://user@127.0.0.1" }] }`]: [
      'config-invalid',
      'proxy.routes[0].double',
    ],
    [`{ ${socket}, routes: [{ credential: shop, allow: ["/v3/*"] }] }`]: ['config-invalid', 'proxy.routes[0].allow[0]'],
    [`{ ${socket}, routes: [{ credential: shop, allow: [] }] }`]: ['config-invalid', 'proxy.routes[0].allow'],
    [`{ ${socket}, routes: [{ credential: shop, allow: ["alipay trade"] }] }`]: [
      'config-invalid',
      'proxy.routes[0].allow[0]',
    ],
    [`{ ${socket}, routes: [{ credential: wide }] }`]: ['config-invalid', 'proxy.routes[0].credential'],
    [`{ ${socket}, routes: [{ credential: sms, origin: "https://oss-cn-hangzhou.aliyuncs.com" }] }`]: [
      'config-invalid',
      'proxy.routes[0].origin',
    ],
    [`{ ${socket}, routes: [{ credential: shop, spareDouble: "http://127.0.0.1:1" }] }`]: [
      'config-invalid',
      'proxy.routes[0].spareDouble',
    ],
    [`{ ${socket}, routes: [{ credential: nowhere }] }`]: ['config-invalid', 'proxy.routes[0].credential'],
    [`{ ${socket}, routes: [{ credential: partner, origin: "https://else.example" }] }`]: [
      'config-invalid',
      'proxy.routes[0].origin',
    ],
    [`{ ${socket}, bulkhead: { concurrent: 0 } }`]: ['config-invalid', 'proxy.bulkhead.concurrent'],
    [`{ ${socket}, spareShare: 0.5 }`]: ['config-invalid', 'proxy.spareShare'],
    [`{ ${socket}, hosts: [] }`]: ['config-invalid', 'proxy.hosts'],
  };
  for (const [proxy, expected] of Object.entries(refused))
    it(`is refused by name: ${proxy}`, () => assert.deepEqual(fieldOf(proxy), expected));
});
