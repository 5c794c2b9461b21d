// What an audit says of each event: its type and how it ended, and nothing of a message, a duration or a secret.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { recordOf } from '../../src/audit/records.ts';
import { PaycertError } from '../../src/errors.ts';
import { everyEvent } from '../support/events.ts';

const withLines = [
  ...['swapped', 'rejected', 'deferred', 'staged', 'credential-added', 'credential-removed', 'resource-followed'],
  ...['resource-refused', 'configured', 'config-rejected', 'token-replaced', 'forwarded', 'reviewed', 'pod-recreated'],
  ...['leading', 'stopping'],
];

describe('the record of an event', () => {
  it('is there for every change, review and forwarded call, and for nothing else', () => {
    const have = Object.values(everyEvent).filter((event) => recordOf(event) !== undefined);
    assert.deepEqual(have.map(({ type }) => type).sort(), withLines.sort());
  });

  it('has a type and an outcome, codes in place of messages, and no duration', () => {
    for (const event of Object.values(everyEvent)) {
      const record = recordOf(event);
      if (record === undefined) continue;
      assert.match(record.type, /^[a-z-]+$/);
      assert.match(record.outcome, /^[a-z-]+$/, record.type);
      assert.ok(!JSON.stringify(record).includes('does not belong'), record.type);
      assert.ok(!('seconds' in record), record.type);
      if ('error' in event && event.error instanceof PaycertError) assert.equal(record['code'], event.error.code);
    }
  });

  it('is written once for what is refused again for the same reason', () => {
    const { rejected, deferred } = everyEvent;
    for (const event of [rejected, deferred]) {
      assert.ok(recordOf({ ...event, isNew: true }));
      assert.equal(recordOf({ ...event, isNew: false }), undefined);
    }
  });

  it('tells a rollback and what was kept before a restart from what is new', () => {
    const { swapped } = everyEvent;
    const outcome = (more: object) => recordOf({ ...swapped, isRollback: false, ...more })?.outcome;
    assert.deepEqual([outcome({}), outcome({ isRollback: true }), outcome({ keptAt: new Date() })], ['current', 'rolled-back', 'restored']); // prettier-ignore
  });

  it('names the user of a review and the credentials that a Pod gets, and leaves dry runs out', () => {
    const { reviewed } = everyEvent;
    const review = { ...reviewed, isDryRun: false, user: 'system:serviceaccount:pay:deployer' };
    assert.deepEqual(recordOf(review), {
      ...{ type: 'reviewed', outcome: 'refused', kind: 'Secret', object: 'pay/wechat-main' },
      ...{
        user: 'system:serviceaccount:pay:deployer',
        injected: undefined,
        code: 'key-mismatch',
        field: 'apiclient_key.pem',
      },
    });
    const pod = { ...review, kind: 'Pod', outcome: 'allowed', injected: ['wechat-main'] } as const;
    assert.deepEqual([recordOf(pod)?.type, recordOf(pod)?.['injected']], ['injected', ['wechat-main']]);
    assert.equal(recordOf({ ...review, isDryRun: true }), undefined);
  });
});
