// The status is a function of spec, Secret, the status before and the time: the same again changes nothing.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ResourceSpec } from '../../../src/config/resource.ts';
import { errorTable, PaycertError } from '../../../src/errors.ts';
import type { SecretEvaluation } from '../../../src/operator/status/evaluate.ts';
import { soonestExpiry } from '../../../src/operator/status/expiry.ts';
import type { Key, PaymentCredential, Status } from '../../../src/operator/resource.ts';
import { type Evaluation, reasonOf } from '../../../src/operator/status/conditions.ts';
import { noticesOf } from '../../../src/operator/status/events.ts';
import { statusOf } from '../../../src/operator/status/status.ts';
import { readSecretFacts } from '../../../src/operator/secrets.ts';
import { kstatus } from '../../support/kstatus.ts';

const now = new Date('2026-03-01T00:00:00Z');
const day = 86_400_000;
const later = (milliseconds: number): Date => new Date(now.getTime() + milliseconds);
const spec: ResourceSpec = {
  provider: { wechatpay: { merchantId: '1900000001' } },
  source: { secret: { name: 'keys' } },
};
const key = (role: string, notAfter?: Date, id = role): Key => ({ role, id, algorithm: 'RSA-2048', fingerprint: 'f', ...(notAfter && { notAfter: notAfter.toISOString() }) }); // prettier-ignore

const secret = (over: Partial<SecretEvaluation> = {}): SecretEvaluation => ({
  secretResourceVersion: '5',
  revision: '5',
  snapshotId: 'a',
  keys: [key('merchant', later(365 * day))],
  signer: { keyId: 'merchant', notBefore: later(-day), notAfter: later(365 * day) },
  capabilities: ['sign'],
  abilities: { can: ['sign'], cannot: ['verify'], ignored: ['notes.txt'] },
  trust: [],
  formerFingerprints: new Map(),
  violations: [],
  deferredUntil: undefined,
  usableUntil: later(365 * day),
  createdAt: undefined,
  until: undefined,
  ...over,
});
const evaluation = (over: Partial<SecretEvaluation> = {}): Evaluation => ({
  spec,
  secret: secret(over),
  error: undefined,
});
const failing = (error: PaycertError): Evaluation => ({ spec, secret: undefined, error });
const resource = (status?: Status, generation = 1): PaymentCredential => ({ kind: 'PaymentCredential', namespace: 'pay', name: 'w', uid: 'u', resourceVersion: '1', generation, spec, status }); // prettier-ignore
const outcome = (status: Status, type: string) => {
  const { status: value, reason } = status.conditions.find((condition) => condition.type === type)!;
  return `${value} ${reason}`;
};
const mismatch = new PaycertError('key-mismatch', 'text');

describe('a status of a key that stays elsewhere', () => {
  it('is unknown, NotCheckedHere, and waits for nobody; what was accepted before stays', () => {
    const before = statusOf(resource(), evaluation(), now);
    const status = statusOf(resource(before), failing(new PaycertError('not-checked-here', 'text')), later(day));
    for (const type of ['Ready', 'Valid']) assert.equal(outcome(status, type), 'Unknown NotCheckedHere');
    assert.ok(!status.conditions.some(({ type }) => type === 'Reconciling' || type === 'Stalled'));
    assert.deepEqual([status.accepted, status.rejected], [before.accepted, undefined]);
  });
});

