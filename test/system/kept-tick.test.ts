// Ticks of Node's queue keep their form: by V8's own word, in this process.
import assert from 'node:assert/strict';
import { executionAsyncResource } from 'node:async_hooks';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInThisContext } from 'node:vm';
import { openCollector } from '../../src/system/collector.ts';
import { keepTick } from '../../src/system/kept-tick.ts';

/** Whether V8 has one description for both. A function is compiled when it is first called, and so with the flag as it is then. */
function formsAgree(one: object, other: object): boolean {
  setFlagsFromString('--allow-natives-syntax');
  const haveSameMap = runInThisContext('(one, other) => %HaveSameMap(one, other)') as typeof formsAgree;
  const agree = haveSameMap(one, other);
  setFlagsFromString('--no-allow-natives-syntax');
  return agree;
}

describe('the tick that is kept', () => {
  it('has the form of those that come after thorough collections of garbage, in which there was no other', async () => {
    const kept = new WeakRef(await keepTick());
    const collect = openCollector();
    for (let collection = 0; collection < 3; collection += 1) {
      await turn();
      collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    }
    const next = await new Promise<object>((resolve) => process.nextTick(() => resolve(executionAsyncResource())));
    const tick = kept.deref() ?? assert.fail('it was collected');
    assert.notEqual(next, tick);
    assert.ok(formsAgree(tick, next));
    assert.equal(formsAgree(tick, {}), false);
  });
});
