// An endpoint of a cloud's KMS or of what lends keys to it, by the name that errors call it.
import { cloudConcurrent } from '../keys/cloud-keys.ts';
import { Server } from '../origins/server.ts';
import type { Dependencies } from '../store/attempt.ts';

export type CloudNeeds = Pick<Dependencies, 'clock' | 'observe'>;

export interface CloudEndpoint {
  readonly name: string;
  readonly address: string;
  /** Of a gateway of its own, which has a CA of its own; STS has none. Absent: Node's list. */
  readonly tls?: ConstructorParameters<typeof Server>[0]['tls'];
}

export const cloudServer = ({ name, address, tls }: CloudEndpoint, needs: CloudNeeds): Server =>
  new Server({
    ...{ name, addresses: [address], tls, ...needs, random: Math.random, maxSockets: cloudConcurrent },
    // A breaker decides when it is asked again.
    ...{ troubleOf: () => undefined, longestPauseMilliseconds: 0 },
  });
