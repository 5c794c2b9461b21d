// Every field of the configuration: what is accepted, and what is refused by its name.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseConfig } from '../../../src/config/load.ts';
import { ConfigSchema } from '../../../src/config/schema/config.ts';

const credential = {
  name: 'shop',
  provider: { wechatpay: { merchantId: '1900000001' } },
  source: { files: { path: '/keys' } },
};
const base = { listen: { socket: '/run/p.sock' }, credentials: [credential] };

// JSON is YAML.
const withRoot = (over: object) => JSON.stringify({ ...base, ...over });
const withCredential = (over: object) => withRoot({ credentials: [{ ...credential, ...over }] });
const withWechatpay = (over: object) =>
  withCredential({ provider: { wechatpay: { ...credential.provider.wechatpay, ...over } } });
const withProvider = (kind: string, options: object) => withCredential({ provider: { [kind]: options } });
const withFiles = (over: object) => withCredential({ source: { files: { path: '/keys', ...over } } });
const withTcp = (over: object) =>
  withRoot({ listen: { tcp: { address: '127.0.0.1:0', tokenFile: '/token', ...over } } });

const withSockets = (over: object) => withRoot({ listen: { sockets: [{ name: 'shop', path: '/s', ...over }] } });
const withVolume = (over: object) => withRoot({ audit: { volume: { directory: '/audit', ...over } } });
const withProxy = (over: object) => withRoot({ proxy: { listen: { socket: '/x' }, ...over } });
const withWayOut = (over: object) => withRoot({ wayOut: { proxy: 'http://proxy.example:3128', ...over } });
const withNotifications = (over: object) =>
  withRoot({ notifications: { listen: { address: ':0' }, forwardTo: { socket: '/s' }, secretFile: '/k', ...over } });
const withRedis = (over: object) =>
  withNotifications({ dedupe: { redis: { address: 'rediss://redis.example:6379', ...over } } });
const withRoute = (over: object) => withProxy({ routes: [{ credential: 'shop', ...over }] });

const origins = {
  vault: { auth: { token: { tokenFile: '/t' } }, path: 'pay/wechat' },
  consul: { prefix: 'pay/wechat' },
  etcd: { prefix: '/pay/wechat' },
};
const withOrigin = (kind: keyof typeof origins, over: object) =>
  withCredential({ source: { [kind]: { address: 'https://keys.example:8200', ...origins[kind], ...over } } });
const transit = { address: 'https://keys.example:8200', auth: { token: { tokenFile: '/t' } } };
const pkcs11 = { module: '/usr/lib/token.so', tokens: [{ label: 'pay', pinFile: '/pin' }] };
const withPkcs11 = (over: object) => withRoot({ keyServices: { pkcs11: { ...pkcs11, ...over } } });
const withPin = (over: object) => withPkcs11({ tokens: [{ label: 'pay', pinFile: '/pin', ...over }] });
const withTransit = (over: object) => withRoot({ keyServices: { hashivault: { ...transit, ...over } } });
const issuing = { role: 'shop', commonName: 'shop.example', address: 'https://keys.example:8200', auth: { token: { tokenFile: '/t' } } }; // prettier-ignore
const withPki = (over: object) => withCredential({ source: { pki: { ...issuing, ...over } } });
const wrapped = { source: { files: { path: '/a' } }, with: { local: {} } };
const withUnwrap = (over: object) => withCredential({ source: { unwrap: { ...wrapped, ...over } } });
const accessKey = { idFile: '/i', secretFile: '/s' };
const webIdentity = { roleArn: 'arn:aws:iam::111122223333:role/shop', tokenFile: '/t' };
const aws = { region: 'eu-west-1', auth: { accessKey } };
const withAws = (over: object) => withRoot({ keyServices: { awskms: { ...aws, ...over } } });
const withAwsKey = (over: object) => withAws({ auth: { accessKey: { ...accessKey, ...over } } });
const rrsa = { roleArn: 'acs:ram::1:role/shop', providerArn: 'acs:ram::1:oidc-provider/ack-rrsa-c1', tokenFile: '/t' };
const aliyun = { region: 'cn-hangzhou', auth: { accessKey } };
const withAliyun = (over: object) => withRoot({ keyServices: { aliyunkms: { ...aliyun, ...over } } });
const withAliyunKey = (over: object) => withAliyun({ auth: { accessKey: { ...accessKey, ...over } } });
const withRrsa = (over: object) => withAliyun({ auth: { rrsa: { ...rrsa, ...over } } });
const withIdentity = (over: object) => withAws({ auth: { webIdentity: { ...webIdentity, ...over } } });
const sets = { current: { files: { path: '/a' } }, next: { files: { path: '/b' } }, activate: { percent: 0 } };
const withStaged = (over: object) => withCredential({ source: { staged: { ...sets, ...over } } });
const jwt = { role: 'pay', tokenFile: '/t' };
const appRole = { roleIdFile: '/r', secretIdFile: '/s' };

const at = 'credentials[0]';
const files = `${at}.source.files`;
const keys = { 'a.pem': 'b.pem' };
const tooMany = Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`k${String(i)}`, 'v']));