describe('a status', () => {
  it('is the same when nothing has changed, however much later', () => {
    const first = statusOf(resource(), evaluation(), now);
    assert.deepEqual(statusOf(resource(first), evaluation(), later(day)), first);
    const bad = statusOf(resource(first), evaluation({ violations: [mismatch] }), later(day));
    assert.deepEqual(statusOf(resource(bad), evaluation({ violations: [mismatch] }), later(2 * day)), bad);
    assert.deepEqual(JSON.parse(JSON.stringify(bad)), bad, 'and the same after the API server has kept it');
  });

  it('keeps since when a condition is what it is, also when the reason changes', () => {
    const first = statusOf(resource(), evaluation({ violations: [mismatch] }), now);
    const missing = new PaycertError('material-missing', 'text');
    const second = statusOf(resource(first), evaluation({ violations: [missing] }), later(day));
    assert.equal(outcome(second, 'Valid'), 'False MaterialMissing');
    assert.equal(second.conditions[1]?.lastTransitionTime, now.toISOString());
    assert.equal(second.rejected?.time, later(day).toISOString());
  });

  it('names what a requirement is taken out of: a field of the resource, or an annotation of a labelled Secret', () => {
    for (const [kind, expected] of [
      ['PaymentCredential', /out of spec\.require\.$/],
      ['Secret', /out of the annotation paycert\.dev\/require\.$/],
    ] as const) {
      const { conditions } = statusOf({ ...resource(), kind }, evaluation({ capabilities: [] }), now);
      assert.match(conditions.find(({ type }) => type === 'Ready')?.message ?? '', expected);
    }
  });

  it('remembers the last ten that were accepted, also one that comes back, and none that was rejected', () => {
    let status = statusOf(resource(), evaluation({ writer: { secret: 'keys', manager: 'kubectl' } }), now);
    assert.deepEqual(status.history, [
      { snapshotId: 'a', time: now.toISOString(), secretResourceVersion: '5', secret: 'keys', manager: 'kubectl', keyId: 'merchant' },
    ]); // prettier-ignore
    const bad = statusOf(resource(status), evaluation({ snapshotId: 'b', violations: [mismatch] }), later(day));
    assert.deepEqual(bad.history, status.history);
    const ids = ['b', 'a', ...Array.from({ length: 12 }, (_, index) => `c${String(index)}`)];
    for (const [index, snapshotId] of ids.entries())
      status = statusOf(resource(status), evaluation({ snapshotId }), later(index * day));
    assert.deepEqual(status.history?.map(({ snapshotId }) => snapshotId), ids.slice(-10).reverse()); // prettier-ignore
  });

  it('says what was accepted, and keeps it through everything that comes after', () => {
    const good = statusOf(resource(), evaluation(), now);
    for (const worse of [
      evaluation({ violations: [mismatch], snapshotId: 'b', secretResourceVersion: '6' }),
      failing(new PaycertError('object-missing', 'text')),
      failing(new PaycertError('cluster-forbidden', 'text')),
    ])
      assert.deepEqual(statusOf(resource(good), worse, later(day)).accepted, good.accepted);
  });

  it('says what the keys that were accepted can do and cannot, and which parts nothing reads', () => {
    const good = statusOf(resource(), evaluation(), now);
    const { can, cannot, ignored } = good.accepted!;
    assert.deepEqual({ can, cannot, ignored }, { can: ['sign'], cannot: ['verify'], ignored: ['notes.txt'] });
    const { accepted } = statusOf(resource(good), evaluation({ abilities: { can: ['sign', 'verify'] } }), later(day));
    assert.deepEqual([accepted?.can, accepted?.cannot, accepted?.ignored], [['sign', 'verify'], undefined, undefined]);
  });

  it('counts the same keys in a new version of the Secret as accepted since before', () => {
    const good = statusOf(resource(), evaluation(), now);
    const same = statusOf(resource(good), evaluation({ secretResourceVersion: '6' }), later(day));
    assert.deepEqual([same.accepted?.time, same.accepted?.secretResourceVersion], [now.toISOString(), '6']);
  });

  it('does not know what cannot be read, and knows what is not there', () => {
    const ready = (error: PaycertError) => outcome(statusOf(resource(), failing(error), now), 'Ready');
    assert.equal(ready(new PaycertError('cluster-forbidden', 'text')), 'Unknown ClusterForbidden');
    assert.equal(ready(new PaycertError('object-missing', 'text')), 'False SecretMissing');
    assert.equal(ready(new PaycertError('internal-error', 'text')), 'Unknown InternalError');
  });

  it('names every violation, the first as its reason', () => {
    const missing = new PaycertError('material-missing', 'apiv3_key is missing');
    const bad = statusOf(resource(), evaluation({ violations: [mismatch, missing] }), now);
    assert.equal(bad.rejected?.reason, 'KeyMismatch');
    assert.match(bad.rejected.message, /apiv3_key is missing/);
  });

  it('has for every error a reason as the API demands it', () => {
    for (const code of Object.keys(errorTable) as PaycertError['code'][])
      assert.match(reasonOf(new PaycertError(code, '')), /^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/);
  });
});

