// AWS KMS: its operations as JSON, signed with Signature Version 4.
import type { Clock } from '../../clock.ts';
import type { AccessKey } from '../cloud/access-key.ts';
import { CloudClient } from '../cloud/client.ts';
import type { LentKeys } from '../cloud/lent-keys.ts';
import type { Server } from '../server.ts';
import { awsError } from './responses.ts';
import type { SigV4 } from './sigv4.ts';

export interface AwsCall {
  readonly operation: 'Sign' | 'GetPublicKey' | 'Decrypt';
  readonly body: object;
}

export type AwsKms = CloudClient<AwsCall>;

export interface AwsKmsOptions {
  readonly server: Pick<Server, 'ask'>;
  readonly keys: LentKeys<AccessKey>;
  readonly sigV4: SigV4;
  readonly host: string;
  readonly region: string;
  readonly clock: Clock;
}

/** None of them changes anything: each may be sent twice. */
export const awsKms = ({ server, keys, sigV4, host, region, clock }: AwsKmsOptions): AwsKms =>
  new CloudClient({
    name: 'AWS KMS',
    server,
    keys,
    toError: awsError,
    async toQuestion({ operation, body: content }, key, what) {
      const request = {
        method: 'POST',
        path: '/',
        headers: { 'Content-Type': 'application/x-amz-json-1.1', 'X-Amz-Target': `TrentService.${operation}` },
        body: JSON.stringify(content),
      } as const;
      const headers = sigV4(request, key, { host, region, service: 'kms', now: clock.now() });
      return { method: 'POST', path: '/', headers, body: request.body, what, isRead: true };
    },
  });
