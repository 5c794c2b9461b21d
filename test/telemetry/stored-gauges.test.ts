// What an operator shows of stored keys: of several of a role, the one that counts.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { storedGauges, type StoredCredential } from '../../src/telemetry/stored-gauges.ts';

const credential = (keys: StoredCredential['keys']): StoredCredential => ({
  kind: 'PaymentCredential',
  namespace: 'pay',
  name: 'w',
  conditions: [],
  keys,
});
const read = (row: keyof typeof storedGauges, keys: StoredCredential['keys']) => [
  ...storedGauges[row].read({ credentials: () => [credential(keys)], queueLength: () => 0, writeFailures: () => [] }),
];
const sample = (role: string, value: number) => ({ credential_namespace: 'pay', kind: 'PaymentCredential', credential: 'w', role, value }); // prettier-ignore

describe('of stored keys', () => {
  const keysOf = (role: string) =>
    ['1970-01-02T00:00:00Z', '1970-01-03T00:00:00Z', '1970-01-02T00:00:00Z'].map((time) => ({
      role,
      id: '5157',
      notAfter: time,
      replaceBy: time,
    }));

  it('the certificate that lasts longest counts, and the key that is to be replaced first', () => {
    const keys = keysOf('platform');
    const at = (row: keyof typeof storedGauges) => read(row, keys);
    assert.deepEqual(at('paycert_stored_certificate_not_after_timestamp_seconds'), [sample('platform', 172_800)]);
    assert.deepEqual(at('paycert_stored_key_replace_by_timestamp_seconds'), [sample('platform', 86_400)]);
  });

  it('the first certificate to expire counts of those that are presented in TLS', () => {
    for (const role of ['tls', 'tls-intermediate'])
      assert.deepEqual(read('paycert_stored_certificate_not_after_timestamp_seconds', keysOf(role)), [
        sample(role, 86_400),
      ]);
  });

  it('one without an end, or without an age, has no series', () => {
    for (const row of [
      'paycert_stored_certificate_not_after_timestamp_seconds',
      'paycert_stored_key_replace_by_timestamp_seconds',
    ] as const)
      assert.deepEqual(read(row, [{ role: 'apiv3', id: '98e6' }]), []);
  });
});

describe('the texts of alerts', () => {
  it('find each key once, by what names it, and no secret', () => {
    const keys = ['1', '1', '2'].map((id) => ({ role: 'platform', id }));
    const found = ['1', '2'].map((id) => ({ ...sample('platform', 1), key_id: id }));
    assert.deepEqual(read('paycert_stored_key_info', keys), found);
    const secret = ['apiv3', 'access-key', 'of-another-version'].map((role) => ({ role, id: '98e6' }));
    assert.deepEqual(read('paycert_stored_key_info', secret), []);
  });

  it('find since when a credential is suspended, and nothing while it is not', () => {
    const { read: since } = storedGauges.paycert_stored_suspended_since_timestamp_seconds;
    const values = (more: object) => [
      ...since({ credentials: () => [{ ...credential([]), ...more }], queueLength: () => 0, writeFailures: () => [] }),
    ];
    assert.deepEqual(values({}), []);
    assert.deepEqual(
      values({ suspendedSince: new Date(60_000) }).map(({ value }) => value),
      [60],
    );
  });
});

describe('of a stored set that waits for its time', () => {
  it('there is when it becomes current, and whether somebody must act until then; of any other, nothing', () => {
    const { read: until } = storedGauges.paycert_stored_deferred_until_timestamp_seconds;
    const values = (deferred?: StoredCredential['deferred']) => {
      const credentials = () => [{ ...credential([]), deferred }];
      return [...until({ credentials, queueLength: () => 0, writeFailures: () => [] })];
    };
    assert.deepEqual(values(), []);
    for (const isBridged of [true, false]) {
      const [one, ...others] = values({ until: '1970-01-02T00:00:00Z', isBridged });
      assert.deepEqual([one?.value, one?.['bridged'], others], [86_400, String(isBridged), []]);
    }
  });
});

describe('a labelled Secret and a PaymentCredential of one name', () => {
  it('have series of their own', () => {
    const both = (['PaymentCredential', 'Secret'] as const).map((kind) => ({
      ...credential([]),
      kind,
      conditions: [{ type: 'Ready', status: kind === 'Secret' ? 'False' : 'True' }],
    }));
    const overseen = { credentials: () => both, queueLength: () => 0, writeFailures: () => [] };
    const shared = { credential_namespace: 'pay', credential: 'w', condition: 'Ready', value: 1 };
    assert.deepEqual(
      [...storedGauges.paycert_credential_condition.read(overseen)],
      [
        { ...shared, kind: 'PaymentCredential', status: 'True' },
        { ...shared, kind: 'Secret', status: 'False' },
      ],
    );
  });
});
