// Reviews without an API server: whatever is asked, something valid is said, no key is in it, and it does not end the process.
import assert from 'node:assert/strict';
import { createSecretKey, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { systemClock } from '../../../src/clock.ts';
import { checkValue } from '../../../src/crypto/check-value.ts';
import { PaycertError } from '../../../src/errors.ts';
import { Reviewer } from '../../../src/operator/admission/reviewer.ts';
import { ResourceKey } from '../../../src/operator/resource-key.ts';
import type { PaymentCredential, Status } from '../../../src/operator/resource.ts';
import { buildProvider } from '../../../src/running/build.ts';
import { snapshotId } from '../../../src/store/snapshot.ts';
import { createLog } from '../../../src/telemetry/log.ts';
import { mutate, mutation, toData } from '../../support/mutated-secrets.ts';
import { Recorder } from '../../support/recorder.ts';
import { makeMaterial } from '../../support/sidecar.ts';
import { merchantId, wechatpaySpec } from '../../support/operator.ts';

const key = new ResourceKey('PaymentCredential', 'pay', 'wechat-main');
const resource: PaymentCredential = {
  ...{ kind: 'PaymentCredential', namespace: 'pay', name: 'wechat-main', uid: '1', resourceVersion: '1' },
  ...{ generation: 1, spec: wechatpaySpec('keys'), status: undefined },
};

/** What is cached: one resource that names the Secret `keys`, which is there. */
const lookup = {
  isSynced: true,
  find: ({ name }: ResourceKey) => (name === key.name ? resource : undefined),
  findLabelled: () => undefined,
  resourcesOf: ({ name }: ResourceKey) => (name === 'keys' ? [key] : []),
  secret: () => undefined,
  secretState: () => 'listed' as const,
};

function makeReviewer(resource?: PaymentCredential, status?: Status) {
  const recorder = new Recorder();
  const lines: string[] = [];
  const log = createLog('debug', { write: (line: string) => void lines.push(line) }, () => new Date(0));
  const observe: Recorder['observe'] = (event) => {
    recorder.observe(event);
    log(event);
  };
  const found = { ...lookup, ...(resource && { find: () => resource, resourcesOf: () => [key] }) };
  const options = { lookup: found, statusOf: () => status, secretOptIn: false, clock: systemClock, observe };
  return { reviewer: new Reviewer(options), recorder, lines };
}

const review = (object: object, more: object = {}) => ({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request: {
    uid: '1',
    kind: { group: '', version: 'v1', kind: 'Secret' },
    namespace: 'pay',
    operation: 'CREATE',
    object: { metadata: { name: 'keys', labels: { 'paycert.dev/used-by': 'wechat-main' } }, ...object },
    oldObject: null,
    ...more,
  },
});

interface Said {
  readonly response: {
    readonly uid: string;
    readonly allowed: boolean;
    readonly status?: { readonly message: string };
    readonly warnings?: readonly string[];
    readonly auditAnnotations: Readonly<Record<string, string>>;
  };
}

const material = await makeMaterial();
const files = [...material.files].map(([name, bytes]) => [name, Buffer.from(bytes)] as const);

/** Pieces of every secret of the material: a line of a private key, and the APIv3 key. */
const secrets = files.flatMap(
  ([name, bytes]) =>
  name.includes('key') && !name.includes('pub') ? bytes.toString().split('\n').filter((line) => line.length >= 32 && !line.startsWith('-')) : [], // prettier-ignore
);

/** `PAYCERT_REVIEWS` asks for more of them; 10,000 take some minutes. */
const numRuns = Number(process.env['PAYCERT_REVIEWS'] ?? 300);

describe('a review', () => {
  it('of a mutated Secret is answered, and no key is in the response, the log or an event', { timeout: 900_000 }, async () => {
    const { reviewer, lines, recorder } = makeReviewer();
    assert.ok(secrets.length > 10);
    const outcomes = new Set<boolean>();
    await fc.assert(
      fc.asyncProperty(mutation, async (one) => {
        const said = await reviewer.review(review({ data: mutate(material.files, one) }), new AbortController().signal);
        const { response } = said as Said;
        outcomes.add(response.allowed);
        assert.equal(response.uid, '1');
        assert.equal(response.allowed, response.status === undefined);
        assert.ok((response.warnings ?? []).every((warning) => warning.length <= 256));
        const text = JSON.stringify([said, lines.splice(0), recorder.events.splice(0).map((event) => ({ ...event }))]);
        assert.ok(secrets.every((secret) => !text.includes(secret)), 'a key is shown');
      }),
      { numRuns },
    );
    assert.deepEqual([...outcomes].sort(), [false, true]);
  }); // prettier-ignore

  it('of the next of two staged Secrets refuses what a sidecar would not activate', async () => {
    const sets = { current: { secret: { name: 'other' } }, next: { secret: { name: 'keys' } } };
    const source = { staged: { ...sets, activate: { percent: 0 } } };
    const { reviewer } = makeReviewer({ ...resource, spec: wechatpaySpec('', { source }) });
    const ask = async (data: object) =>
      ((await reviewer.review(review({ data }), new AbortController().signal)) as Said).response;
    assert.equal((await ask(toData(files))).allowed, true);
    const refused = await ask(toData(files.filter(([name]) => name !== 'apiclient_key.pem')));
    assert.deepEqual([refused.allowed, refused.status?.message.includes('apiclient_key.pem')], [false, true]);
  });

  it('of anything else is refused as malformed', async () => {
    const { reviewer } = makeReviewer();
    const { signal } = new AbortController();
    const good = review({ data: toData(files) });
    const odd = [
      ...[null, 1, '', [], {}, { ...good, apiVersion: 'admission.k8s.io/v1beta1' }, { ...good, request: undefined }],
      ...[
        { operation: 'DELETE' },
        { uid: '' },
        { kind: { group: '', version: 'v1', kind: 'Pod' } },
        { object: null },
      ].map((more) => review({}, more)),
      // Also under a name that no API server lets through.
      ...['a', 'a\nb', '\u2028', ''].flatMap((name) => [
        review({ data: { [name]: 1 } }),
        review({ metadata: { annotations: { [name]: [] } } }),
      ]),
      review({ metadata: { labels: { a: {} } } }),
    ];
    for (const body of odd)
      await assert.rejects(reviewer.review(body, signal), { code: 'review-malformed' }, JSON.stringify(body));
    await fc.assert(
      fc.asyncProperty(fc.anything(), async (body) => {
        await assert.rejects(reviewer.review(body, signal), PaycertError);
      }),
    );
  });

  it('is refused while not everything is listed, so that the policy of the webhook decides', async () => {
    const recorder = new Recorder();
    const unready = { ...lookup, isSynced: false };
    const options = { lookup: unready, statusOf: () => undefined, secretOptIn: false, clock: systemClock };
    const reviewer = new Reviewer({ ...options, observe: recorder.observe });
    const { signal } = new AbortController();
    await assert.rejects(reviewer.review(review({ data: toData(files) }), signal), { code: 'review-unready' });
    assert.equal(recorder.of('reviewed')[0]!.outcome, 'failed');
  });

  it('of a Secret that many name holds up no review of another namespace, and ends when nobody waits any more', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `wechat-${String(index)}`);
    const keys = names.map((name) => new ResourceKey('PaymentCredential', 'crowd', name));
    let looked = 0;
    const crowded = {
      ...lookup,
      find: (one: ResourceKey) => ({ ...resource, name: one.name, namespace: one.namespace }),
      resourcesOf: ({ namespace }: ResourceKey) => (namespace === 'crowd' ? keys : [key]),
    };
    const statusOf = ({ namespace }: ResourceKey) => void (looked += Number(namespace === 'crowd'));
    const observe = () => undefined;
    const reviewer = new Reviewer({ lookup: crowded, statusOf, secretOptIn: false, clock: systemClock, observe });
    const gone = new AbortController();
    const ask = (namespace: string, signal: AbortSignal) =>
      reviewer.review(review({ data: toData(files) }, { namespace }), signal);
    const crowd = assert.rejects(ask('crowd', gone.signal), { code: 'caller-gone' });
    await ask('pay', new AbortController().signal);
    assert.ok(looked < names.length / 2, String(looked));
    gone.abort();
    await crowd;
    assert.ok(looked < names.length / 2 + 1, String(looked));
  });

  it('of a Secret with a new shared secret waits for no check value, and says no id of that set', async () => {
    const { reviewer } = makeReviewer();
    const ask = (data: Iterable<readonly [string, Uint8Array]>) =>
      reviewer.review(review({ data: toData(data) }), new AbortController().signal) as Promise<Said>;
    const apiV3Key = () => Buffer.from(randomBytes(16).toString('hex'));
    // Derived one after the other: whoever waits for the next one waits for all of these.
    const ahead = Promise.all(Array.from({ length: 8 }, () => checkValue(createSecretKey(randomBytes(32)))));
    const said: string[] = [];
    const changed = ask(new Map(files).set('apiv3_key', apiV3Key()));
    await Promise.all([changed.then(() => said.push('new')), ahead.then(() => said.push('derived'))]);
    assert.deepEqual(said, ['new', 'derived']);
    const { allowed, warnings, auditAnnotations } = (await changed).response;
    assert.equal(allowed, true);
    assert.match(warnings!.join(), /The apiv3 key is new and unproven/);
    assert.equal(auditAnnotations['snapshots'], undefined);
  });

  it('of a Secret whose shared secret was accepted says the id of its set, and no word of a new one', async () => {
    const { operations: _, ...context } = await buildProvider({ wechatpay: { merchantId } }).load(material.files);
    const keys = context.set.keys.map(({ role, keyId: id, algorithm, fingerprint }) => ({ role, id, algorithm, fingerprint })); // prettier-ignore
    const accepted = {
      snapshotId: snapshotId(context.set),
      capabilities: ['sign' as const],
      at: new Date(0).toISOString(),
    };
    const { reviewer } = makeReviewer(undefined, { accepted, keys } as unknown as Status);
    const { response } = (await reviewer.review(review({ data: toData(files) }), new AbortController().signal)) as Said;
    assert.equal(response.auditAnnotations['snapshots'], accepted.snapshotId);
    assert.equal(response.warnings, undefined);
  });

  it('of a Secret with a shared secret that may be the accepted one holds up no other review of its namespace', async () => {
    // What was accepted has keys that its status does not list.
    const { reviewer } = makeReviewer(undefined, { accepted: { snapshotId: 'other', capabilities: [] }, keys: [] } as unknown as Status); // prettier-ignore
    const ask = (data: Iterable<readonly [string, Uint8Array]>) =>
      reviewer.review(review({ data: toData(data) }), new AbortController().signal) as Promise<Said>;
    await ask(files);
    // Derived one after the other, so that what follows waits for a thread and not for the event loop.
    const ahead = Array.from({ length: 8 }, () => checkValue(createSecretKey(randomBytes(32))));
    const said: string[] = [];
    const changed = ask(new Map(files).set('apiv3_key', Buffer.from(randomBytes(16).toString('hex'))));
    await Promise.all([changed.then(() => said.push('new')), ask(files).then(() => said.push('known')), ...ahead]);
    assert.deepEqual(said, ['known', 'new']);
  });

  it('that nobody waits for any more is not begun', async () => {
    const { reviewer } = makeReviewer();
    const gone = AbortSignal.abort();
    await assert.rejects(reviewer.review(review({ data: toData(files) }), gone), { code: 'caller-gone' });
  });

  it('of a Secret without a user is stored, with a warning', async () => {
    const { reviewer } = makeReviewer();
    const metadata = { name: 'other', labels: { 'paycert.dev/used-by': 'wechat-main' } };
    const said = await reviewer.review(review({ metadata, data: {} }), new AbortController().signal);
    const { allowed, warnings } = (said as Said).response;
    assert.equal(allowed, true);
    assert.match(warnings!.join(), /No PaymentCredential in this namespace names this Secret/);
  });
});
