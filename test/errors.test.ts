// Every deliberate error is one row: who must act, and what to do.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ErrorCode, errorTable, PaycertError } from '../src/errors.ts';

const rows = Object.entries(errorTable) as [ErrorCode, (typeof errorTable)[ErrorCode]][];

describe('the table of errors', () => {
  it('names every code in kebab-case', () => {
    for (const [code] of rows) assert.match(code, /^[a-z0-9]+(?:-[a-z0-9]+)*$/);
  });

  it('has a hint for every code: one or two whole sentences that say what to do', () => {
    for (const [code, { hint }] of rows) assert.ok(/^[A-Z].{10,}/.test(hint) && hint.length <= 110, code);
  });

  it('overrides the HTTP status of its kind only with one that names the same side', () => {
    for (const [code, { kind, status }] of rows) {
      if (status === undefined) continue;
      const [first, last] = kind === 'gateway' ? [502, 504] : [400, 499];
      assert.ok((kind === 'request' || kind === 'gateway') && status >= first && status <= last, code);
    }
  });
});

describe('an error', () => {
  it('carries the kind and hint of its code', () => {
    for (const [code, { kind, hint }] of rows) {
      const error = new PaycertError(code, 'message');
      assert.deepEqual([error.name, error.code, error.kind, error.hint], ['PaycertError', code, kind, hint]);
    }
  });

  it('carries field, cause and the time to try again, where given', () => {
    const [cause, retryAt] = [new Error('why'), new Date(0)];
    const error = new PaycertError('certificate-not-yet-valid', 'message', { field: 'a.pem', cause, retryAt });
    assert.deepEqual([error.message, error.field, error.cause, error.retryAt], ['message', 'a.pem', cause, retryAt]);
  });

  it('without a cause has none at all', () => {
    assert.equal('cause' in new PaycertError('internal-error', 'message'), false);
  });
});
