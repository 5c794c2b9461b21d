// Aliyun KMS: its actions with their parameters in the query, each request signed as ACS3 has it.
import type { AccessKey } from '../cloud/access-key.ts';
import { CloudClient } from '../cloud/client.ts';
import type { LentKeys } from '../cloud/lent-keys.ts';
import type { Server } from '../server.ts';
import { aliyunError } from './responses.ts';

export interface AliyunCall {
  readonly action: 'AsymmetricSign' | 'AsymmetricDecrypt' | 'GetPublicKey' | 'DescribeKey' | 'Decrypt';
  readonly parameters: Readonly<Record<string, string>>;
}

export interface AliyunRequest {
  readonly url: string;
  readonly action: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface SignedAliyunRequest {
  /** Encoded as it was signed. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Signs a POST without a body. */
export type Acs3 = (request: AliyunRequest, key: AccessKey) => Promise<SignedAliyunRequest>;

export type AliyunKms = CloudClient<AliyunCall>;

export interface AliyunKmsOptions {
  readonly server: Pick<Server, 'ask'>;
  readonly keys: LentKeys<AccessKey>;
  readonly acs3: Acs3;
  /** Where it is. */
  readonly origin: string;
}

/** None of them changes anything, but a nonce counts once: where a connection broke, it is the signer that asks again. */
export const aliyunKms = ({ server, keys, acs3, origin }: AliyunKmsOptions): AliyunKms =>
  new CloudClient({
    name: 'Aliyun KMS',
    server,
    keys,
    toError: aliyunError,
    async toQuestion({ action, parameters }, key, what) {
      const query = Object.entries(parameters).map((pair) => pair.map(encodeURIComponent).join('='));
      const headers = { 'x-acs-version': '2016-01-20' };
      const signed = await acs3({ url: `${origin}/?${query.join('&')}`, action, headers }, key);
      return { method: 'POST', path: signed.url.slice(origin.length), headers: signed.headers, body: '', what };
    },
  });
