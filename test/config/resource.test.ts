// What a PaymentCredential says: the source of its keys, of one Secret or of two, since when it is suspended, and what an entry that names it says beside it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { credentialOf, parseSpec, suspendedSince, toCredential, withSets } from '../../src/config/resource.ts';
import { PaycertError } from '../../src/errors.ts';

const write = (time: string, spec: object) => ({ time, fieldsV1: { 'f:spec': spec } });
const metadata = {
  name: 'wechat-main',
  creationTimestamp: '2026-01-01T00:00:00Z',
  managedFields: [
    write('2026-03-03T00:00:00Z', { 'f:provider': {} }),
    write('2026-02-02T00:00:00Z', { 'f:suspend': {} }),
    { time: '2026-04-04T00:00:00Z', subresource: 'status', fieldsV1: { 'f:status': {} } },
  ],
};

describe('a PaymentCredential', () => {
  it('is suspended since its suspension was written, whatever is written beside it', () => {
    assert.deepEqual(suspendedSince({ spec: { suspend: true }, metadata }), new Date('2026-02-02T00:00:00Z'));
  });

  it('is suspended since it was made when nobody owns its suspension', () => {
    const { managedFields: _, ...made } = metadata;
    assert.deepEqual(suspendedSince({ spec: { suspend: true }, metadata: made }), new Date('2026-01-01T00:00:00Z'));
  });

  it('that is not suspended says nothing of it', () => {
    for (const spec of [undefined, {}, { suspend: false }, { suspend: 'yes' }])
      assert.equal(suspendedSince({ spec, metadata }), undefined);
  });
});

describe('an entry that names a PaymentCredential', () => {
  const spec = { provider: { wechatpay: { merchantId: '1900000001' } }, source: { secret: { name: 'wechat' } } };

  it('is the credential of the resource, under its name, where nothing else is said', () => {
    assert.deepEqual(credentialOf({ resource: 'wechat-main' }, spec), { name: 'wechat-main', ...spec });
  });

  it('says what concerns this process alone: its name, readiness, downloads and checks', () => {
    const own = { required: true, platformCertificates: 'download', check: { otherwise: 'reject' } } as const;
    const entry = { resource: 'wechat-main', name: 'shop', namespace: 'pay', ...own };
    const source = { secret: { name: 'wechat', namespace: 'pay' } };
    assert.deepEqual(credentialOf(entry, spec), { name: 'shop', provider: spec.provider, source, ...own });
  });

  it('reads the platform certificates that the operator downloads where it writes them, unless it downloads them itself', () => {
    const downloaded = { ...spec, platformCertificates: { secret: 'platform', every: '3h' } };
    const read = (entry: object) =>
      credentialOf({ resource: 'wechat-main', ...entry }, downloaded).platformCertificates;
    assert.deepEqual(read({}), { secret: 'platform' });
    assert.deepEqual(read({ namespace: 'pay' }), { secret: 'platform', namespace: 'pay' });
    assert.equal(read({ platformCertificates: 'download' }), 'download');
  });
});

const provider = { wechatpay: { merchantId: '1900000001' } };
const sets = { current: { secret: { name: 'keys' } }, next: { secret: { name: 'next', keys: { a: 'b' } } } };
const staged = (activate: object, more: object = {}) => ({
  provider,
  source: { staged: { ...sets, activate, ...more } },
});

function faultsOf(spec: unknown): string[] {
  try {
    parseSpec(spec);
    return [];
  } catch (error) {
    assert.ok(error instanceof PaycertError);
    return [error, ...error.others].map(({ message }) => message);
  }
}

describe('a PaymentCredential with two Secrets', () => {
  it('is one of paycert.yaml with two sets', () => {
    const spec = parseSpec(staged({ percent: 5, of: 'pods' }));
    assert.deepEqual(toCredential('wechat-main', spec).source, {
      staged: { ...sets, activate: { percent: 5, of: 'pods' } },
    });
    const mounted = withSets(spec.source, ({ name }, set) => ({ files: { path: `/${set}/${name}` } }));
    assert.deepEqual(mounted.staged?.next, { files: { path: '/next/next' } });
    assert.deepEqual(
      withSets({ secret: { name: 'keys' } }, (secret) => ({ secret })),
      { secret: { name: 'keys' } },
    );
  });

  for (const [what, spec, expected] of [
    [
      'one Secret beside them',
      { provider, source: { ...staged({ percent: 0 }).source, secret: { name: 'k' } } },
      /^spec\.source /,
    ],
    ['no activation', staged({}), /^spec\.source\.staged\.activate needs at, percent or steps/],
    ['a time and a share', staged({ at: '2026-12-01T02:00:00Z', percent: 1 }), /percent stands beside at: give one/],
    ['a time that is none', staged({ at: '2026-13-41T02:00:00Z' }), /activate\.at is no time/],
    [
      'one set twice',
      staged({ percent: 0 }, { next: sets.current }),
      /^spec\.source\.staged\.next is the same as current/,
    ],
    ['files', staged({ percent: 0 }, { next: { files: { path: '/etc' } } }), /^spec\.source\.staged\.next/],
    ['another namespace', staged({ percent: 0 }, { next: { secret: { name: 'a', namespace: 'b' } } }), /namespace/],
  ] as const)
    it(`is refused with ${what}`, () => assert.match(faultsOf(spec)[0] ?? '', expected));
});

describe('a PaymentCredential whose platform certificates the operator downloads', () => {
  const downloading = (platformCertificates: object, more: object = {}) => ({
    ...{ provider, source: { secret: { name: 'keys' } }, platformCertificates },
    ...more,
  });

  it('names the Secret that they are written into', () => {
    assert.deepEqual(faultsOf(downloading({ secret: 'platform' })), []);
    assert.deepEqual(faultsOf(downloading({ secret: 'platform', every: '12h' })), []);
  });

  const pss = { provider: { pss: { appId: 'us' } } };
  for (const [what, spec, expected] of [
    ['no Secret', downloading({}), /^spec\.platformCertificates\.secret is missing/],
    ['the word of paycert.yaml', downloading('download' as never), /^spec\.platformCertificates /],
    ['the merchant’s own Secret', downloading({ secret: 'keys' }), /secret is a Secret of the merchant’s own keys/],
    ['one of two staged', { ...staged({ percent: 0 }), platformCertificates: { secret: 'next' } }, /own keys/],
    ['another namespace', downloading({ secret: 'platform', namespace: 'pay' }), /namespace/],
    ['every hour but one', downloading({ secret: 'platform', every: '59m' }), /every is not from 1h to 12h/],
    ['a platform that lists none', downloading({ secret: 'platform' }, pss), /lists no certificates/],
  ] as const)
    it(`is refused with ${what}`, () => assert.match(faultsOf(spec)[0] ?? '', expected));
});