/** Field, how to set it, values that are accepted, values that are refused. */
const table: [field: string, set: (value: unknown) => string, good: unknown[], bad: unknown[]][] = [
  ['listen', (v) => withRoot({ listen: v }), [{ socket: '/s' }], [null, 'x', [], {}]],
  ['listen.socket', (v) => withRoot({ listen: { socket: v } }), ['s'], ['', 1, 'x'.repeat(108)]],
  ['listen.tcp', (v) => withRoot({ listen: { tcp: v } }), [], [null, 'x', []]],
  [
    'listen.tcp.address',
    (v) => withTcp({ address: v, exposed: true }),
    [':0', '[::1]:65535', 'a:8080'],
    ['a', 'a:', 'a:65536', 'a:99999', 80],
  ],
  ['listen.tcp.tokenFile', (v) => withTcp({ tokenFile: v }), ['/t'], ['', 1]],
  ['listen.tcp.insecure', (v) => withTcp({ insecure: v }), [true, false], ['yes', 1]],
  ['listen.tcp.exposed', (v) => withTcp({ exposed: v }), [true, false], ['yes', null]],
  [
    'listen.maxBodyBytes',
    (v) => withRoot({ listen: { socket: '/s', maxBodyBytes: v } }),
    [1024, 64 * 1024 * 1024],
    [1023, 64 * 1024 * 1024 + 1, 1024.5, '1024', -1],
  ],
  ['remember', (v) => withRoot({ remember: v }), [1, 5000], [0, 5001, 1.5, '10', true]],
  [
    'keyServices',
    (v) => withRoot({ keyServices: v }),
    [{}, { hashivault: transit }, { local: { keyFile: '/k' } }],
    [null, [], 'x', { awskms: {} }],
  ],
  ['keyServices.local', (v) => withRoot({ keyServices: { local: v } }), [{ keyFile: '/k' }], [null, {}, { key: 'a' }]],
  ['keyServices.local.keyFile', (v) => withRoot({ keyServices: { local: { keyFile: v } } }), ['/k'], ['', '~/k', 1]],
  ['keyServices.hashivault', (v) => withRoot({ keyServices: { hashivault: v } }), [transit], [null, {}, { ...transit, path: 'a' }]], // prettier-ignore
  ['keyServices.hashivault.address', (v) => withTransit({ address: v }), ['https://a', 'http://127.0.0.1:8200', ['https://a', 'https://b']], ['http://a', 'a', [], 1]], // prettier-ignore
  ['keyServices.hashivault.insecure', (v) => withTransit({ address: 'http://a', insecure: v }), [true], ['yes', 1]],
  ['keyServices.hashivault.namespace', (v) => withTransit({ namespace: v }), ['team/pay'], ['', 'a b', 1]],
  ['keyServices.hashivault.auth', (v) => withTransit({ auth: v }), [{ kubernetes: jwt }, { appRole }], [null, {}, { kubernetes: jwt, appRole }]], // prettier-ignore
  ['keyServices.hashivault.mount', (v) => withTransit({ mount: v }), ['transit', 'team/transit'], ['', '/a', 'a b', 1]],
  ['keyServices.hashivault.deadline', (v) => withTransit({ deadline: v }), ['500ms', '3s'], ['0s', '3', 3]],
  ['keyServices.pkcs11', (v) => withRoot({ keyServices: { pkcs11: v } }), [pkcs11], [null, {}, { ...pkcs11, pin: '1' }]], // prettier-ignore
  ['keyServices.pkcs11.module', (v) => withPkcs11({ module: v }), ['/a.so'], ['', 'a.so', './a.so', 1]],
  ['keyServices.pkcs11.tokens', (v) => withPkcs11({ tokens: v }), [[...pkcs11.tokens, { label: 'b', pinFile: '/b' }]], [[], null, {}, [...pkcs11.tokens, ...pkcs11.tokens]]], // prettier-ignore
  ['keyServices.pkcs11.tokens[0].label', (v) => withPin({ label: v }), ['支付', 'a b'], ['', 'x'.repeat(33), 1]],
  ['keyServices.pkcs11.tokens[0].pinFile', (v) => withPin({ pinFile: v }), ['/p', 'p'], ['', '~/pin', '$PIN', 1]],
  ['keyServices.pkcs11.environment', (v) => withPkcs11({ environment: v }), [{}, { SOFTHSM2_CONF: '/a' }], [null, [], { 'a-b': 'x' }, { A: 1 }]], // prettier-ignore
  ['keyServices.pkcs11.sessions', (v) => withPkcs11({ sessions: v }), [1, 64], [0, 65, 1.5, '8']],
  ['keyServices.pkcs11.deadline', (v) => withPkcs11({ deadline: v }), ['500ms', '3s'], ['0s', '3', 3]],
  [
    'keyServices.awskms',
    (v) => withRoot({ keyServices: { awskms: v } }),
    [aws],
    [null, {}, { ...aws, key: 'alias/pay' }],
  ],
  ['keyServices.awskms.region', (v) => withAws({ region: v }), ['cn-north-1'], ['', 'EU', 'a.b', 1]],
  ['keyServices.awskms.address', (v) => withAws({ address: v }), ['https://a', 'http://127.0.0.1:8080'], ['http://a', 'a', ['https://a'], 1]], // prettier-ignore
  ['keyServices.awskms.insecure', (v) => withAws({ address: 'http://a', insecure: v }), [true], ['yes', 1]],
  ['keyServices.awskms.tls', (v) => withAws({ tls: v }), [{}, { caFile: '/c' }], [null, 'x', { ca: 'x' }]],
  ['keyServices.awskms.tls.caFile', (v) => withAws({ tls: { caFile: v } }), ['/c'], ['', '~/c', 1]],
  ['keyServices.awskms.tls.certFile', (v) => withAws({ tls: { certFile: v } }), ['/c'], ['', 1]],
  ['keyServices.awskms.tls.keyFile', (v) => withAws({ tls: { keyFile: v } }), ['/c'], ['', 1]],
  ['keyServices.awskms.tls.serverName', (v) => withAws({ tls: { serverName: v } }), ['a'], ['', 1]],
  ['keyServices.awskms.auth', (v) => withAws({ auth: v }), [{ accessKey }, { webIdentity }], [null, {}, { accessKey, webIdentity }]], // prettier-ignore
  ['keyServices.awskms.auth.accessKey', (v) => withAws({ auth: { accessKey: v } }), [accessKey], [null, {}, { idFile: '/i' }]], // prettier-ignore
  ['keyServices.awskms.auth.accessKey.idFile', (v) => withAwsKey({ idFile: v }), ['/i'], ['', '~/i', 1]],
  ['keyServices.awskms.auth.accessKey.secretFile', (v) => withAwsKey({ secretFile: v }), ['/i'], ['', 1]],
  ['keyServices.awskms.auth.accessKey.tokenFile', (v) => withAwsKey({ tokenFile: v }), ['/i'], ['', 1]],
  ['keyServices.awskms.auth.webIdentity', (v) => withAws({ auth: { webIdentity: v } }), [webIdentity], [null, {}, { tokenFile: '/t' }]], // prettier-ignore
  ['keyServices.awskms.auth.webIdentity.roleArn', (v) => withIdentity({ roleArn: v }), ['arn:aws-cn:iam::111122223333:role/a/b'], ['shop', 'arn:aws:iam::1:role/a', 1]], // prettier-ignore
  ['keyServices.awskms.auth.webIdentity.tokenFile', (v) => withIdentity({ tokenFile: v }), ['/t'], ['', '$T', 1]],
  [
    'keyServices.awskms.auth.webIdentity.sessionName',
    (v) => withIdentity({ sessionName: v }),
    ['shop@pay'],
    ['a', 'a b', 1],
  ],
  ['keyServices.awskms.auth.webIdentity.caFile', (v) => withIdentity({ caFile: v }), ['/c'], ['', '~/c', 1]],
  ['keyServices.awskms.auth.webIdentity.address', (v) => withIdentity({ address: v }), ['https://sts.eu-west-1.amazonaws.com', 'http://127.0.0.1:1'], ['http://a', 'a', 1]], // prettier-ignore
  ['keyServices.awskms.deadline', (v) => withAws({ deadline: v }), ['500ms', '3s'], ['0s', '3', 3]],
  ['keyServices.aliyunkms', (v) => withRoot({ keyServices: { aliyunkms: v } }), [aliyun], [null, {}, { ...aliyun, key: 'k' }]], // prettier-ignore
  ['keyServices.aliyunkms.region', (v) => withAliyun({ region: v }), ['cn-beijing'], ['', 'a.b', 1]],
  ['keyServices.aliyunkms.address', (v) => withAliyun({ address: v }), ['https://kst-1.cryptoservice.kms.aliyuncs.com'], ['http://a', 'a', 1]], // prettier-ignore
  ['keyServices.aliyunkms.insecure', (v) => withAliyun({ address: 'http://a', insecure: v }), [true], ['yes', 1]],
  ['keyServices.aliyunkms.tls', (v) => withAliyun({ tls: v }), [{}, { caFile: '/c' }], [null, 'x', { ca: 'x' }]],
  ['keyServices.aliyunkms.auth', (v) => withAliyun({ auth: v }), [{ accessKey }, { rrsa }], [null, {}, { accessKey, rrsa }]], // prettier-ignore
  ['keyServices.aliyunkms.auth.accessKey', (v) => withAliyun({ auth: { accessKey: v } }), [accessKey], [null, {}, { idFile: '/i' }]], // prettier-ignore
  ['keyServices.aliyunkms.auth.accessKey.idFile', (v) => withAliyunKey({ idFile: v }), ['/i'], ['', 1]],
  [
    'keyServices.aliyunkms.auth.rrsa',
    (v) => withAliyun({ auth: { rrsa: v } }),
    [rrsa],
    [null, {}, { tokenFile: '/t' }],
  ],
  ['keyServices.aliyunkms.auth.rrsa.roleArn', (v) => withRrsa({ roleArn: v }), ['acs:ram::12:role/a-b.c'], ['shop', 'acs:ram::1:user/a', 1]], // prettier-ignore
  ['keyServices.aliyunkms.auth.rrsa.providerArn', (v) => withRrsa({ providerArn: v }), ['acs:ram::12:oidc-provider/a'], ['a', 'acs:ram::1:role/a', 1]], // prettier-ignore
  ['keyServices.aliyunkms.auth.rrsa.caFile', (v) => withRrsa({ caFile: v }), ['/c'], ['', '~/c', 1]],
  ['keyServices.aliyunkms.auth.rrsa.tokenFile', (v) => withRrsa({ tokenFile: v }), ['/t'], ['', '~/t', 1]],
  ['keyServices.aliyunkms.auth.rrsa.sessionName', (v) => withRrsa({ sessionName: v }), ['shop'], ['a', 'a b', 1]],
  ['keyServices.aliyunkms.auth.rrsa.address', (v) => withRrsa({ address: v }), ['https://sts-vpc.cn-hangzhou.aliyuncs.com'], ['http://a', 1]], // prettier-ignore
  ['keyServices.aliyunkms.deadline', (v) => withAliyun({ deadline: v }), ['500ms'], ['0s', 3]],
  ['lastGood', (v) => withRoot({ lastGood: v }), [{ directory: '/run/last-good/keys' }], [null, [], 'x', {}]],
  ['lastGood.directory', (v) => withRoot({ lastGood: { directory: v } }), ['/x'], ['', 1, 'x'.repeat(4097)]],
  [
    'listen.sockets',
    (v) => withRoot({ listen: { sockets: v } }),
    [[{ name: 'shop', path: '/a' }], [{ name: 'shop', path: '/a' }, { name: 'jobs', path: '/b', group: 1000 }]], // prettier-ignore
    [[], null, 'x'],
  ],
  ['listen.sockets[0].name', (v) => withSockets({ name: v }), ['a'], ['', 'A b', 1]],
  ['listen.sockets[0].path', (v) => withSockets({ path: v }), ['/a'], ['', 1, 'x'.repeat(108)]],
  ['listen.sockets[0].group', (v) => withSockets({ group: v }), [0, 1000], [-1, 1.5, 'pay', null]],
  ['proxy', (v) => withRoot({ proxy: v }), [{ listen: { socket: '/x' } }], [null, [], 'x']],
  ['proxy.maxBodyBytes', (v) => withProxy({ maxBodyBytes: v }), [1024, 64 * 1024 * 1024], [1023, 1024.5, '1024']],
  ['proxy.deadline', (v) => withProxy({ deadline: v }), ['30s', '500ms'], ['30', '', 30, '-1s']],
  ['proxy.attempts', (v) => withProxy({ attempts: v }), [1, 5], [0, 6, 1.5, '3', null]],
  ['proxy.resign', (v) => withProxy({ resign: v, identityFile: '/i' }), ['local'], ['remote', '', true, null]],
  ['proxy.identityFile', (v) => withProxy({ resign: 'local', identityFile: v }), ['/etc/paycert/identity'], ['', '~/i', 1, null]], // prettier-ignore
  ['proxy.correctClock', (v) => withProxy({ correctClock: v }), [true, false], ['true', 1, null]],
  ['proxy.traceHeaders', (v) => withProxy({ traceHeaders: v }), [true, false], ['true', 1, null]],
  ['proxy.spareShare', (v) => withProxy({ spareShare: v }), [0, 0.01, 0.1], [-0.01, 0.11, '0.01', null]],
  ['wayOut', (v) => withRoot({ wayOut: v }), [{ proxy: 'http://proxy.example:3128' }], [null, {}, 'http://proxy.example:3128']], // prettier-ignore
  ['wayOut.proxy', (v) => withWayOut({ proxy: v }), ['http://10.0.0.1:3128', 'https://proxy.example'], ['proxy.example:3128', 'http://u:p@proxy.example', 'socks5://proxy.example', 'http://proxy.example/']], // prettier-ignore
  ['wayOut.noProxy', (v) => withWayOut({ noProxy: v }), [[], ['*'], ['.a.example', '*.b.example', 'c', '10.0.0.1:8080']], [null, 'a']], // prettier-ignore
  ['wayOut.noProxy[0]', (v) => withWayOut({ noProxy: [v] }), [], ['', 'http://a', '10.0.0.0/8', 'a b', '*a']],
  ['wayOut.userFile', (v) => withWayOut({ userFile: v }), ['/run/user'], ['', '~/user', 1]],
  ['proxy.breaker', (v) => withProxy({ breaker: v }), [{}, { failurePercent: 30, minimumCalls: 50, openFor: '2s' }], [null, true, { calls: 1 }]], // prettier-ignore
  ['proxy.breaker.failurePercent', (v) => withProxy({ breaker: { failurePercent: v } }), [1, 100], [0, 101, 0.5, '50']],
  ['proxy.breaker.minimumCalls', (v) => withProxy({ breaker: { minimumCalls: v } }), [1, 1_000_000], [0, 1_000_001, '20']], // prettier-ignore
  ['proxy.breaker.openFor', (v) => withProxy({ breaker: { openFor: v } }), ['5s', '500ms'], ['5', '', 5, '-1s']],
  ['proxy.bulkhead', (v) => withProxy({ bulkhead: v }), [{}, { concurrent: 8, queued: 0 }], [null, true, { most: 1 }]],
  ['proxy.bulkhead.concurrent', (v) => withProxy({ bulkhead: { concurrent: v } }), [1, 2048], [0, 2049, 1.5, '1']],
  ['proxy.bulkhead.queued', (v) => withProxy({ bulkhead: { queued: v } }), [0, 2048], [-1, 2049, 1.5, '1']],
  ['proxy.routes', (v) => withProxy({ routes: v }), [[], [{ credential: 'shop' }]], [null, {}, 'x']],
  ['proxy.routes[0].credential', (v) => withRoute({ credential: v }), ['shop'], ['', 'A', 1]],
  [
    'proxy.routes[0].allow',
    (v) => withRoute({ allow: v }),
    [['GET /v3/*'], ['POST /v3/pay/transactions/jsapi']],
    [[], 'GET /v3/*', ['/v3/*'], ['HEAD /v3/*'], ['GET v3'], null],
  ],
  [
    'proxy.routes[0].origin',
    (v) => withRoute({ origin: v }),
    ['https://api.mch.weixin.qq.com'],
    ['api.mch.weixin.qq.com', 'https://a.example/path', 'ftp://a.example', null],
  ],
  [
    'proxy.routes[0].double',
    (v) => withRoute({ double: v }),
    ['http://127.0.0.1:8443'],
    ['127.0.0.1:8443', 'http://a.example/path', 1],
  ],
  ['notifications', (v) => withRoot({ notifications: v }), [], [null, [], 'x', {}]],
  ['notifications.listen', (v) => withNotifications({ listen: v }), [{ address: ':8012' }], [null, ':8012', {}]],
  [
    'notifications.listen.address',
    (v) => withNotifications({ listen: { address: v } }),
    ['0.0.0.0:8012'],
    [':65536', 8012],
  ],
  ['notifications.forwardTo', (v) => withNotifications({ forwardTo: v }), [{ socket: '/s' }], [null, '/s', {}, { path: '/x' }, { socket: '/s', url: 'https://a.example/' }]], // prettier-ignore
  ['notifications.forwardTo.socket', (v) => withNotifications({ forwardTo: { socket: v } }), ['/s'], ['', 1, 'x'.repeat(108)]], // prettier-ignore
  ['notifications.forwardTo.path', (v) => withNotifications({ forwardTo: { socket: '/s', path: v } }), ['/', '/a?b'], ['a', '/ ', 1]], // prettier-ignore
  ['notifications.forwardTo.url', (v) => withNotifications({ forwardTo: { url: v } }), ['http://127.0.0.1:1/x', 'http://[::1]/', 'http://localhost', 'https://shop.pay.svc/x'], ['http://shop.pay.svc/', 'http://127.0.0.1.evil.example', 'https://[', 'shop', 1]], // prettier-ignore
  ['notifications.secretFile', (v) => withNotifications({ secretFile: v }), ['/k'], ['', 1, null]],
  ['notifications.deliver', (v) => withNotifications({ deliver: v }), ['opened', 'raw'], ['', 'json', null]],
  ['notifications.applicationDeadline', (v) => withNotifications({ applicationDeadline: v }), ['30s'], ['30', 30]],
  ['notifications.remember', (v) => withNotifications({ remember: v }), [100, 1_000_000], [99, 1_000_001, 1.5, '100']],
  ['notifications.dedupe', (v) => withNotifications({ dedupe: v }), [], [null, [], 'redis', {}, { memory: {} }]],
  ['notifications.dedupe.redis', (v) => withNotifications({ dedupe: { redis: v } }), [{ address: 'rediss://r.example' }], [null, {}, 'redis://127.0.0.1']], // prettier-ignore
  ['notifications.dedupe.redis.address', (v) => withRedis({ address: v }), ['rediss://r.example:6380', 'redis://127.0.0.1:6379', 'redis://[::1]:6379', 'redis://localhost'], ['redis://r.example:6379', 'rediss://u:p@r.example', 'rediss://r.example/0', 'http://r.example', 'rediss://r.example:0', 'rediss://r.example:99999', 1]], // prettier-ignore
  ['notifications.dedupe.redis.insecure', (v) => withRedis({ address: 'redis://r.example:6379', insecure: v }), [true], ['true', 1, null]], // prettier-ignore
  ['notifications.dedupe.redis.caFile', (v) => withRedis({ caFile: v }), ['/ca.crt'], ['', '~/ca.crt', 1]],
  ['notifications.dedupe.redis.username', (v) => withRedis({ username: v, passwordFile: '/p' }), ['paycert'], ['', 'a b', 1]], // prettier-ignore
  ['notifications.dedupe.redis.passwordFile', (v) => withRedis({ passwordFile: v }), ['/p'], ['', '$P', 1]],
  ['notifications.dedupe.redis.database', (v) => withRedis({ database: v }), [0, 15], [-1, 1.5, '0', 65_536]],
  ['notifications.dedupe.redis.prefix', (v) => withRedis({ prefix: v }), ['shop:'], ['', 'a b', 1]],
  ['notifications.dedupe.redis.deadline', (v) => withRedis({ deadline: v }), ['50ms', '1s'], ['0s', '2s', '5', 5]],
  ['notifications.trustedProxies', (v) => withNotifications({ trustedProxies: v }), [[], ['10.0.0.0/8', '::1', 'fd00::/8']], [null, '10.0.0.1', ['10.0.0.0/33'], ['10.0.0'], ['fd00::/129'], ['ingress']]], // prettier-ignore
  ['audit', (v) => withRoot({ audit: v }), [{ stdout: true }, { volume: { directory: '/a' } }], [null, [], {}, { stdout: false }, { requests: 'all' }]], // prettier-ignore
  ['audit.requests', (v) => withRoot({ audit: { stdout: true, requests: v } }), ['authorize', 'all'], ['', 'none', null]], // prettier-ignore
  ['audit.stdout', (v) => withRoot({ audit: { volume: { directory: '/a' }, stdout: v } }), [true, false], ['yes', 1, null]], // prettier-ignore
  ['audit.keyFile', (v) => withRoot({ audit: { stdout: true, keyFile: v } }), ['/k'], ['', '~/k', 1, null]],
  ['audit.otlp', (v) => withRoot({ audit: { otlp: v } }), [{}], [null, [], true, 'http://c:4318']],
  ['audit.otlp.onFailure', (v) => withRoot({ audit: { otlp: { onFailure: v } } }), ['count', 'refuse'], ['', 'block', null]], // prettier-ignore
  ['audit.volume', (v) => withRoot({ audit: { volume: v } }), [], [null, [], '/a', {}]],
  ['audit.volume.directory', (v) => withVolume({ directory: v }), ['/a'], ['', '$HOME', 1, 'x'.repeat(4097)]],
  ['audit.volume.maxFileBytes', (v) => withVolume({ maxFileBytes: v }), [65_536, 1_048_576], [65_535, '16Mi', null]],
  ['audit.volume.maxTotalBytes', (v) => withVolume({ maxTotalBytes: v }), [64 * 1_048_576], [64 * 1_048_576 - 1, '1Gi', null]], // prettier-ignore
  ['audit.volume.rotateAfter', (v) => withVolume({ rotateAfter: v }), ['1h', '7d'], ['0s', 'daily', 1]],
  ['audit.volume.retention', (v) => withVolume({ retention: v }), ['190d'], ['0d', '6 months', 190]],
  ['audit.volume.fsync', (v) => withVolume({ fsync: v }), ['batch', 'second', 'never'], ['', true, null]],
  ['audit.volume.onFailure', (v) => withVolume({ onFailure: v }), ['count', 'refuse'], ['', 'block', null]],
  ['admin', (v) => withRoot({ admin: v }), [{ address: ':9464' }], [null, []]],
  ['admin.address', (v) => withRoot({ admin: { address: v } }), ['0.0.0.0:9464'], ['9464', ':65536', 9464]],
  ['log', (v) => withRoot({ log: v }), [{ level: 'info' }], [null, 'info']],
  ['log.level', (v) => withRoot({ log: { level: v } }), ['debug', 'info', 'warn', 'error'], ['trace', 'INFO', 1]],
  ['credentials', (v) => withRoot({ credentials: v }), [[]], [null, {}, 'x', new Array(5001).fill(credential)]],
  [
    `${at}.name`,
    (v) => withCredential({ name: v }),
    ['a', 'a-1.b', 'x'.repeat(63)],
    ['', 'A', '-a', 'a-', 'a b', 'x'.repeat(64), 1, '支付'],
  ],
  [`${at}.required`, (v) => withCredential({ required: v }), [true, false], ['true', 0]],
  [
    `${at}.require`,
    (v) => withCredential({ require: v }),
    [['sign'], ['sign', 'verify', 'decrypt']],
    [[], 'sign', null],
  ],
  [`${at}.older`, (v) => withCredential({ older: v }), ['accept', 'reject'], ['refuse', true]],
  [
    `${at}.grace`,
    (v) => withCredential({ grace: v }),
    ['0s', '500ms', '12h', '7d', '9999999d'],
    ['7', '7 d', '-1s', '1.5h', '7D', '', 7, '10000000d'],
  ],
  [
    `${at}.maxAge`,
    (v) => withCredential({ maxAge: v }),
    ['1ms', '90d', '2160h', '0090d', '99999d'],
    ['0d', '00000d', '90', '90 d', '1.5d', '-1d', '3M', '', 90, '100000d', 'never'],
  ],
  [`${at}.provider`, (v) => withCredential({ provider: v }), [], [{}, null, 'wechatpay']],
  [`${at}.provider.wechatpay`, (v) => withCredential({ provider: { wechatpay: v } }), [], [null, 'x']],
  [
    `${at}.provider.wechatpay.merchantId`,
    (v) => withWechatpay({ merchantId: v }),
    ['190000'],
    ['', '12345', '1'.repeat(17), 'abcdef', 1900000001],
  ],
  [
    `${at}.provider.wechatpay.responseKey`,
    (v) => withWechatpay({ responseKey: v }),
    ['platform', 'publicKey', { publicKeyPercent: 0 }, { publicKeyPercent: 100 }],
    ['public', 50, null],
  ],
  [
    `${at}.provider.wechatpay.legacyFieldPadding`,
    (v) => withWechatpay({ legacyFieldPadding: v }),
    [true, false],
    ['yes', 0],
  ],
  [
    `${at}.provider.wechatpayV2.merchantId`,
    (v) => withProvider('wechatpayV2', { merchantId: v }),
    ['190000'],
    ['', '1'.repeat(17), 1900000001],
  ],
  [
    `${at}.provider.wechatpayV2.appId`,
    (v) => withProvider('wechatpayV2', { merchantId: '190000', appId: v }),
    ['wx8888888888888888'],
    ['', 'a b', 1],
  ],
  [
    'proxy.routes[0].spareDouble',
    (v) => withRoute({ double: 'http://127.0.0.1:8443', spareDouble: v }),
    ['http://127.0.0.1:8444'],
    ['127.0.0.1:8444', 'http://a.example/path', 1],
  ],
  [
    `${at}.provider.aliyun.endpoints`,
    (v) => withCredential({ provider: { aliyun: { endpoints: v } } }),
    [['dysmsapi.aliyuncs.com'], ['ecs.cn-hangzhou.aliyuncs.com', 'ecs-vpc.aliyuncs.com']],
    [
      [],
      ['*.aliyuncs.com'],
      ['aliyuncs.com'],
      ['https://ecs.aliyuncs.com'],
      ['bucket.example'],
      'ecs.aliyuncs.com',
      null,
    ],
  ],
  [`${at}.provider.aliyun`, (v) => withCredential({ provider: { aliyun: v } }), [{}], [null, { accessKeyId: 'x' }]],
  [
    `${at}.provider.hmac.keyId`,
    (v) => withProvider('hmac', { keyId: v, scheme: 'sorted' }),
    ['shop-1'],
    ['', 'a b', 'x'.repeat(129), null],
  ],
  [
    `${at}.provider.hmac.scheme`,
    (v) => withProvider('hmac', { keyId: 'a', scheme: v }),
    ['sorted', 'sorted-quoted', 'sorted-appended', 'sorted-header', 'request'],
    ['md5', null],
  ],
  [
    `${at}.provider.hmac.slash`,
    (v) => withProvider('hmac', { keyId: 'a', scheme: 'request', slash: v }),
    ['keep', 'encode'],
    [true, 'yes'],
  ],
  ...(['hmac', 'pss'] as const).map((kind): (typeof table)[number] => [
    `${at}.provider.${kind}.maxNonces`,
    (v) =>
      withProvider(kind, { ...(kind === 'hmac' ? { keyId: 'a', scheme: 'sorted' } : { appId: 'a' }), maxNonces: v }),
    [1000, 10_000_000],
    [999, 10_000_001, 1.5, '1000'],
  ]),
  ...(['hmac', 'pss'] as const).map((kind): (typeof table)[number] => [
    `${at}.provider.${kind}.origin`,
    (v) => withProvider(kind, { ...(kind === 'hmac' ? { keyId: 'a', scheme: 'sorted' } : { appId: 'a' }), origin: v }),
    ['https://partner.example', 'https://partner.example:8443', 'https://localhost'],
    [
      'http://partner.example',
      'partner.example',
      'https://partner.example/v1',
      'https://u@partner.example',
      'https://*.example',
      null,
    ],
  ]),
  [`${at}.provider.pss.appId`, (v) => withProvider('pss', { appId: v }), ['shop-1'], ['', 'a b', 5]],
  [`${at}.provider.alipay`, (v) => withCredential({ provider: { alipay: v } }), [], [null, {}, { mode: 'key' }]],
  [
    `${at}.provider.alipay.appId`,
    (v) => withProvider('alipay', { appId: v, mode: 'key' }),
    ['2021000000000001', '9021000122682882'],
    ['', ' 2021000000000001', '2021000000000001 ', '20210000 00000001', 2021000000000001, '2'.repeat(65)],
  ],
  [
    `${at}.provider.alipay.mode`,
    (v) => withProvider('alipay', { appId: '2021000000000001', mode: v }),
    ['certificate', 'key'],
    ['cert', null, ''],
  ],
  [
    `${at}.provider.alipay.gateway`,
    (v) => withProvider('alipay', { appId: '2021000000000001', mode: 'key', gateway: v }),
    ['production', 'sandbox'],
    ['test', null],
  ],
  [`${at}.provider.mtls`, (v) => withCredential({ provider: { mtls: v } }), [{}], [null, { certificate: 'x' }]],
  [
    `${at}.provider.mtls.serverNames`,
    (v) => withProvider('mtls', { serverNames: v }),
    [{}, { 'bank.example': 'bank', '*.bank.example': 'c', 'a-1': 'cab' }],
    [null, [], { 'Bank.example': 'bank' }, { '*': 'bank' }, { 'bank.example': 'ca' }, { 'bank.example': '../bank' }],
  ],
  [
    `${at}.provider.mtls.minVersion`,
    (v) => withProvider('mtls', { minVersion: v }),
    ['TLSv1.2', 'TLSv1.3'],
    ['TLSv1.1', 1.2, null],
  ],
  [
    `${at}.provider.mtls.revocation.urls`,
    (v) => withProvider('mtls', { revocation: { urls: v } }),
    [['http://crl.bank.example/a.crl', 'https://crl.bank.example']],
    [[], 'http://crl.bank.example', ['file:///a.crl'], ['http://a b'], [`http://${'a'.repeat(2001)}`], null],
  ],
  [
    `${at}.provider.mtls.revocation.whenUnknown`,
    (v) => withProvider('mtls', { revocation: { whenUnknown: v } }),
    ['accept', 'reject'],
    ['soft', true, null],
  ],
  [
    `${at}.provider.mtls.revocation.ocsp`,
    (v) => withProvider('mtls', { revocation: { ocsp: v } }),
    ['ask', 'ignore'],
    ['staple', true, null],
  ],
  [`${at}.source`, (v) => withCredential({ source: v }), [], [{}, null, '/keys']],
  [files, (v) => withCredential({ source: { files: v } }), [], [null, '/keys']],
  [`${files}.path`, (v) => withFiles({ path: v }), ['/k', ['/a', '/b']], ['', [], 5, [''], new Array(65).fill('/k')]],
  [`${files}.keys`, (v) => withFiles({ keys: v }), [{}, keys], [null, [], tooMany]],
  [`${files}.poll`, (v) => withFiles({ poll: v }), ['10s', '500ms', '01m'], ['0s', '000ms', '10', '', 10, '12345678d']],
  [`${at}.source.env.keys`, (v) => withCredential({ source: { env: { keys: v } } }), [keys], [null, 'x', tooMany]],
  [
    `${at}.source.secret.name`,
    (v) => withCredential({ source: { secret: { name: v } } }),
    ['wechat-main', 'a.b', 'x'.repeat(253)],
    ['', 'A', '-a', 'a/b', '../a', 'x'.repeat(254), 1, null],
  ],
  [
    `${at}.source.secret.namespace`,
    (v) => withCredential({ source: { secret: { name: 'a', namespace: v } } }),
    ['pay', 'a-1', 'x'.repeat(63)],
    ['', 'a.b', 'a/b', 'x'.repeat(64), null],
  ],
  [
    `${at}.source.secret.keys`,
    (v) => withCredential({ source: { secret: { name: 'a', keys: v } } }),
    [{}, keys],
    [null, [], tooMany],
  ],
  ...(['vault', 'consul', 'etcd'] as const).flatMap((kind): (typeof table)[number][] => [
    [`${at}.source.${kind}`, (v) => withCredential({ source: { [kind]: v } }), [], [null, {}, 'x']],
    [
      `${at}.source.${kind}.address`,
      (v) => withOrigin(kind, { address: v }),
      ['https://a.example', 'http://127.0.0.1:8200', ['https://a.example', 'https://[::1]:1']],
      ['a.example', 'https://a.example/v1', 'ftp://a.example', [], 8200],
    ],
    [
      `${at}.source.${kind}.insecure`,
      (v) => withOrigin(kind, { address: 'http://a.example', insecure: v }),
      [true],
      ['yes', 1],
    ],
    [
      `${at}.source.${kind}.tls`,
      (v) => withOrigin(kind, { tls: v }),
      [{}, { caFile: '/ca' }, { certFile: '/c', keyFile: '/k', serverName: 'a.example' }],
      [null, { caFile: '' }, { ca: '/ca' }],
    ],
    [`${at}.source.${kind}.keys`, (v) => withOrigin(kind, { keys: v }), [{}, keys], [null, [], tooMany]],
  ]),
  [
    `${at}.source.vault.auth`,
    (v) => withOrigin('vault', { auth: v }),
    [{ kubernetes: jwt }, { jwt: { ...jwt, mount: 'gitlab' } }, { appRole }, { token: { tokenFile: '/t' } }],
    [null, {}, { jwt, appRole }, { appRole: { roleIdFile: '/r' } }, { token: 'x' }],
  ],
  ...(['caFile', 'certFile', 'keyFile', 'serverName'] as const).map((name): (typeof table)[number] => [
    `${at}.source.vault.tls.${name}`,
    (v) => withOrigin('vault', { tls: { [name]: v } }),
    ['a'],
    ['', 1, null],
  ]),
  ...(['kubernetes', 'jwt'] as const).flatMap((method) =>
    (['role', 'tokenFile', 'mount'] as const).map((name): (typeof table)[number] => [
      `${at}.source.vault.auth.${method}.${name}`,
      (v) => withOrigin('vault', { auth: { [method]: { ...jwt, [name]: v } } }),
      ['pay'],
      ['', 1, null],
    ]),
  ),
  ...(['roleIdFile', 'secretIdFile'] as const).map((name): (typeof table)[number] => [
    `${at}.source.vault.auth.appRole.${name}`,
    (v) => withOrigin('vault', { auth: { appRole: { ...appRole, [name]: v } } }),
    ['/r'],
    ['', 1, null],
  ]),
  [
    `${at}.source.vault.auth.token.tokenFile`,
    (v) => withOrigin('vault', { auth: { token: { tokenFile: v } } }),
    ['/t'],
    ['', 1, null],
  ],
  [
    `${at}.source.etcd.user.passwordFile`,
    (v) => withOrigin('etcd', { user: { name: 'pay', passwordFile: v } }),
    ['/p'],
    ['', 1, null],
  ],
  [`${at}.source.vault.namespace`, (v) => withOrigin('vault', { namespace: v }), ['pay', 'a/b'], ['', 'a b', 1]],
  [`${at}.source.vault.mount`, (v) => withOrigin('vault', { mount: v }), ['kv', 'ns/kv'], ['', '/kv', 'kv/', 'a b']],
  [`${at}.source.vault.path`, (v) => withOrigin('vault', { path: v }), ['a', 'a/b'], ['', '/a', 'a/', 'a b', 1]],
  [`${at}.source.vault.engine`, (v) => withOrigin('vault', { engine: v }), [1, 2], [0, 3, '2']],
  [`${at}.source.vault.version`, (v) => withOrigin('vault', { version: v }), [1, 7], [0, 1.5, '1']],
  [`${at}.source.vault.poll`, (v) => withOrigin('vault', { poll: v }), ['10s', '500ms'], ['0s', '10', 10]],
  [`${at}.source.consul.prefix`, (v) => withOrigin('consul', { prefix: v }), ['a', 'a/b'], ['', '/a', 'a/', 1]],
  [`${at}.source.consul.tokenFile`, (v) => withOrigin('consul', { tokenFile: v }), ['/t'], ['', 1]],
  [
    `${at}.source.consul.connections`,
    (v) => withOrigin('consul', { connections: v }),
    [1, 128, 10_000],
    [0, 10_001, 1.5, '8'],
  ],
  [`${at}.source.consul.datacenter`, (v) => withOrigin('consul', { datacenter: v }), ['dc1'], ['', 'a b', 1]],
  [`${at}.source.pki`, (v) => withCredential({ source: { pki: v } }), [issuing], [null, {}, 'x']],
  [`${at}.source.pki.address`, (v) => withPki({ address: v }), ['https://a', ['https://a', 'https://b']], ['http://a', 'a', [], 1]], // prettier-ignore
  [`${at}.source.pki.insecure`, (v) => withPki({ address: 'http://a', insecure: v }), [true], ['yes', 1]],
  [`${at}.source.pki.tls`, (v) => withPki({ tls: v }), [{}, { caFile: '/ca' }], [null, { ca: '/ca' }]],
  [`${at}.source.pki.namespace`, (v) => withPki({ namespace: v }), ['pay', 'a/b'], ['', 'a b', 1]],
  [`${at}.source.pki.auth`, (v) => withPki({ auth: v }), [{ kubernetes: jwt }, { appRole }], [null, {}, { jwt, appRole }]], // prettier-ignore
  [`${at}.source.pki.mount`, (v) => withPki({ mount: v }), ['pki', 'team/pki'], ['', '/a', 'a b', 1]],
  [`${at}.source.pki.role`, (v) => withPki({ role: v }), ['shop', 'a.b-c'], ['', 'a/b', '.a', 1]],
  [`${at}.source.pki.commonName`, (v) => withPki({ commonName: v }), ['shop.example', '1900000001'], ['', 'x'.repeat(65), 1]], // prettier-ignore
  [`${at}.source.pki.altNames`, (v) => withPki({ altNames: v }), [['a.example', '*.a.example']], [null, [], 'a', ['a b'], ['']]], // prettier-ignore
  [`${at}.source.pki.ttl`, (v) => withPki({ ttl: v }), ['24h', '30m'], ['0s', '24', 24]],
  [`${at}.source.pki.keyType`, (v) => withPki({ keyType: v }), ['ec', 'rsa'], ['', 'ed25519', 1]],
  [`${at}.source.pki.trustIssuer`, (v) => withPki({ trustIssuer: v }), [true, false], ['yes', 1, null]],
  [`${at}.source.pki.poll`, (v) => withPki({ poll: v }), ['1m', '500ms'], ['0s', '10', 10]],
  [`${at}.source.unwrap`, (v) => withCredential({ source: { unwrap: v } }), [wrapped], [null, {}, { ...wrapped, with: undefined }]], // prettier-ignore
  [`${at}.source.unwrap.source`, (v) => withUnwrap({ source: v }), [{ env: { keys } }], [null, {}, { unwrap: wrapped }, { merge: [] }]], // prettier-ignore
  [`${at}.source.unwrap.with`, (v) => withUnwrap({ with: v }), [{ local: {} }, { hashivault: { key: 'a' } }], [null, {}, { local: {}, hashivault: { key: 'a' } }, { other: {} }]], // prettier-ignore
  [`${at}.source.unwrap.with.local`, (v) => withUnwrap({ with: { local: v } }), [{}], [null, { keyFile: '/k' }]],
  [`${at}.source.unwrap.with.awskms`, (v) => withUnwrap({ with: { awskms: v } }), [{ key: 'alias/a' }], [null, {}, { key: 'a', region: 'b' }]], // prettier-ignore
  [`${at}.source.unwrap.with.awskms.key`, (v) => withUnwrap({ with: { awskms: { key: v } } }), ['alias/a', 'arn:aws:kms:eu-west-1:1:key/a'], ['', 'a b', 1]], // prettier-ignore
  [`${at}.source.unwrap.with.hashivault`, (v) => withUnwrap({ with: { hashivault: v } }), [{ key: 'a' }], [null, {}, { key: 'a', mount: 'b' }]], // prettier-ignore
  [`${at}.source.unwrap.with.hashivault.key`, (v) => withUnwrap({ with: { hashivault: { key: v } } }), ['a', 'pay.1-b'], ['', 'a/b', '.a', 1]], // prettier-ignore
  [`${at}.source.unwrap.with.aliyunkms`, (v) => withUnwrap({ with: { aliyunkms: v } }), [{ key: 'key-1' }], [null, {}, { key: 'a', version: 'b' }]], // prettier-ignore
  [`${at}.source.unwrap.with.aliyunkms.key`, (v) => withUnwrap({ with: { aliyunkms: { key: v } } }), ['key-1'], ['', 'alias/pay', 1]], // prettier-ignore
  [`${at}.source.unwrap.context`, (v) => withUnwrap({ context: v }), [{}, { credential: 'shop' }], [null, 'x', { 'a b': 'c' }, { a: '' }, { a: 1 }]], // prettier-ignore
  [`${at}.source.unwrap.allowPlain`, (v) => withUnwrap({ allowPlain: v }), [true, false, ['cert.pem']], [null, 'cert.pem', [], [''], [1]]], // prettier-ignore
  [`${at}.source.etcd.prefix`, (v) => withOrigin('etcd', { prefix: v }), ['a', '/a/b'], ['', 'a/', 1]],
  [
    `${at}.source.etcd.user`,
    (v) => withOrigin('etcd', { user: v }),
    [{ name: 'pay', passwordFile: '/p' }],
    [null, {}, { name: 'pay' }, 'pay'],
  ],
  [
    `${at}.source.fallback`,
    (v) => withCredential({ source: { fallback: v } }),
    [[{ secret: { name: 'a' } }, { files: { path: '/a' } }]],
    [[], [{ secret: { name: 'a' } }], null, new Array(9).fill({ files: { path: '/a' } })],
  ],
  [
    `${at}.source.staged`,
    (v) => withCredential({ source: { staged: v } }),
    [{ current: { files: { path: '/a' } }, next: { secret: { name: 'b' } }, activate: { percent: 5 } }],
    [null, [], {}, { current: { files: { path: '/a' } }, activate: { percent: 5 } }],
  ],
  [`${at}.source.staged.current`, (v) => withStaged({ current: v }), [{ files: { path: '/c' } }], [null, {}, { staged: {} }]], // prettier-ignore
  [`${at}.source.staged.next`, (v) => withStaged({ next: v }), [{ merge: [{ files: { path: '/c' } }] }], [null, {}]],
  [`${at}.source.staged.activate`, (v) => withStaged({ activate: v }), [{ percent: 1, of: 'pods' }, { percent: 1, of: 'requests' }], [null, {}, { of: 'pods' }]], // prettier-ignore
  [
    `${at}.source.staged.activate.at`,
    (v) => withStaged({ activate: { at: v } }),
    ['2026-12-01T02:00:00Z'],
    ['2026-12-01', '2026-13-01T02:00:00Z', '2026-12-01T02:00:00+08:00', 1],
  ],
  [
    `${at}.source.staged.canary`,
    (v) => withStaged({ canary: v }),
    [{}, { failurePercent: 5 }],
    [null, 1, { percent: 1 }],
  ],
  [`${at}.source.staged.canary.failurePercent`, (v) => withStaged({ canary: { failurePercent: v } }), [1, 100], [0, 101, '5']], // prettier-ignore
  [`${at}.source.staged.canary.minimumCalls`, (v) => withStaged({ canary: { minimumCalls: v } }), [1, 200], [0, 201, 1.5]], // prettier-ignore
  [
    `${at}.source.staged.activationFile`,
    (v) => withStaged({ activationFile: v }),
    ['/etc/paycert/pod/activations'],
    ['', '~/a', 1, null, []],
  ],
  [
    `${at}.source.staged.activate.percent`,
    (v) => withStaged({ activate: { percent: v } }),
    [0, 5, 100],
    [-1, 101, 0.5, '5', null],
  ],
  [
    `${at}.source.staged.activate.percent`,
    (v) => withStaged({ activate: { at: '2026-12-01T02:00:00Z', percent: v } }),
    [],
    [5],
  ],
  [
    `${at}.source.staged.activate.from`,
    (v) => withStaged({ activate: { from: v, steps: [{ percent: 5, for: '10m' }] } }),
    ['2026-12-01T02:00:00Z'],
    ['2026-12-01', '2026-13-01T02:00:00Z', 1, null],
  ],
  [`${at}.source.staged.activate.from`, (v) => withStaged({ activate: { percent: 5, from: v } }), [], ['2026-12-01T02:00:00Z']], // prettier-ignore
  [
    `${at}.source.staged.activate.steps`,
    (v) => withStaged({ activate: { from: '2026-12-01T02:00:00Z', steps: v } }),
    [[{ percent: 5, for: '10m' }], [{ percent: 5, for: '1h' }, { percent: 50, for: '1d' }]], // prettier-ignore
    [[], null, {}, [{ percent: 0, for: '1m' }], [{ percent: 5 }]],
  ],
  [`${at}.source.staged.activate.steps[0].percent`, (v) => withStaged({ activate: { from: '2026-12-01T02:00:00Z', steps: [{ percent: v, for: '1m' }] } }), [1, 100], [0, 101, '5']], // prettier-ignore
  [`${at}.source.staged.activate.steps[0].for`, (v) => withStaged({ activate: { from: '2026-12-01T02:00:00Z', steps: [{ percent: 5, for: v }] } }), ['10m'], ['0m', 'long', 1]], // prettier-ignore
  [`${at}.source.staged.activate.steps[1].percent`, (v) => withStaged({ activate: { from: '2026-12-01T02:00:00Z', steps: [{ percent: 5, for: '1m' }, { percent: v, for: '1m' }] } }), [5, 25], [4]], // prettier-ignore
  [
    `${at}.source.staged.activate.of`,
    (v) => withStaged({ activate: { percent: 5, of: v } }),
    ['pods', 'requests'],
    ['request', 1, null],
  ],
  [
    `${at}.source.staged.activate.of`,
    (v) => withStaged({ activate: { at: '2026-12-01T02:00:00Z', of: v } }),
    [],
    ['pods', 'requests'],
  ],
  [
    `${at}.source.merge`,
    (v) => withCredential({ source: { merge: v } }),
    [[{ files: { path: '/a' } }, { env: { keys } }]],
    [[], null, {}, new Array(17).fill({ files: { path: '/a' } })],
  ],
  [
    `${at}.source.merge[0]`,
    (v) => withCredential({ source: { merge: [v] } }),
    [],
    [{}, { files: { path: '/a' }, env: { keys } }],
  ],
  [
    `${at}.platformCertificates`,
    (v) => withCredential({ platformCertificates: v }),
    ['download', {}, { every: '3h' }, { secret: 'platform' }, { secret: 'platform', namespace: 'pay' }],
    [null, true, 'upload', { often: '3h' }, { secret: 'platform', every: '3h' }, { namespace: 'pay' }],
  ],
  [
    `${at}.platformCertificates.secret`,
    (v) => withCredential({ platformCertificates: { secret: v } }),
    ['platform', 'wechat.platform-2'],
    ['', 'A', 'a/b', 1, null],
  ],
  [
    `${at}.platformCertificates.namespace`,
    (v) => withCredential({ platformCertificates: { secret: 'platform', namespace: v } }),
    ['pay'],
    ['', 'a.b', 'A', 1, null],
  ],
  [
    `${at}.platformCertificates.every`,
    (v) => withCredential({ platformCertificates: { every: v } }),
    ['1h', '12h', '90m'],
    ['59m', '13h', '6', 6, null],
  ],
  [
    `${at}.platformCertificates`,
    (v) => withCredential({ provider: { pss: { appId: 'us' } }, platformCertificates: v }),
    [],
    ['download'],
  ],
  [
    `${at}.platformCertificates`,
    (v) =>
      withCredential({
        provider: { alipay: { appId: '2021000000000001', mode: 'certificate' } },
        platformCertificates: v,
      }),
    ['download', {}],
    [{ every: '3h' }, { secret: 'platform' }],
  ],
  [
    `${at}.platformCertificates`,
    (v) =>
      withCredential({ provider: { alipay: { appId: '2021000000000001', mode: 'key' } }, platformCertificates: v }),
    [],
    ['download'],
  ],
  [
    `${at}.check`,
    (v) => withCredential({ check: v }),
    ['live', {}, { within: '30m', otherwise: 'reject' }],
    [null, true, 'dead', { patience: '1m' }],
  ],
  [`${at}.check.within`, (v) => withCredential({ check: { within: v } }), ['0s', '10m'], ['10', 10, null, '']],
  [
    `${at}.check.otherwise`,
    (v) => withCredential({ check: { otherwise: v } }),
    ['accept', 'reject'],
    ['keep', true, null],
  ],
  [`${at}.check`, (v) => withCredential({ provider: { mtls: {} }, check: v }), [], ['live']],
  [
    `${at}.gateway`,
    (v) => withCredential({ platformCertificates: 'download', gateway: v }),
    [{}, { origin: 'https://apihk.mch.weixin.qq.com' }],
    [null, 'https://api.mch.weixin.qq.com', { url: 'x' }],
  ],
  [`${at}.gateway`, (v) => withCredential({ gateway: v }), [], [{}]],
  [
    `${at}.gateway.origin`,
    (v) => withCredential({ platformCertificates: 'download', gateway: { origin: v } }),
    ['https://api2.wechatpay.cn'],
    ['https://evil.example', 'http://api.mch.weixin.qq.com', 'api.mch.weixin.qq.com', 1],
  ],
  [
    `${at}.gateway.double`,
    (v) => withCredential({ platformCertificates: 'download', gateway: { double: v } }),
    ['http://127.0.0.1:9000'],
    ['127.0.0.1:9000', 'http://a.example/path', 1],
  ],
  [
    `${at}.platformCertificates`,
    (v) => withRoot({ credentials: [{ resource: 'a', platformCertificates: v }] }),
    ['download', { every: '3h' }],
    [null, { every: '13h' }],
  ],
  [
    `${at}.check`,
    (v) => withRoot({ credentials: [{ resource: 'a', check: v }] }),
    ['live', { within: '1h' }],
    [null, true],
  ],
  [
    `${at}.resource`,
    (v) => withRoot({ credentials: [{ resource: v }] }),
    ['wechat-main', 'x'.repeat(253)],
    ['', 'A', 'a/b', 1, null],
  ],
];

