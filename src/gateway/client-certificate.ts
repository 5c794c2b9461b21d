// The certificate of the credential that a call shows in TLS, where its platform asks for one.
import { PaycertError } from '../errors.ts';
import type { Call } from '../store/call.ts';
import type { Snapshot } from '../store/snapshot.ts';
import type { Shown } from './connections.ts';
import type { Called } from './received.ts';

/** Undefined: none is shown. @throws PaycertError `no-client-certificate`: the platform asks for one, and there is none */
export function shownBy(
  { context: { tls } }: Snapshot,
  { credential }: Call,
  { request, forwarding, host }: Pick<Called, 'request' | 'forwarding'> & { readonly host: string },
): Shown | undefined {
  if (forwarding.showsCertificate?.(request) !== true) return undefined;
  if (tls !== undefined) return { credential, identity: tls.choose(host.replace(/:\d+$/, '')) };
  throw new PaycertError('no-client-certificate', 'the platform asks for a client certificate, and this credential has none'); // prettier-ignore
}
