// What `paycert status` says of the hosts of platforms: only what somebody should do something about.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { processRemarks } from '../../src/cli/status-report.ts';

const host = 'api.mch.weixin.qq.com';
const say = (aheadSeconds: number, corrected = false, onSpare = false) =>
  processRemarks({ files: [], hosts: [{ host, onSpare, clock: { aheadSeconds, withinSeconds: 0.5, corrected } }] }).map(
    stripVTControlCharacters,
  );

describe('the status of a host', () => {
  it('is silent about a clock that is right, a host without a clock, and a process without a proxy', () => {
    for (const ahead of [0, 1, -1]) assert.deepEqual(say(ahead), []);
    assert.deepEqual(processRemarks({ files: [], hosts: [{ host, onSpare: false }] }), []);
    assert.deepEqual(processRemarks({ files: [] }), []);
  });

  it('says in which direction the clock here is off, and what to do', () => {
    assert.deepEqual(say(3), [`clock: ${host}: the clock here is 3 s ahead; correct it, or set proxy.correctClock`]);
    assert.deepEqual(say(-90, true), [
      `clock: ${host}: the clock here is 90 s behind; requests are signed with the time of the platform`,
    ]);
  });

  it('says of which credentials calls are refused, and of which they wait, and nothing of the others', () => {
    const counts = { underWay: 256, waiting: 0 };
    const credentials = [
      { credential: 'a', breaker: 'open' as const, ...counts },
      { credential: 'b', breaker: 'half-open' as const, ...counts },
      { credential: 'c', breaker: 'closed' as const, ...counts, waiting: 7 },
      { credential: 'd', breaker: 'closed' as const, ...counts },
    ];
    assert.deepEqual(
      processRemarks({ files: [], hosts: [{ host, onSpare: false, credentials }] }).map(stripVTControlCharacters),
      [
        ...['a', 'b'].map((name) => `breaker: ${host}: too many calls of ${name} failed; until one succeeds, most are refused`), // prettier-ignore
        `queue: ${host}: 256 calls of c are under way, and 7 wait`,
      ],
    );
  });

  it('says which host nobody can connect to', () => {
    assert.deepEqual(say(0, false, true), [`on spare: ${host}: nobody can connect to it; its calls go to its spare`]);
  });
});
