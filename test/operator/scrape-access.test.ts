// Who may read the operator's metrics: asked once a minute, bounded for strangers, and not forgotten while nobody can be asked.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PaycertError } from '../../src/errors.ts';
import type { KubeObject, Target } from '../../src/kube/resources.ts';
import { ScrapeAccess } from '../../src/operator/scrape-access.ts';
import { FakeClock } from '../support/fake-clock.ts';

const minute = 60_000;

/** An API server that knows some tokens, and lets some of them read. */
function setUp(known: Readonly<Record<string, boolean>>) {
  const clock = new FakeClock();
  const asked: string[] = [];
  const state = { isAway: false };
  const create = ({ resource }: Target, object: KubeObject): Promise<KubeObject> => {
    asked.push(resource.plural);
    if (state.isAway) return Promise.reject(new PaycertError('cluster-unreachable', 'it is away'));
    const { token = '', user = '' } = object['spec'] as { token?: string; user?: string };
    const status =
      resource.plural === 'tokenreviews'
        ? { authenticated: token in known, user: { username: token, groups: ['all'] } }
        : { allowed: known[user] === true };
    return Promise.resolve({ ...object, status });
  };
  const access = new ScrapeAccess({ client: { create }, clock, signal: new AbortController().signal });
  return { clock, asked, state, access, known: known as Record<string, boolean> };
}

const refused = (code: string) => (error: unknown) => error instanceof PaycertError && error.code === code;

describe('access to metrics', () => {
  it('is for tokens of the cluster whose account may get /metrics, and for nobody else', async () => {
    const { access } = setUp({ prometheus: true, shop: false });
    await access.admit('Bearer prometheus');
    await assert.rejects(access.admit('Bearer shop'), refused('scrape-forbidden'));
    for (const authorization of [
      undefined,
      '',
      'Bearer',
      'Bearer ',
      'Basic cHJvbWV0aGV1cw==',
      'Bearer a b',
      'Bearer \u00e9',
    ])
      await assert.rejects(access.admit(authorization), refused('token-required'), authorization);
    await assert.rejects(access.admit('Bearer nobody'), refused('token-required'));
  });

  it('asks the API server once a minute, once for all who come together, and ten seconds later after a refusal', async () => {
    const { access, asked, clock, known } = setUp({ prometheus: true });
    await Promise.all(Array.from({ length: 50 }, () => access.admit('Bearer prometheus')));
    assert.deepEqual(asked, ['tokenreviews', 'subjectaccessreviews']);
    clock.advance(minute - 1);
    await access.admit('Bearer prometheus');
    assert.equal(asked.length, 2);
    clock.advance(1);
    await access.admit('Bearer prometheus');
    assert.equal(asked.length, 4);
    await assert.rejects(access.admit('Bearer late'));
    known['late'] = true;
    await assert.rejects(access.admit('Bearer late'));
    clock.advance(10_000);
    await access.admit('Bearer late');
  });

  it('ends within a minute of the withdrawal', async () => {
    const { access, clock, known } = setUp({ prometheus: true });
    await access.admit('Bearer prometheus');
    known['prometheus'] = false;
    clock.advance(minute);
    await assert.rejects(access.admit('Bearer prometheus'), refused('scrape-forbidden'));
  });

  it('costs the API server twenty checks for any number of tokens that are not known, and still serves who is', async () => {
    const { access, asked, clock } = setUp({ prometheus: true });
    await access.admit('Bearer prometheus');
    const codes = new Map<string, number>();
    for (let stranger = 0; stranger < 1000; stranger += 1)
      await access.admit(`Bearer stranger-${stranger}`).catch((error: unknown) => {
        const code = error instanceof PaycertError ? error.code : 'other';
        codes.set(code, (codes.get(code) ?? 0) + 1);
      });
    assert.deepEqual(Object.fromEntries(codes), { 'token-required': 19, 'scrape-unchecked': 981 });
    assert.ok(asked.length <= 22);
    clock.advance(minute);
    for (let stranger = 0; stranger < 1000; stranger += 1)
      await access.admit(`Bearer other-${stranger}`).catch(() => undefined);
    await access.admit('Bearer prometheus');
  });

  it('lasts ten minutes while the API server is away, for those whom it admitted', async () => {
    const { access, clock, state } = setUp({ prometheus: true });
    await access.admit('Bearer prometheus');
    state.isAway = true;
    clock.advance(9 * minute);
    await access.admit('Bearer prometheus');
    await assert.rejects(access.admit('Bearer other'), refused('scrape-unchecked'));
    clock.advance(minute);
    await assert.rejects(access.admit('Bearer prometheus'), refused('scrape-unchecked'));
  });
});
