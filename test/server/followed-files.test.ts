// What became of each followed file: the last event about it decides.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PaycertError } from '../../src/errors.ts';
import { FollowedFiles } from '../../src/server/followed-files.ts';

const at = new Date(0);
const error = new PaycertError('config-invalid', 'x');

describe('followed files', () => {
  it('are all current at the start, and only those that are followed', () => {
    assert.deepEqual(new FollowedFiles(['configuration'], () => at).list(), [{ file: 'configuration' }]);
  });

  it('stay frozen where they are a mount that never updates, whatever else becomes of them', () => {
    const files = new FollowedFiles(['configuration', 'token'], () => at);
    const paths = ['/etc/paycert/token'];
    files.observe({ type: 'mount-frozen', file: 'token', paths });
    files.observe({ type: 'mount-frozen', credential: 'shop', paths: ['/keys'] });
    files.observe({ type: 'config-rejected', file: 'token', error });
    const frozen = { file: 'token', frozenPaths: paths };
    assert.deepEqual(files.list(), [{ file: 'configuration' }, { ...frozen, rejection: { at, error } }]);
    files.observe({ type: 'token-replaced', file: 'token' });
    assert.deepEqual(files.list(), [{ file: 'configuration' }, frozen]);
  });

  it('are each as the last event about it says', () => {
    const files = new FollowedFiles(['configuration', 'token'], () => at);
    files.observe({ type: 'config-rejected', file: 'token', error });
    files.observe({ type: 'configured', credentials: 1, needsRestart: false });
    assert.deepEqual(files.list(), [{ file: 'configuration' }, { file: 'token', rejection: { at, error } }]);
    files.observe({ type: 'token-replaced', file: 'token' });
    assert.deepEqual(files.list(), [{ file: 'configuration' }, { file: 'token' }]);
  });
});
