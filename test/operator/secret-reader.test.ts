// One version of a Secret is read once for all resources that name it, and what was refused is not tried again.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PaycertError } from '../../src/errors.ts';
import type { KubeObject } from '../../src/kube/resources.ts';
import { ResourceKey } from '../../src/operator/resource-key.ts';
import { type Question, SecretReader } from '../../src/operator/secret-reader.ts';
import { FakeClock } from '../support/fake-clock.ts';

const secret = new ResourceKey('Secret', 'pay', 'shared');
const data = { key: Buffer.alloc(32, 1).toString('base64') };
const question = (name: string, keyId = name): Question => ({
  resource: new ResourceKey('PaymentCredential', 'pay', name),
  secret,
  keys: undefined,
  credential: { provider: { hmac: { keyId, scheme: 'sorted' } } },
  accepted: undefined,
});
const facts = (resourceVersion: string) => ({ uid: 'u', resourceVersion });
const signal = new AbortController().signal;

function start(questions: readonly Question[], object: () => Promise<KubeObject>) {
  const counted = { gets: 0 };
  const clock = new FakeClock();
  const reader = new SecretReader({
    client: async () => ({
      get: () => {
        counted.gets += 1;
        return object();
      },
    }),
    clock,
    questions: () => questions,
  });
  return { reader, counted };
}
const version =
  (resourceVersion: string, contents: unknown = data) =>
  async (): Promise<KubeObject> => ({
    metadata: { name: 'shared', namespace: 'pay', uid: 'u', resourceVersion },
    data: contents,
  });

describe('a Secret that many resources name', () => {
  it('is fetched once for three hundred, each of which asks something else', async () => {
    const questions = Array.from({ length: 300 }, (_, i) => question(`r${String(i)}`));
    const { reader, counted } = start(questions, version('1'));
    const evaluations = await Promise.all(questions.map((one) => reader.evaluate(one, facts('1'), signal)));
    assert.equal(counted.gets, 1);
    assert.equal(new Set(evaluations.map(({ signer, keys }) => signer?.keyId ?? keys[0]?.id)).size, 300);
  });

  it('is evaluated once for those that ask the same', async () => {
    const questions = [question('a', 'same'), question('b', 'same')];
    const { reader } = start(questions, version('1'));
    const [a, b] = await Promise.all(questions.map((one) => reader.evaluate(one, facts('1'), signal)));
    assert.equal(a, b);
  });

  it('is fetched again for a new version, and not for one that was read already, which the watch reports later', async () => {
    const one = question('a');
    const { reader, counted } = start([one], version('2'));
    await reader.evaluate(one, facts('1'), signal);
    const { secretResourceVersion } = await reader.evaluate(one, facts('2'), signal);
    assert.deepEqual([counted.gets, secretResourceVersion], [1, '2']);
    await reader.evaluate(one, facts('3'), signal);
    assert.equal(counted.gets, 2);
  });

  it('is fetched again when nobody who named it is left', async () => {
    const one = question('a');
    const { reader, counted } = start([one], version('1'));
    await reader.evaluate(one, facts('1'), signal);
    reader.forget(one.resource);
    await reader.evaluate(one, facts('1'), signal);
    assert.equal(counted.gets, 2);
  });

  it('keeps what was accepted out of the question when the same keys are accepted by now', async () => {
    const one = question('a');
    const { reader, counted } = start([one], version('1'));
    const { snapshotId } = await reader.evaluate(one, facts('1'), signal);
    const accepted = { snapshotId, secretResourceVersion: '1', time: '2026-03-01T00:00:00Z', capabilities: ['sign'] };
    await reader.evaluate({ ...one, accepted }, facts('1'), signal);
    assert.equal(counted.gets, 1);
  });
});

describe('a version that is refused', () => {
  it('is not fetched and parsed again before it changes', async () => {
    const one = { ...question('a'), keys: { key: 'a', 'key.previous': 'a' } };
    const { reader, counted } = start([one], version('1', { a: 'AA==' }));
    const first = await reader.evaluate(one, facts('1'), signal).catch((error: unknown) => error);
    const second = await reader.evaluate(one, facts('1'), signal).catch((error: unknown) => error);
    assert.deepEqual([counted.gets, second], [1, first]);
  });

  it('is fetched again where the API server failed', async () => {
    const one = question('a');
    let fails = true;
    const { reader, counted } = start([one], async () => {
      if (fails) throw new PaycertError('cluster-failing', 'text');
      return version('1')();
    });
    await assert.rejects(reader.evaluate(one, facts('1'), signal));
    fails = false;
    await reader.evaluate(one, facts('1'), signal);
    assert.equal(counted.gets, 2);
  });
});