describe('each field of a status', () => {
  const names = (status: Status) => status.keys?.map(({ id }) => id);
  const set = (id: string, over: Partial<SecretEvaluation> = {}) =>
    evaluation({
      snapshotId: id,
      secretResourceVersion: id,
      keys: [key('merchant', later(365 * day), id)],
      signer: { keyId: id, notAfter: later(365 * day) },
      ...over,
    });
  const expired = new PaycertError('certificate-expired', 'text');
  const b = set('B', {
    keys: [key('merchant', later(-day), 'B')],
    signer: { keyId: 'B', notAfter: later(-day) },
    violations: [expired],
    createdAt: later(-900 * day),
  });
  const c = set('C', { keys: [], signer: undefined, violations: [new PaycertError('pem-malformed', 'text')] });
  const look = (before: Status | undefined, what: Evaluation) => statusOf(resource(before), what, now);
  const messageOf = ({ conditions }: Status, type: string) =>
    conditions.find((condition) => condition.type === type)?.message ?? '';

  it('is about what was accepted or what is stored: never about an earlier Secret that was rejected', () => {
    const accepted = look(undefined, set('A'));
    assert.deepEqual([accepted.keyId, names(accepted), accepted.keysOf], ['A', ['A'], 'Stored']);
    assert.equal(accepted.acceptedKeys, undefined, 'they are under keys');

    const second = look(accepted, b);
    assert.deepEqual([second.keyId, second.notAfter], ['A', later(365 * day).toISOString()], 'of what signs');
    assert.deepEqual([names(second), second.keysOf, outcome(second, 'Expiring')], [['B'], 'Stored', 'True Expired']);
    assert.deepEqual(second.acceptedKeys?.map(({ id }) => id), ['A']); // prettier-ignore

    const third = look(second, c);
    assert.deepEqual([third.keyId, third.notAfter], ['A', later(365 * day).toISOString()]);
    assert.deepEqual([names(third), third.keysOf, outcome(third, 'Expiring')], [['A'], 'Accepted', 'False ValidForLong']); // prettier-ignore
    assert.match(messageOf(third, 'Expiring'), /about what was accepted last/);
    assert.equal(third.createdAt, undefined, 'B was made then');
    assert.equal(third.rejected?.secretResourceVersion, 'C');

    const missing = look(second, failing(new PaycertError('object-missing', 'text')));
    assert.deepEqual([missing.keyId, names(missing), missing.keysOf], ['A', ['A'], 'Accepted']);
    const unknown = look(second, failing(new PaycertError('cluster-forbidden', 'text')));
    assert.deepEqual([names(unknown), unknown.keysOf, unknown.rejected], [['B'], 'Stored', second.rejected]);
    assert.deepEqual(names(look(unknown, c)), ['A']);
    assert.deepEqual(look(third, set('A')).accepted, { ...accepted.accepted, secretResourceVersion: 'A' });
  });

  it('is absent where nothing was accepted and nothing can be parsed', () => {
    const first = look(undefined, b);
    assert.deepEqual([first.keyId, first.notAfter, names(first)], [undefined, undefined, ['B']]);
    const second = look(first, c);
    assert.deepEqual([second.keyId, second.keys, second.keysOf], [undefined, undefined, undefined]);
    assert.equal(outcome(second, 'Expiring'), 'Unknown Unknown');
  });

  it('promises that the last good set stays current only where there is one', () => {
    for (const worse of [b, c, failing(new PaycertError('object-missing', 'text'))]) {
      assert.doesNotMatch(JSON.stringify(look(undefined, worse)), /last good|accepted before|keep/);
      assert.match(messageOf(look(look(undefined, set('A')), worse), 'Valid'), /keep what was accepted before/);
    }
  });
});

describe('kstatus, and with it Helm and Flux', () => {
  const computed = (what: Evaluation, more: Partial<ResourceSpec> = {}, before?: Status) =>
    kstatus({
      metadata: { generation: 1 },
      status: statusOf(resource(before), { ...what, ...(what.spec && { spec: { ...what.spec, ...more } }) }, now),
    });

  it('finds current what is ready', () => assert.equal(computed(evaluation()), 'Current'));

  it('finds failed what is rejected, lacks a capability, is suspended or invalid: nobody waits for it', () => {
    const invalid = { ...failing(new PaycertError('resource-invalid', 'text')), spec: undefined };
    for (const status of [
      computed(evaluation({ violations: [mismatch] })),
      computed(evaluation({ violations: [mismatch] }), {}, statusOf(resource(), evaluation(), now)),
      computed(evaluation({ capabilities: [] })),
      computed(evaluation(), { suspend: true }),
      computed(failing(new PaycertError('object-missing', 'text')), { suspend: true }),
      computed(invalid),
    ])
      assert.equal(status, 'Failed');
  });

  it('finds in progress what may become ready by itself: a Secret that is missing or cannot be read', () => {
    for (const code of ['object-missing', 'cluster-forbidden', 'secret-not-opted-in', 'internal-error'] as const)
      assert.equal(computed(failing(new PaycertError(code, 'text'))), 'InProgress', code);
    assert.equal(
      kstatus({ metadata: { generation: 2 }, status: statusOf(resource(), evaluation(), now) }),
      'InProgress',
    );
  });

  it('finds in progress what waits for its time', () => {
    const retryAt = later(day);
    const early = new PaycertError('certificate-not-yet-valid', 'text', { retryAt });
    assert.equal(computed(evaluation({ violations: [early], deferredUntil: retryAt })), 'InProgress');
  });

  it('repeats in no Event what Ready says', () => {
    const bad = statusOf(resource(), evaluation({ violations: [mismatch] }), now);
    const reasons = noticesOf('PaymentCredential', undefined, bad).map(({ reason }) => reason);
    assert.deepEqual(reasons, ['KeyMismatch']);
  });
});

