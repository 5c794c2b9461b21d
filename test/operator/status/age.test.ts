// TooOld: a function of what is stored, the status before and the time. Age begins once, and a key that is too old still works.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ResourceSpec } from '../../../src/config/resource.ts';
import { PaycertError } from '../../../src/errors.ts';
import type { SecretEvaluation } from '../../../src/operator/status/evaluate.ts';
import { noticesOf } from '../../../src/operator/status/events.ts';
import type { Key, PaymentCredential, Status } from '../../../src/operator/resource.ts';
import { statusOf } from '../../../src/operator/status/status.ts';
import { readCreatedAt } from '../../../src/providers/shared/created-at.ts';

const now = new Date('2026-03-01T00:00:00Z');
const day = 86_400_000;
const later = (days: number, milliseconds = 0): Date => new Date(now.getTime() + days * day + milliseconds);
const spec: ResourceSpec = { provider: { wechatpay: { merchantId: '1900000001' } }, source: { secret: { name: 'k' } } };
const key = (role: string, id = role, notAfter?: Date): Key => ({ role, id, algorithm: 'text', fingerprint: id, ...(notAfter && { notAfter: notAfter.toISOString() }) }); // prettier-ignore
const merchant = key('merchant', 'M', later(1000));

interface Situation {
  readonly keys?: readonly Key[];
  readonly spec?: Partial<ResourceSpec>;
  readonly createdAt?: SecretEvaluation['createdAt'];
  readonly formerFingerprints?: SecretEvaluation['formerFingerprints'];
}

function look(
  at: Date,
  previous: Status | undefined,
  { keys = [merchant, key('apiv3', 'A')], ...more }: Situation = {},
) {
  const resource: PaymentCredential = { kind: 'PaymentCredential', namespace: 'pay', name: 'w', uid: 'u', resourceVersion: '1', generation: 1, spec, status: previous }; // prettier-ignore
  const secret: SecretEvaluation = {
    secretResourceVersion: '5',
    revision: '5',
    snapshotId: keys.map(({ id }) => id).join('-'),
    keys,
    signer: { keyId: 'M' },
    capabilities: ['sign'],
    abilities: { can: ['sign'] },
    trust: [],
    formerFingerprints: more.formerFingerprints ?? new Map(),
    violations: [],
    deferredUntil: undefined,
    usableUntil: undefined,
    createdAt: more.createdAt,
    until: undefined,
  };
  return statusOf(resource, { spec: { ...spec, ...more.spec }, secret, error: undefined }, at);
}

function fail(
  at: Date,
  previous: Status | undefined,
  error: PaycertError,
  read: ResourceSpec | undefined = spec,
): Status {
  const resource: PaymentCredential = { kind: 'PaymentCredential', namespace: 'pay', name: 'w', uid: 'u', resourceVersion: '1', generation: 1, spec, status: previous }; // prettier-ignore
  return statusOf(resource, { spec: read, secret: undefined, error }, at);
}

const conditionOf = (status: Status) => status.conditions.find(({ type }) => type === 'TooOld')!;
const outcome = (status: Status) => `${conditionOf(status).status} ${conditionOf(status).reason}`;
const replaceBy = (status: Status, id = 'A') => status.keys?.find((one) => one.id === id)?.replaceBy;

describe('TooOld', () => {
  it('begins 90 days after a secret was first seen, to the millisecond', () => {
    const first = look(now, undefined);
    assert.equal(replaceBy(first), later(90).toISOString());
    assert.equal(outcome(look(later(90, -1), first)), 'False KeyYoungEnough');
    const old = look(later(90), first);
    assert.equal(outcome(old), 'True KeyTooOld');
    assert.match(conditionOf(old).message, /^Key A \(apiv3\) has been older than maxAge since 2026-05-30T/);
  });

  it('takes nothing away: what is too old is as ready and valid as before', () => {
    const old = look(later(500), look(now, undefined));
    for (const type of ['Ready', 'Valid'])
      assert.equal(old.conditions.find((condition) => condition.type === type)?.status, 'True');
  });

  it('follows maxAge as it is, in both directions', () => {
    const first = look(now, undefined);
    const short = look(later(40), first, { spec: { maxAge: '30d' } });
    assert.deepEqual([outcome(short), replaceBy(short)], ['True KeyTooOld', later(30).toISOString()]);
    assert.equal(outcome(look(later(40), short, { spec: { maxAge: '365d' } })), 'False KeyYoungEnough');
  });

  it('is False for certificates alone, which end by themselves, unless maxAge asks for it', () => {
    const certificates = { keys: [merchant, key('platform', 'P', later(9))] };
    const first = look(now, undefined, certificates);
    assert.equal(outcome(first), 'False NoMaxAge');
    assert.equal(outcome(look(later(900), first, certificates)), 'False NoMaxAge');
    const asked = look(later(90), first, { ...certificates, spec: { maxAge: '30d' } });
    assert.equal(outcome(asked), 'True KeyTooOld', 'and it has been known since the beginning');
    assert.deepEqual([replaceBy(asked, 'M'), replaceBy(asked, 'P')], [later(30).toISOString(), undefined]);
  });

  it('speaks of the key that is to be replaced first', () => {
    const two = [key('aes', 'E'), key('hmac', 'H')];
    const status = look(later(10), look(now, undefined, { keys: two.slice(1) }), { keys: two });
    assert.match(conditionOf(status).message, /^First to be replaced is key H \(hmac\), by 2026-05-30T/);
  });

  it('does not know of keys that nobody has seen', () => {
    assert.equal(outcome(fail(now, undefined, new PaycertError('object-missing', 'text'))), 'Unknown Unknown');
  });
});

