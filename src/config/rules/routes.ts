// What no schema can say of the proxy’s routes: that each fits the credential that it names.
import type { Config } from '../schema/config.ts';
import type { CredentialConfig } from '../schema/credential.ts';
import type { Sound } from '../sound.ts';
import type { Path } from '../yaml.ts';
import type { Fault } from './fault.ts';
import { platformsOf } from './platforms.ts';

/** What routes may name; an entry whose name is refused may be the one that a route means. */
export interface Named {
  readonly name: string | undefined;
  /** Of one that is described here, and whose description is in order. */
  readonly provider?: CredentialConfig['provider'] | undefined;
}

/** What a route says of a credential that is described here must fit it; of one that comes from a resource, the call says. */
export function* routeFaults(proxy: Sound<Config>['proxy'], entries: readonly Named[]): Generator<Fault> {
  const known = new Map(entries.map(({ name, provider }) => [name, provider]));
  const isUncertain = known.has(undefined);
  const seen = new Set<string>();
  for (const [index, route] of (proxy?.routes ?? []).entries()) {
    const { credential, origin, double, spareDouble } = route ?? {};
    const at = (member: string): Path => ['proxy', 'routes', index, member];
    if (spareDouble !== undefined && double === undefined)
      yield { path: at('spareDouble'), message: 'stands beside a double, which is not given', absent: [at('double')] };
    if (credential === undefined) continue;
    if (seen.has(credential)) yield { path: at('credential'), message: 'is named by an earlier route' };
    seen.add(credential);
    if (!known.has(credential)) {
      if (!isUncertain) yield { path: at('credential'), message: 'is no credential of this file' };
      continue;
    }
    const sound = platformsOf(known.get(credential));
    const own = sound.flatMap(({ platform, options }) => platform.origins(options));
    if (known.get(credential) === undefined) continue;
    if (double === undefined && own.length === 0 && sound.some(({ platform }) => platform.forwards !== undefined))
      yield {
        path: at('credential'),
        message: 'is a partner whose address nothing says: set `origin` under its provider',
        absent: [at('double')],
      };
    else if (own.some((one) => one.includes('*')) && double === undefined)
      yield {
        path: at('credential'),
        message: 'has a platform of many hosts: name those that are called in its provider’s `endpoints`',
        absent: [at('double')],
      };
    else if (origin !== undefined && !own.includes(origin))
      yield { path: at('origin'), message: `is not one of the platform’s: ${own.join(', ')}` };
  }
}
