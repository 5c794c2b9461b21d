// An audit of calls: what was signed, by whom and with which key, before it is handed out; and what was not signed.
import { hash } from 'node:crypto';
import { PaycertError } from '../errors.ts';
import { type Around, type Call, outcomeOf } from '../store/call.ts';
import type { Witness } from '../store/one-use.ts';
import type { Audit } from './audit.ts';
import { publicPath } from './public-path.ts';
import { failure } from './records.ts';

/** `authorize`: requests to platforms, through the API and the proxy. `all`: everything that is signed. */
export type Requests = 'authorize' | 'all';

const operations: Readonly<Record<Requests, ReadonlySet<string>>> = {
  authorize: new Set(['authorize', 'forward']),
  all: new Set(['authorize', 'forward', 'sign', 'payment-parameters']),
};

export interface AuditedCalls {
  readonly audit: Audit;
  readonly requests: Requests;
  /** `refuse`: nothing is handed out that is not written. */
  readonly onFailure: 'count' | 'refuse';
  readonly key: () => string | undefined;
}

export interface CallAudit {
  readonly around: Around;
  readonly witness: Witness;
}

export function auditCalls({ audit, requests, onFailure, key }: AuditedCalls): CallAudit {
  const isAudited = ({ operation }: Call) => operations[requests].has(operation);
  const isStrict = onFailure === 'refuse';
  return {
    async around(call, next) {
      if (!isAudited(call)) return next();
      if (isStrict) audit.assertAvailable();
      try {
        return await next();
      } catch (error) {
        // The proxy says itself how each of its calls ended.
        if (call.operation !== 'forward' && !isOurs(error))
          audit.record({ type: 'not-signed', outcome: outcomeOf(error), ...whoAndWhat(call), ...codeOf(error) });
        throw error;
      }
    },
    witness(call, { keyId, generation, method, url, body }) {
      if (!isAudited(call)) return undefined;
      const { id: request, caller, credential, operation } = call;
      const { listener, claim } = caller;
      // One object, for each signature: what is undefined is not written, and copies of parts cost more than the digest.
      audit.record({
        type: 'signed',
        outcome: 'ok',
        request,
        listener,
        claim,
        credential,
        operation,
        keyId,
        generation,
        method,
        path: url === undefined ? undefined : publicPath(url, key()),
        bodySha256: body === undefined ? undefined : hash('sha256', body),
      });
      return isStrict ? audit.written() : undefined;
    },
  };
}

const whoAndWhat = ({ id: request, caller: { listener, claim }, credential, operation }: Call) => ({ request, listener, claim, credential, operation }); // prettier-ignore

const isOurs = (error: unknown) => error instanceof PaycertError && error.code === 'audit-unavailable';

const codeOf = (error: unknown) => (error instanceof PaycertError ? failure(error) : {});