describe('Exposed', () => {
  const copiedIn = (...annotations: string[]) => ({ secret: 'keys', annotations });

  it('is there only while an annotation of the Secret holds its keys, and gives the command that removes it', () => {
    const exposed = statusOf(
      resource(),
      { ...evaluation(), copiedIn: copiedIn('kubectl.kubernetes.io/last-applied-configuration') },
      now,
    );
    assert.equal(outcome(exposed, 'Exposed'), 'True LastAppliedConfiguration');
    assert.equal(outcome(exposed, 'Ready'), 'True Ready', 'it works');
    const command = 'kubectl -n pay annotate secret keys kubectl.kubernetes.io/last-applied-configuration-';
    assert.ok(exposed.conditions.find(({ type }) => type === 'Exposed')?.message.includes(command));
    const reasons = noticesOf('PaymentCredential', undefined, exposed).map(({ type, reason }) => `${type} ${reason}`);
    assert.deepEqual(reasons, ['Normal Accepted', 'Warning LastAppliedConfiguration']);
    const cured = statusOf(resource(exposed), evaluation(), now);
    assert.equal(
      cured.conditions.find(({ type }) => type === 'Exposed'),
      undefined,
    );
  });

  it('is about annotations with data, not about those of an empty Secret', () => {
    const copied = (applied: string) =>
      readSecretFacts({
        metadata: { name: 'k', annotations: { 'kubectl.kubernetes.io/last-applied-configuration': applied } },
      }).copiedIn;
    const found = ['kubectl.kubernetes.io/last-applied-configuration'];
    assert.deepEqual(copied('{"data":{"k":"aGV5"}}'), found);
    assert.deepEqual(copied('{"stringData":{"k":"hey"}}'), found);
    assert.deepEqual(copied('{"data":'), found, 'who knows what it holds');
    for (const harmless of ['{}', 'null', '{"data":null}', '{"data":{}}', '{"stringData":{}}'])
      assert.equal(copied(harmless), undefined, harmless);
  });

  it('names every annotation in which a tool keeps the Secret as it applied it, whatever the tool, and removes all of them', () => {
    const applied = '{"apiVersion":"v1","kind":"Secret","data":{"k":"aGV5"}}';
    const { copiedIn: found } = readSecretFacts({
      metadata: {
        name: 'keys',
        annotations: {
          'objectset.rio.cattle.io/applied': 'H4sIAAAAAAAA/4yQ',
          'kapp.k14s.io/original': applied,
          'banzaicloud.com/last-applied': 'UEsDBBQACAAI',
          'example.com/of-a-tool-that-nobody-knows': ` ${applied}`,
          'kubectl.kubernetes.io/last-applied-configuration': '{"kind":"Secret"}',
          'kapp.k14s.io/identity': 'v1;pay/Secret/keys;v1',
          'argocd.argoproj.io/tracking-id': 'shop:/Secret:pay/keys',
          'example.com/settings': '{"data":{"color":"blue"}}',
          'example.com/broken': '{"kind":"Secret","data":',
        },
      },
    });
    const names = ['banzaicloud.com/last-applied', 'example.com/of-a-tool-that-nobody-knows', 'kapp.k14s.io/original', 'objectset.rio.cattle.io/applied']; // prettier-ignore
    assert.deepEqual(found, names);
    const exposed = statusOf(resource(), { ...evaluation(), copiedIn: copiedIn(...names) }, now);
    assert.equal(outcome(exposed, 'Exposed'), 'True KeysInAnnotation');
    const { message = '' } = exposed.conditions.find(({ type }) => type === 'Exposed') ?? {};
    assert.ok(message.includes(`kubectl -n pay annotate secret keys ${names.map((name) => `${name}-`).join(' ')} .`));
    assert.doesNotMatch(message, /aGV5|H4sI/);
  });
});

