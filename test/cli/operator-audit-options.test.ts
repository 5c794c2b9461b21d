// The words of the command line about the operator's audit: what they mean together.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readOperatorAudit } from '../../src/cli/operator-audit-options.ts';
import { defaults } from '../../src/config/defaults.ts';

const fileBytes = (maxTotalBytes: number) =>
  readOperatorAudit({ isOn: true, directory: '/audit', maxTotalBytes: String(maxTotalBytes) })?.volume?.maxFileBytes;

describe('the files of an operator’s audit', () => {
  it('are a quarter of what all of them may take, or smaller: the oldest has to make room in time', () => {
    assert.equal(fileBytes(262_144), 65_536);
    assert.equal(fileBytes(defaults.auditTotalBytes), defaults.auditFileBytes);
  });

  it('are within what a sidecar takes', () => {
    for (const bytes of [262_143, 1024 ** 4 + 1, 1.5]) assert.throws(() => fileBytes(bytes), /--audit-max-bytes/);
  });
});
