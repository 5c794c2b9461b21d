// What a peer answered, as JSON where it is that.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { jsonIn } from '../../src/system/json.ts';

it('what is no JSON is undefined, whatever it is instead', () => {
  assert.deepEqual(jsonIn(Buffer.from('{"errcode":0}')), { errcode: 0 });
  assert.deepEqual(jsonIn(Buffer.from('xx[1]').subarray(2)), [1]);
  for (const text of ['', '<html>', '{', '\u0000']) assert.equal(jsonIn(Buffer.from(text)), undefined, text);
});
