// Header names are one header in whatever case they come; addresses and lines of text stay as written.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  defaultHeaders,
  header,
  hostOf,
  lines,
  linesAround,
  pathAndQuery,
  signedHost,
  splitUrl,
  withHeaders,
  withoutHeaders,
} from '../../../src/providers/shared/http.ts';
import { refusal } from '../../support/wechatpay.ts';

describe('lines of a text', () => {
  it('each end in a line feed, the body among them as well', () => {
    assert.equal(lines(['a', '']).toString(), 'a\n\n');
    assert.equal(linesAround(Buffer.from('b\nb'), ['a'], ['c']).toString(), 'a\nb\nb\nc\n');
  });

  it('hold no line break of their own', () => {
    assert.throws(() => lines(['a\nb']), refusal('request-invalid'));
    assert.throws(() => linesAround(Buffer.alloc(0), ['a'], ['c\n']), refusal('request-invalid'));
  });
});

describe('an address', () => {
  it('is signed as its path and query as written, never its host or its fragment', () => {
    const cases = {
      'https://api.mch.weixin.qq.com/v3/certificates?a=1#top': '/v3/certificates?a=1',
      'HTTPS://user@host:8443/a//b/../c': '/a//b/../c',
      'https://api.mch.weixin.qq.com': '/',
      'https://api.mch.weixin.qq.com?a=1': '/?a=1',
      'https://api.mch.weixin.qq.com#a': '/',
      '/v3/x?next=https://host/y%23': '/v3/x?next=https://host/y%23',
      '/v3/x?': '/v3/x?',
      '/v3/x#a?b': '/v3/x',
    };
    for (const [url, expected] of Object.entries(cases)) assert.equal(pathAndQuery(url), expected);
  });

  it('is refused where it is neither absolute nor a path: something else would be signed than is sent', () => {
    for (const url of ['', 'v3/x', 'mailto:x', '?a=1', '#x', 'https:/api/x', 'api.mch.weixin.qq.com/v3/a', 'ftp://a/b'])
      assert.throws(() => pathAndQuery(url), { code: 'request-invalid', field: 'url' }, url);
  });

  it('is split as written, without its fragment', () => {
    assert.deepEqual(splitUrl('https://h:8/a%20b?c=d?e#f'), { origin: 'https://h:8', path: '/a%20b', query: 'c=d?e' });
    assert.deepEqual(splitUrl('/a'), { origin: '', path: '/a', query: '' });
    assert.deepEqual(splitUrl('https://h?a'), { origin: 'https://h', path: '/', query: 'a' });
  });

  it('names its host without the port that its scheme has anyway', () => {
    assert.equal(hostOf('https://ecs.aliyuncs.com:443/x'), 'ecs.aliyuncs.com');
    assert.equal(hostOf('https://ecs.aliyuncs.com:8443/x'), 'ecs.aliyuncs.com:8443');
    assert.equal(hostOf('/x'), undefined);
    assert.equal(hostOf('https://'), undefined);
  });
});

describe('the host that is signed', () => {
  it('is the one that is sent: of the address, or of the header where the address names none or the same', () => {
    assert.equal(signedHost('https://ecs.aliyuncs.com/x', {}), 'ecs.aliyuncs.com');
    assert.equal(signedHost('/x', { host: 'ecs.aliyuncs.com' }), 'ecs.aliyuncs.com');
    assert.equal(signedHost('https://ecs.aliyuncs.com/x', { HOST: 'ECS.aliyuncs.com' }), 'ECS.aliyuncs.com');
  });

  it('is refused where there is none, or two', () => {
    assert.throws(() => signedHost('/x', {}), { code: 'request-invalid', field: 'url' });
    assert.throws(() => signedHost('https://10.0.0.1/x', { Host: 'ecs.aliyuncs.com' }), {
      code: 'request-invalid',
      field: 'headers.host',
    });
  });
});

describe('a header', () => {
  it('is found in any case and trimmed', () => {
    assert.equal(header({ 'WECHATPAY-Nonce': ' a b\t' }, 'wechatpay-nonce'), 'a b');
    assert.equal(header({ other: 'x' }, 'wechatpay-nonce'), undefined);
  });

  it('is left out in every case that it is written in', () => {
    assert.deepEqual(withoutHeaders({ A: '1', a: '2', B: '3' }, ['a']), { B: '3' });
  });

  it('of ours replaces what the caller wrote in another case', () => {
    assert.deepEqual(withHeaders({ ACCEPT: 'a', B: '3' }, { Accept: 'b' }), { B: '3', Accept: 'b' });
  });

  it('that platforms require is added only where it is missing, its type only beside a body', () => {
    const body = Buffer.from('{}');
    assert.deepEqual(defaultHeaders({}, body), {
      Accept: 'application/json',
      'User-Agent': 'paycert',
      'Content-Type': 'application/json',
    });
    assert.deepEqual(defaultHeaders({ ACCEPT: '*/*', 'user-AGENT': 'y' }, Buffer.alloc(0)), {});
  });
});