describe('the configuration schema', () => {
  for (const [field, set, accepted, refused] of table) {
    it(`accepts ${String(accepted.length)} and refuses ${String(refused.length)} forms of ${field}`, () => {
      for (const value of accepted) assert.ok(parseConfig(set(value)), JSON.stringify(value));
      for (const value of refused) {
        const expected = { code: 'config-invalid', kind: 'config' };
        assert.throws(() => parseConfig(set(value)), expected, JSON.stringify(value).slice(0, 80));
        try {
          parseConfig(set(value));
        } catch (error) {
          const { field: named = '' } = error as { field?: string };
          assert.ok(
            named === field || named.startsWith(`${field}.`) || named.startsWith(`${field}[`),
            `${named} for ${field}`,
          );
        }
      }
    });
  }

  it('is all in the table above', () => {
    const named = new Set(table.flatMap(([field]) => field.replaceAll(/\[0\]/g, '').split('.')));
    const properties = (schema: object): string[] =>
      Object.entries(schema).flatMap(([key, value]) => [
        ...(key === 'properties' ? Object.keys(value as object) : []),
        ...(typeof value === 'object' && value !== null ? properties(value as object) : []),
      ]);
    const missing = properties(ConfigSchema).filter((name) => !named.has(name) && name !== 'publicKeyPercent');
    assert.deepEqual(missing, []);
  });
});
