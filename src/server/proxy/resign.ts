// Signs what was verified, and nothing else, again with the throw-away identity that the application's SDK was given.
import { Readable } from 'node:stream';
import { rsaPkcs1 } from '../../crypto/suites.ts';
import type { GatewayResponse } from '../../gateway/client.ts';
import { singles } from '../../gateway/received.ts';
import { randomNonce } from '../../nonce.ts';
import type { Forwarding } from '../../providers/forwarding.ts';
import type { Call } from '../../store/call.ts';
import type { Limiter } from '../../store/limiter.ts';
import type { LocalIdentity } from './identity.ts';

export interface LocalSigning {
  readonly identity: LocalIdentity;
  /** Signatures take turns with those of the local API. */
  readonly limiter: Limiter;
}

export interface Answered {
  readonly call: Call;
  readonly forwarding: Forwarding;
  readonly apiMethod: string | undefined;
  readonly now: Date;
}

/** What the platform did not sign, or does not sign by design, stays as it came. */
export async function resigned(
  response: GatewayResponse,
  { call, forwarding, apiMethod, now }: Answered,
  { identity, limiter }: LocalSigning,
): Promise<GatewayResponse> {
  const { status, headers, body, verified, signed } = response;
  // Of a body that still arrives, what the platform signed for it.
  const content = signed ?? (body instanceof Readable ? undefined : { headers: singles(headers), body });
  if (verified !== 'yes' || forwarding.resign === undefined || content === undefined) return response;
  const { keyId, secret, privateKey } = identity;
  const sign = (message: Uint8Array) => limiter.run(call, () => rsaPkcs1.sign(privateKey, message));
  const own = await forwarding.resign(
    { status, ...content, apiMethod },
    { keyId, secret, now, nonce: randomNonce(), sign },
  );
  const kept = Object.entries({ ...headers, ...own.headers }).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return { ...response, headers: Object.fromEntries(kept), body: signed === undefined ? own.body : body };
}
