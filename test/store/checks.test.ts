// The generic checks: what is refused whatever the provider, and in which order.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findViolation, findViolations, isRollback } from '../../src/store/checks.ts';
import { publicKeyFingerprint } from '../../src/crypto/x509.ts';
import { type Description, fakeContext } from '../support/fake-provider.ts';

const now = new Date('2026-11-22T00:00:00Z');
const valid = { keyId: 'A', notBefore: '2026-01-01', notAfter: '2027-01-01' };

function candidate(description: Description, current?: Description, older: 'accept' | 'reject' = 'accept') {
  return { context: fakeContext(description), current: current && fakeContext(current).set, older };
}

describe('the generic checks', () => {
  it('find nothing wrong with fit material', async () => {
    assert.equal(await findViolation(candidate(valid), now), undefined);
  });

  const cases: [title: string, code: string, description: Description, current?: Description][] = [
    ['what the provider finds', 'key-mismatch', { ...valid, problem: 'key-mismatch' }],
    ['a certificate that is not valid yet', 'certificate-not-yet-valid', { ...valid, notBefore: '2026-12-01' }],
    ['an expired certificate', 'certificate-expired', { ...valid, notAfter: '2026-11-22' }],
    ['an emptied platform set', 'platform-set-emptied', valid, { ...valid, platform: { P: '2027-01-01' } }],
    [
      'a platform set of which nothing is valid',
      'platform-set-emptied',
      { ...valid, platform: { Q: '2026-01-01' } },
      { ...valid, platform: { P: '2027-01-01' } },
    ],
    ['a key that fails its self-test', 'self-test-failed', { ...valid, breaksSelfTest: true }],
  ];
  for (const [title, code, description, current] of cases) {
    it(`refuse ${title}`, async () => {
      assert.equal((await findViolation(candidate(description, current), now))?.code, code);
    });
  }

  it('refuse a platform key that has signed for its owner, now or before a swap', async () => {
    const former = fakeContext(valid).set;
    const id = publicKeyFingerprint(former.signer!.publicKey!);
    const trusting = fakeContext({ ...valid, keyId: 'B', platform: { [id]: '2027-01-01' } });
    const { signer: _, ...set } = trusting.set;
    const candidate = { context: { ...trusting, set }, current: undefined, older: 'accept' } as const;
    assert.equal(await findViolation(candidate, now), undefined);
    assert.equal((await findViolation({ ...candidate, former: [former] }, now))?.code, 'platform-key-is-merchant');
    assert.equal((await findViolation({ ...candidate, context: trusting }, now))?.code, 'platform-key-is-merchant');
  });

  it('accept the first millisecond of validity and refuse the first after it', async () => {
    assert.equal(await findViolation(candidate(valid), new Date(valid.notBefore)), undefined);
    assert.equal(await findViolation(candidate(valid), new Date(Date.parse(valid.notAfter) - 1)), undefined);
    assert.equal((await findViolation(candidate(valid), new Date(valid.notAfter)))?.code, 'certificate-expired');
  });

  it('name the time at which a certificate that is not valid yet may be tried again', async () => {
    const violation = await findViolation(candidate({ ...valid, notBefore: '2026-12-01' }), now);
    assert.deepEqual(violation?.retryAt, new Date('2026-12-01'));
  });

  it('accept a set that never verified, and one whose predecessor does not verify any more', async () => {
    assert.equal(await findViolation(candidate(valid, valid), now), undefined);
    const expired = { ...valid, platform: { P: '2026-01-01' } };
    assert.equal(await findViolation(candidate(valid, expired), now), undefined);
  });

  it('refuse older material only where the configuration says so', async () => {
    const current = { ...valid, keyId: 'B', notBefore: '2026-06-01' };
    assert.equal(await findViolation(candidate(valid, current), now), undefined);
    assert.equal(isRollback(candidate(valid, current)), true);
    assert.equal((await findViolation(candidate(valid, current, 'reject'), now))?.code, 'material-older');
    assert.equal(await findViolation(candidate(current, valid, 'reject'), now), undefined);
    assert.equal(await findViolation(candidate(valid, valid, 'reject'), now), undefined);
  });

  it('are run in their order: the first names the rejection, and people are told all of them', async () => {
    const bad = { ...valid, notAfter: '2026-01-02', breaksSelfTest: true } as const;
    const worse = candidate(bad, { ...valid, platform: { P: '2027-01-01' } });
    assert.equal((await findViolation(worse, now))?.code, 'certificate-expired');
    assert.deepEqual(
      (await findViolations(worse, now)).map(({ code }) => code),
      ['certificate-expired', 'platform-set-emptied', 'self-test-failed'],
    );
  });

  it('do not call the platform set of material emptied that was never taken apart', async () => {
    const unsound = candidate({ ...valid, problem: 'key-mismatch' }, { ...valid, platform: { P: '2027-01-01' } });
    const codes = (await findViolations(unsound, now)).map(({ code }) => code);
    assert.deepEqual(codes, ['key-mismatch']);
  });
});
