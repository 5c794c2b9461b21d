// One event of every type.
import { PaycertError } from '../../src/errors.ts';
import type { Event } from '../../src/events.ts';

const error = new PaycertError('key-mismatch', 'apiclient_key.pem does not belong', { field: 'apiclient_key.pem' });
const credential = 'wechat-main';

/** The type makes sure that none is forgotten. */
export const everyEvent: { readonly [T in Event['type']]: Extract<Event, { type: T }> } = {
  swapped: {
    type: 'swapped',
    credential,
    generation: 2,
    snapshotId: '0123456789abcdef',
    keyId: '5A01',
    notAfter: new Date('2031-01-01T00:00:00Z'),
    seconds: 0.01,
    changeToCurrentSeconds: 0.02,
    isRollback: true,
    warnings: [error],
  },
  rejected: { type: 'rejected', credential, error, seconds: 0.01, isNew: true },
  deferred: {
    type: 'deferred',
    credential,
    error,
    until: new Date('2031-01-01T00:00:00Z'),
    isBridged: true,
    seconds: 0.01,
    isNew: true,
  },
  unchanged: { type: 'unchanged', credential, isRecovery: false },
  'found-by-poll': { type: 'found-by-poll', credential },
  'source-failed': { type: 'source-failed', credential, error, isNew: true },
  'mount-frozen': { type: 'mount-frozen', credential, paths: ['/etc/paycert/key.pem'] },
  'credential-added': { type: 'credential-added', credential },
  'credential-removed': { type: 'credential-removed', credential },
  'internal-error': { type: 'internal-error', where: 'reload', credential, error: new Error('secret') },
  'source-chosen': { type: 'source-chosen', source: 'files:/etc/paycert', error },
  'fallback-caught-up': { type: 'fallback-caught-up', source: 'files:/etc/paycert', seconds: 42 },
  'resource-followed': { type: 'resource-followed', credential, isSuspended: false },
  'resource-refused': { type: 'resource-refused', credential, error },
  'watch-failed': { type: 'watch-failed', source: 'files:/etc/paycert', reason: 'ENOSPC' },
  'watch-restarted': { type: 'watch-restarted', source: 'files:/etc/paycert' },
  leading: { type: 'leading', lease: 'paycert-operator', isLeading: true },
  reconciled: { type: 'reconciled', object: 'pay/wechat-main', outcome: 'failed', error, seconds: 0.01 },
  'condition-changed': {
    type: 'condition-changed',
    object: 'pay/wechat-main',
    condition: 'Ready',
    status: 'False',
    reason: 'KeyMismatch',
    message: 'text',
    isBad: true,
  },
  'event-lost': { type: 'event-lost', object: 'pay/wechat-main', error },
  'pods-refreshed': { type: 'pods-refreshed', object: 'pay/wechat-main', pods: 3 },
  configured: { type: 'configured', credentials: 1, needsRestart: false },
  'config-rejected': { type: 'config-rejected', error },
  'token-replaced': { type: 'token-replaced' },
  operated: { type: 'operated', credential, operation: 'sign', outcome: 'ok', seconds: 0.001 },
  unverified: { type: 'unverified', credential, kind: 'response', error },
  decrypted: { type: 'decrypted', credential, role: 'apiv3', isRetired: false },
  'lines-dropped': { type: 'lines-dropped', lines: 1 },
  listening: { type: 'listening', listener: 'tcp', address: '127.0.0.1:8010' },
  stopping: { type: 'stopping', drainSeconds: 0 },
};