describe('Overridden', () => {
  const breakGlass = later(day);
  const bad = evaluation({ violations: [mismatch] });
  const reasonsOf = (before: Status | undefined, after: Status) =>
    noticesOf('PaymentCredential', before, after).map(({ type, reason }) => `${type} ${reason}`);

  it('is there while a bad Secret is stored for its break-glass annotation, with an Event', () => {
    const overridden = statusOf(resource(), { ...bad, breakGlass }, now);
    assert.equal(outcome(overridden, 'Overridden'), 'True BreakGlass');
    assert.equal(outcome(overridden, 'Valid'), 'False KeyMismatch');
    assert.ok(reasonsOf(undefined, overridden).includes('Warning BreakGlass'));
    // Its time is over, and what is stored is still bad.
    const next = statusOf(resource(overridden), { ...bad, breakGlass }, later(2 * day));
    assert.equal(outcome(next, 'Overridden'), 'True BreakGlass');
    assert.deepEqual(reasonsOf(overridden, next), []);
    for (const better of [evaluation(), { ...evaluation(), breakGlass }, bad])
      assert.ok(!statusOf(resource(next), better, now).conditions.some(({ type }) => type === 'Overridden'));
  });

  it('has another Event for another time', () => {
    const first = statusOf(resource(), { ...bad, breakGlass }, now);
    const again = statusOf(resource(first), { ...bad, breakGlass: later(2 * day) }, later(day));
    assert.deepEqual(reasonsOf(first, again), ['Warning BreakGlass']);
  });

  it('is about what a review refuses: not about what waits for its time, or cannot be read', () => {
    const waiting = { violations: [mismatch], deferredUntil: later(day) };
    const unread = failing(new PaycertError('cluster-forbidden', 'text'));
    for (const one of [evaluation(waiting), unread, failing(new PaycertError('resource-invalid', 'text'))])
      assert.ok(
        !statusOf(resource(), { ...one, breakGlass }, now).conditions.some(({ type }) => type === 'Overridden'),
      );
    const refused = statusOf(resource(), { ...failing(new PaycertError('material-missing', 'text')), breakGlass }, now);
    assert.equal(outcome(refused, 'Overridden'), 'True BreakGlass');
  });
});

