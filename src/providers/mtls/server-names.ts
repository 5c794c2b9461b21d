// Which pair a server name chooses: Node's client cannot choose by the authorities that a server says it accepts.
import { PaycertError } from '../../errors.ts';
import type { TlsIdentities, TlsIdentity } from '../shared/tls-identity.ts';
import { defaultPair } from './parts.ts';

/** Host name, or `*.` and a domain → name of the pair. */
export type ServerNames = Readonly<Record<string, string>>;

/** As it stands in `serverNames`: lower case, without the root's dot. */
const normalize = (serverName: string): string => serverName.toLowerCase().replace(/\.$/, '');

/** The name itself first; then `*` for its first label and no other, as in certificates (RFC 9525 §6.3); then the default. */
export function chooseByName(all: readonly TlsIdentity[], serverNames: ServerNames): TlsIdentities {
  const byPair = new Map(all.map((identity) => [identity.name, identity]));
  const pairs = new Map(Object.entries(serverNames));
  return {
    all,
    choose(serverName = '') {
      const name = normalize(serverName);
      const pair = pairs.get(name) ?? pairs.get(name.replace(/^[^.]+/, '*')) ?? defaultPair;
      const identity = byPair.get(pair);
      if (identity !== undefined) return identity;
      throw new PaycertError('server-name-unknown', 'no certificate is configured for this server name', {
        field: 'serverNames',
      });
    },
  };
}
