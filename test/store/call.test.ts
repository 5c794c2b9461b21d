// What surrounds every use of a credential: counting and limits, in one list, for every way in.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ErrorCode, PaycertError } from '../../src/errors.ts';
import type { Event } from '../../src/events.ts';
import { type Around, aroundEach, type Call, compose, count, itemOf, limit, outcomeOf } from '../../src/store/call.ts';

const call = (more: Partial<Call> = {}): Call => ({
  ...{ id: 'c1', caller: { listener: 'socket', claim: 'curl/8' }, credential: 'shop', operation: 'sign' },
  startedAt: new Date(0),
  signal: new AbortController().signal,
  ...more,
});

const aborted = AbortSignal.abort();

describe('what surrounds a call', () => {
  it('runs in the order of the list, the first outermost, and returns what the call does', async () => {
    const order: string[] = [];
    const trace =
      (name: string): Around =>
      async (_, next) => {
        order.push(`${name} before`);
        const result = await next();
        order.push(`${name} after`);
        return result;
      };
    const result = await compose(trace('a'), trace('b'))(call(), async () => order.push('call'));
    assert.deepEqual([result, order], [3, ['a before', 'b before', 'call', 'b after', 'a after']]);
  });

  it('may keep a call from running', async () => {
    const refuse: Around = () => Promise.reject(new PaycertError('overloaded', ''));
    await assert.rejects(
      compose(refuse)(call(), () => assert.fail('it ran')),
      { code: 'overloaded' },
    );
  });
});

describe('counting', () => {
  it('tells who called what, how it ended and how long it took', async () => {
    const events: Event[] = [];
    let time = 0;
    const around = count(
      (event) => void events.push(event),
      () => (time += 250),
    );
    await around(call(), async () => 'signed');
    await assert.rejects(around(call(), () => Promise.reject(new PaycertError('signature-invalid', ''))));
    const common = { type: 'operated', call: 'c1', listener: 'socket', claim: 'curl/8', credential: 'shop', operation: 'sign', seconds: 0.25 }; // prettier-ignore
    assert.deepEqual(events, [
      { ...common, outcome: 'ok' },
      { ...common, outcome: 'refused' },
    ]);
  });

  it('keeps what somebody else must do apart from what went wrong here', () => {
    const codes = ['request-invalid', 'caller-gone', 'signature-probe', 'no-platform-key', 'overloaded'] as const;
    const outcomes = [...codes, 'internal-error' as ErrorCode].map((code) => outcomeOf(new PaycertError(code, '')));
    assert.deepEqual(outcomes, ['caller-error', 'caller-error', 'refused', 'not-ready', 'not-ready', 'error']);
    assert.equal(outcomeOf(new TypeError('a bug')), 'error');
  });

  it('counts what a limit refuses', async () => {
    const events: Event[] = [];
    const around = aroundEach({ observe: (event) => void events.push(event), milliseconds: () => 0, most: 1 });
    const held = Promise.withResolvers<undefined>();
    const first = around(call(), () => held.promise);
    await assert.rejects(
      around(call(), () => assert.fail('it ran')),
      { code: 'overloaded' },
    );
    held.resolve(undefined);
    await first;
    assert.deepEqual(
      events.map((event) => event.type === 'operated' && event.outcome),
      ['not-ready', 'ok'],
    );
  });
});

describe('a limit', () => {
  it('gives the place of a call that has ended, well or not, to the next', async () => {
    const around = limit(1);
    await assert.rejects(around(call(), () => Promise.reject(new TypeError('a bug'))));
    assert.equal(await around(call(), async () => 1), 1);
    assert.equal(await around(call(), async () => 2), 2);
  });

  it('gives a batch the place of one call, traced or not, and keeps it until its last item has ended', async () => {
    const traced = { trace: { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), isSampled: true } } as unknown as Partial<Call>; // prettier-ignore
    for (const batch of [call(), call(traced)]) {
      const around = limit(2);
      const held = [0, 1, 2].map(() => Promise.withResolvers<undefined>());
      const items = held.map(({ promise }) => around(itemOf(batch), () => promise));
      assert.equal(await around(call(), async () => 'single'), 'single');
      const other = Promise.withResolvers<undefined>();
      const single = around(call(), () => other.promise);
      const refused = () =>
        assert.rejects(
          around(call(), () => assert.fail('it ran')),
          { code: 'overloaded' },
        );
      await refused();
      held[0]!.resolve(undefined);
      held[1]!.resolve(undefined);
      await Promise.all(items.slice(0, 2));
      await refused();
      held[2]!.resolve(undefined);
      await items[2];
      assert.equal(await around(call(), async () => 'next'), 'next');
      other.resolve(undefined);
      await single;
    }
  });

  it('runs nothing for a caller who has gone', async () => {
    await assert.rejects(
      limit(1)(call({ signal: aborted }), () => assert.fail('it ran')),
      { code: 'caller-gone' },
    );
  });
});