describe('a set that is good and not valid yet', () => {
  const until = later(10 * day);
  const early = new PaycertError('certificate-not-yet-valid', 'text', { retryAt: until });
  const waiting = evaluation({
    violations: [early],
    deferredUntil: until,
    snapshotId: 'b',
    secretResourceVersion: '6',
  });
  const good = statusOf(resource(), evaluation(), now);
  const deferredAfter = (accepted: Status['accepted'], spec: ResourceSpec = resource().spec as ResourceSpec) =>
    statusOf({ ...resource({ ...good, ...(accepted && { accepted }) }), spec }, { ...waiting, spec }, later(day));

  it('is deferred, and not rejected: when and why are in a condition of its own', () => {
    const status = statusOf(resource(good), waiting, later(day));
    assert.equal(status.rejected, undefined);
    assert.deepEqual(status.deferred, {
      snapshotId: 'b',
      secretResourceVersion: '6',
      time: later(day).toISOString(),
      until: until.toISOString(),
      reason: 'CertificateNotYetValid',
      isBridged: true,
    });
    assert.deepEqual(status.accepted, good.accepted);
    assert.equal(outcome(status, 'Deferred'), 'True CertificateNotYetValid');
    assert.match(status.conditions.find(({ type }) => type === 'Deferred')!.message, new RegExp(until.toISOString()));
    for (const type of ['Ready', 'Valid']) assert.equal(outcome(status, type), 'False Deferred');
  });

  it('is the same when nothing has changed, and while the Secret cannot be read', () => {
    const status = statusOf(resource(good), waiting, later(day));
    assert.deepEqual(statusOf(resource(status), waiting, later(2 * day)), status);
    const unread = statusOf(resource(status), failing(new PaycertError('cluster-forbidden', 'text')), later(2 * day));
    assert.deepEqual(unread.deferred, status.deferred);
    const gone = statusOf(resource(status), failing(new PaycertError('object-missing', 'text')), later(2 * day));
    assert.deepEqual([gone.deferred, outcome(gone, 'Deferred')], [undefined, 'False NotDeferred']);
  });

  it('asks for nobody only while what was accepted does what is required until its time', () => {
    const { accepted } = good;
    assert.ok(accepted);
    const isBridged = (...args: Parameters<typeof deferredAfter>) => deferredAfter(...args).deferred?.isBridged;
    assert.equal(isBridged({ ...accepted, until: until.toISOString() }), true, 'to the millisecond');
    assert.equal(isBridged({ ...accepted, until: new Date(until.getTime() - 1).toISOString() }), false);
    assert.equal(isBridged({ ...accepted, capabilities: [] }), false);
    assert.equal(isBridged(accepted, { ...spec, require: ['sign', 'decrypt'] }), false);
    assert.equal(statusOf(resource(), waiting, now).deferred?.isBridged, false, 'nothing was accepted');
    const { until: _, ...endless } = accepted;
    assert.equal(isBridged(endless), true, 'what was accepted never ends');
  });

  it('is one Event: Normal while what was accepted lasts, otherwise a Warning', () => {
    const of = (before: Status | undefined) =>
      noticesOf('PaymentCredential', before, statusOf(resource(before), waiting, later(day)))
        .filter(({ reason }) => reason !== 'ValidForLong')
        .map(({ type, reason }) => `${type} ${reason}`);
    assert.deepEqual(of(good), ['Normal Deferred']);
    assert.deepEqual(of(undefined), ['Warning Deferred']);
    const status = statusOf(resource(good), waiting, later(day));
    assert.deepEqual(noticesOf('PaymentCredential', status, statusOf(resource(status), waiting, later(2 * day))), []);
  });

  it('ends with the set accepted', () => {
    const status = statusOf(resource(good), waiting, later(day));
    const valid = evaluation({ snapshotId: 'b', secretResourceVersion: '6' });
    const current = statusOf(resource(status), valid, until);
    assert.deepEqual([current.deferred, current.accepted?.snapshotId], [undefined, 'b']);
    assert.equal(outcome(current, 'Deferred'), 'False NotDeferred');
    assert.equal(outcome(current, 'Ready'), 'True Ready');
  });
});

describe('Expiring', () => {
  const at = (moment: Date, keys: readonly Key[]) =>
    outcome(statusOf(resource(), evaluation({ keys }), moment), 'Expiring');

  it('begins 30 days before, to the millisecond, and ends in Expired', () => {
    const end = later(100 * day);
    const keys = [key('merchant', end)];
    assert.equal(at(new Date(end.getTime() - 30 * day - 1), keys), 'False ValidForLong');
    assert.equal(at(new Date(end.getTime() - 30 * day), keys), 'True ExpiresSoon');
    assert.equal(at(new Date(end.getTime() - 1), keys), 'True ExpiresSoon');
    assert.equal(at(end, keys), 'True Expired');
  });

  it('looks at the last key of each role, and not at retired ones', () => {
    const keys = [
      key('merchant', later(200 * day)),
      key('platform', later(day), 'old'),
      key('platform', later(300 * day), 'new'),
      key('merchant-retired', later(-day)),
      key('apiv3'),
    ];
    assert.equal(soonestExpiry(keys)?.at.getTime(), later(200 * day).getTime());
    assert.equal(at(now, keys), 'False ValidForLong');
  });

  it('looks at the first certificate that is presented in TLS: each pair may be the only one that a peer sees', () => {
    for (const role of ['tls', 'tls-intermediate']) {
      const keys = [key(role, later(300 * day), 'long'), key(role, later(5 * day), 'short')];
      for (const order of [keys, keys.toReversed()]) {
        assert.equal(soonestExpiry(order)?.key.id, 'short');
        assert.equal(at(now, order), 'True ExpiresSoon');
      }
    }
  });

  it('calls the end of a key by its name', () => {
    const messageOf = (role: string) =>
      statusOf(resource(), evaluation({ keys: [key(role, later(day))] }), now).conditions.find(
        ({ type }) => type === 'Expiring',
      )?.message ?? '';
    assert.match(messageOf('merchant'), /^The certificate of the merchant key /);
    assert.match(messageOf('access-key'), /^The security token of the access-key key /);
  });

  it('is False for keys that never expire, and Unknown without keys', () => {
    assert.equal(at(now, [key('apiv3')]), 'False NeverExpires');
    assert.equal(at(now, []), 'Unknown Unknown');
  });
});
