// An access key that is used on while its files are away is in the status of the process until they are back: to its owner with why, to others with a code.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { processRemarks } from '../../src/cli/status-report.ts';
import { PaycertError } from '../../src/errors.ts';
import { KeptKeys } from '../../src/server/kept-keys.ts';
import { describeProcess } from '../../src/server/process-status.ts';
import { describePublicly } from '../../src/server/public-status.ts';
import { Store } from '../../src/store/store.ts';

const since = new Date('2031-01-01T00:00:00Z');
const error = new PaycertError('source-unreadable', '/etc/aws/secret is empty', { field: 'auth.accessKey.secretFile' });

describe('an access key that is used on while its files are away', () => {
  it('is shown with since when and why, until they are read again', () => {
    const kept = new KeptKeys(() => since);
    const facts = { store: new Store(), version: '1', startedAt: since, keptKeys: () => kept.list() };
    const shown = () => describeProcess(facts, since);
    assert.equal(shown().accessKeys, undefined);
    kept.observe({ type: 'access-key-kept', service: 'awskms', error });
    const [key] = shown().accessKeys ?? [];
    assert.deepEqual(
      [key?.service, key?.since, key?.reason.code],
      ['awskms', since.toISOString(), 'source-unreadable'],
    );
    assert.deepEqual((describePublicly(facts, since) as { accessKeys: unknown }).accessKeys, [{ service: 'awskms', since, code: 'source-unreadable' }]); // prettier-ignore
    const [remark = ''] = processRemarks(shown()).map(stripVTControlCharacters);
    assert.match(remark, /^access key unread: awskms: since 2031-01-01T00:00:00.000Z .*\/etc\/aws\/secret is empty/);
    kept.observe({ type: 'access-key-kept', service: 'awskms' });
    assert.deepEqual([shown().accessKeys, processRemarks(shown())], [undefined, []]);
  });
});
