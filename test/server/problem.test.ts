// Errors as HTTP answers: one status per kind, and codes that differ from their kind say so in the table.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ErrorCode, errorTable, PaycertError } from '../../src/errors.ts';
import { problemOf, toPaycertError } from '../../src/server/problem.ts';

const codes = Object.keys(errorTable) as ErrorCode[];
const ranges = { request: [400, 499], refused: [422, 422], 'not-ready': [503, 503], gateway: [502, 504] } as const;

describe('a problem', () => {
  for (const code of codes) {
    it(`of ${code} has the status that its kind allows`, () => {
      const { kind, hint } = errorTable[code];
      const problem = problemOf(new PaycertError(code, 'what happened'));
      const [least, most] = kind in ranges ? ranges[kind as keyof typeof ranges] : [500, 500];
      assert.ok(least <= problem.status && problem.status <= most);
      assert.deepEqual([problem.title, problem.hint, problem.detail], [code, hint, 'what happened']);
      assert.equal(problem.type, `https://paycert.dev/errors/${code}`);
    });
  }

  it('names the field where there is one', () => {
    assert.equal(problemOf(new PaycertError('request-invalid', '', { field: 'url' })).field, 'url');
    assert.ok(!('field' in problemOf(new PaycertError('request-invalid', ''))));
  });

  it('of anything else thrown says only that it is a bug', () => {
    for (const thrown of [
      new TypeError('secret'),
      'secret',
      undefined,
      { code: 'request-invalid', message: 'secret' },
    ]) {
      const problem = problemOf(toPaycertError(thrown));
      assert.deepEqual([problem.status, problem.title], [500, 'internal-error']);
      assert.ok(!JSON.stringify(problem).includes('secret'));
    }
  });
});
