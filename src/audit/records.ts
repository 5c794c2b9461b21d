// What an audit says of each event that is worth a line: of whom, what, and how it ended. No secret, no person.
import type { PaycertError } from '../errors.ts';
import type { Event } from '../events.ts';
import { partOf } from '../store/staged.ts';

/** `type`: what happened. `outcome`: how it ended. */
export type AuditRecord = Readonly<Record<string, unknown>> & { readonly type: string; readonly outcome: string };

/** A message may quote what somebody wrote; the code and the field are enough to find it in the log. */
export const failure = ({ code, field }: PaycertError) => ({ code, ...(field !== undefined && { field }) });

const signers = { all: 'next-signs', some: 'both-sign', none: 'current-signs' } as const;

type Rows = { readonly [T in Event['type']]?: (event: Extract<Event, { type: T }>) => AuditRecord | undefined };

const rows: Rows = {
  swapped: ({ credential, generation, snapshotId, keyId, isRollback, keptAt, warnings }) => ({
    type: 'swapped',
    outcome: isRollback ? 'rolled-back' : keptAt !== undefined ? 'restored' : 'current',
    ...{ credential, generation, snapshotId, keyId },
    ...(warnings.length > 0 && { warnings: warnings.map(({ code }) => code) }),
  }),
  rejected: ({ credential, error, isNew }) =>
    isNew ? { type: 'rejected', outcome: 'refused', credential, ...failure(error) } : undefined,
  deferred: ({ credential, error, until, isNew }) =>
    isNew ? { type: 'deferred', outcome: 'waits', credential, until, ...failure(error) } : undefined,
  staged: (staged) => {
    const { credential, until, percent, of, keyId, snapshotId, error } = staged;
    return {
      type: 'staged',
      outcome: error !== undefined ? 'refused' : signers[partOf(staged)],
      ...{ credential, until, percent, of, besideKeyId: keyId, besideSnapshotId: snapshotId },
      ...(error && failure(error)),
    };
  },
  'credential-added': ({ credential }) => ({ type: 'credential-added', outcome: 'ok', credential }),
  'credential-removed': ({ credential }) => ({ type: 'credential-removed', outcome: 'ok', credential }),
  'resource-followed': ({ credential, isSuspended }) => ({
    type: 'resource-followed',
    outcome: isSuspended ? 'suspended' : 'ok',
    credential,
  }),
  'resource-refused': ({ credential, error }) => ({
    type: 'resource-refused',
    outcome: 'refused',
    credential,
    ...failure(error),
  }),
  configured: ({ credentials, needsRestart }) => ({
    type: 'configured',
    outcome: needsRestart ? 'needs-restart' : 'current',
    credentials,
  }),
  'config-rejected': ({ file, error }) => ({ type: 'config-rejected', outcome: 'refused', file, ...failure(error) }),
  'token-replaced': ({ file }) => ({ type: 'token-replaced', outcome: 'current', file }),
  forwarded: ({ call, credential, method, outcome, status, verified, attempts, error }) => ({
    type: 'forwarded',
    outcome,
    ...{ request: call, credential, method, status, verified, attempts },
    ...(error && failure(error)),
  }),
  // A dry run stores nothing.
  reviewed: ({ kind, object, outcome, isDryRun, user, injected, error }) =>
    isDryRun
      ? undefined
      : {
          type: injected === undefined ? 'reviewed' : 'injected',
          ...{ outcome, kind, object, user, injected },
          ...(error && failure(error)),
        },
  'pod-recreated': ({ object, kind, outcome, error }) => ({
    type: 'pod-recreated',
    ...{ outcome, kind, object },
    ...(error && failure(error)),
  }),
  leading: ({ lease, isLeading }) => ({ type: 'leading', outcome: isLeading ? 'leads' : 'ceased', lease }),
  stopping: () => ({ type: 'stopping', outcome: 'ok' }),
};

/** The record of an event; undefined for one that no audit asks for. */
export function recordOf(event: Event): AuditRecord | undefined {
  return (rows[event.type] as ((event: Event) => AuditRecord | undefined) | undefined)?.(event);
}
