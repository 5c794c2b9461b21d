// An endpoint of a cloud's KMS or of what lends keys to it, by the name that errors call it.
import { cloudConcurrent } from '../keys/cloud-keys.ts';
import { Server } from '../origins/server.ts';
import type { Dependencies } from '../store/attempt.ts';

export type CloudNeeds = Pick<Dependencies, 'clock' | 'observe'>;

export interface CloudEndpoint {
  readonly name: string;
  readonly address: string;
  /** Of an endpoint with a CA of its own, which is trusted for that one alone. Absent: Node's list. */
  readonly tls?: ConstructorParameters<typeof Server>[0]['tls'];
}

export const cloudServer = ({ name, address, tls }: CloudEndpoint, needs: CloudNeeds): Server =>
  new Server({
    ...{ name, addresses: [address], tls, ...needs, random: Math.random, maxSockets: cloudConcurrent },
    // A breaker decides when it is asked again.
    ...{ troubleOf: () => undefined, longestPauseMilliseconds: 0 },
  });

/** STS, or what stands in its place; `field`: the member of the configuration that is about it. */
export const stsEndpoint = (name: string, address: string, field: string, caFile?: string): CloudEndpoint => ({
  name,
  address,
  ...(caFile !== undefined && { tls: { caFile, field } }),
});