describe('the beginning of an age', () => {
  it('survives everything: another look, a renewed certificate, a Secret that is gone, unreadable or does not parse', () => {
    const first = look(now, undefined);
    let status = look(later(1), first);
    assert.deepEqual(status, first, 'the same again changes nothing');
    status = look(later(2), status, { keys: [key('merchant', 'M2', later(2000)), key('apiv3', 'A')] });
    for (const code of ['object-missing', 'cluster-forbidden', 'internal-error'] as const)
      status = fail(later(3), status, new PaycertError(code, 'text'));
    status = look(later(4), status, { keys: [] });
    status = fail(later(5), status, new PaycertError('resource-invalid', 'text'), undefined);
    assert.equal(replaceBy(status), later(90).toISOString());
    assert.equal(outcome(look(later(90), status)), 'True KeyTooOld');
    assert.equal(outcome(fail(later(90), status, new PaycertError('object-missing', 'text'))), 'True KeyTooOld');
  });

  it('is that of the key, so that a rollback to an older one is no younger than it was', () => {
    let status = look(now, undefined);
    status = look(later(80), status, { keys: [merchant, key('apiv3', 'B')] });
    assert.equal(replaceBy(status, 'B'), later(170).toISOString());
    status = look(later(95), status);
    assert.equal(outcome(status), 'True KeyTooOld');
  });

  it('is that of each key: the one that was replaced counts no more', () => {
    const status = look(later(89), look(now, undefined), {
      keys: [merchant, key('apiv3', 'B'), key('apiv3-previous', 'A')],
    });
    assert.equal(outcome(look(later(95), status, { keys: [merchant, key('apiv3', 'B'), key('apiv3-previous', 'A')] })), 'False KeyYoungEnough'); // prettier-ignore
  });

  it('is when it was made, where the Secret says so, also while it cannot be read; never later than it was seen', () => {
    const made = look(now, undefined, { createdAt: later(-80) });
    assert.deepEqual([made.createdAt, replaceBy(made)], [later(-80).toISOString(), later(10).toISOString()]);
    assert.match(conditionOf(made).message, /It was made, as the Secret says, at 2025-12-11T/);
    const gone = fail(later(10), made, new PaycertError('object-missing', 'text'));
    assert.deepEqual([outcome(gone), gone.createdAt], ['True KeyTooOld', made.createdAt]);
    assert.equal(replaceBy(look(now, undefined, { createdAt: later(5) })), later(90).toISOString());
    const corrected = look(later(1), made);
    assert.deepEqual([corrected.createdAt, replaceBy(corrected)], [undefined, later(90).toISOString()]);
  });

  it('is when it was seen, where what the Secret says is no time, and the condition says so', () => {
    const status = look(now, undefined, { createdAt: readCreatedAt('some day', 'created_at') });
    assert.deepEqual([status.createdAt, replaceBy(status)], [undefined, later(90).toISOString()]);
    assert.match(conditionOf(status).message, /created_at is no time of RFC 3339, and is ignored\. Write the day/);
    assert.deepEqual(look(later(1), status, { createdAt: readCreatedAt('some day', 'created_at') }), status);
  });
});

describe('a status that an earlier version wrote', () => {
  const keys = [merchant, key('apiv3', 'slow')];
  const formerFingerprints = new Map([['slow', 'A']]);

  it('makes no key younger: a fingerprint that is derived otherwise now takes its time over, and the former goes', () => {
    const before = look(now, undefined);
    const after = look(later(80), before, { keys, formerFingerprints });
    assert.equal(replaceBy(after, 'slow'), later(90).toISOString());
    assert.equal(outcome(look(later(90), after, { keys, formerFingerprints })), 'True KeyTooOld');
    const fingerprints = after.firstSeen?.map(({ fingerprint }) => fingerprint);
    assert.deepEqual(fingerprints, ['M', 'slow']);
    assert.ok(!JSON.stringify(after).includes('"A"'));
  });

  it('keeps the age of a key that had gone before, for when it comes back', () => {
    let status = look(now, undefined);
    status = look(later(10), status, { keys: [merchant, key('apiv3', 'B')] });
    status = look(later(20), status, { keys, formerFingerprints });
    assert.equal(replaceBy(status, 'slow'), later(90).toISOString());
  });
});

describe('the Event of an age', () => {
  it('is one warning when the key becomes too old, and none before or after', () => {
    const first = look(now, undefined);
    const old = look(later(90), first);
    const reasons = (before: Status | undefined, after: Status) => noticesOf('PaymentCredential', before, after).map(({ type, reason }) => `${type} ${reason}`); // prettier-ignore
    assert.deepEqual(reasons(undefined, first), ['Normal Accepted']);
    assert.deepEqual(reasons(first, old), ['Warning KeyTooOld']);
    assert.deepEqual(reasons(old, look(later(91), old)), []);
    const replaced = look(later(92), old, { keys: [merchant, key('apiv3', 'B')] });
    assert.deepEqual(reasons(old, replaced), ['Normal Accepted']);
  });
});
