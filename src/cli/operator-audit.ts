// The audit of an operator: a chain of lines on standard output, since it has no volume; each process begins one.
import type { Clock } from '../clock.ts';
import { Audit } from '../audit/audit.ts';
import { readToken } from '../config/token.ts';
import type { Observe } from '../events.ts';

export interface OperatorAuditOptions {
  readonly clock: Clock;
  readonly observe: Observe;
  readonly version: string;
  /** Of this replica. */
  readonly identity: string;
  readonly keyFile: string | undefined;
  readonly print: (line: string) => void;
}

/** @throws PaycertError `token-unusable` */
export async function startOperatorAudit(options: OperatorAuditOptions): Promise<Audit> {
  const { clock, observe, version, identity, keyFile, print } = options;
  const key = keyFile === undefined ? undefined : await readToken(keyFile, 'audit-key');
  const about = { version, chain: key === undefined ? 'sha256' : 'hmac-sha256' };
  return new Audit({ ...{ clock, observe, print, about }, host: identity, key: () => key });
}
