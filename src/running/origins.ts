// Sessions at servers that keep keys: credentials that say the same of a server share one, with its log-in and its connections.
import type { Clock } from '../clock.ts';
import { defaults } from '../config/defaults.ts';
import type { ServerConfig } from '../config/schema/origins.ts';
import type { KeyServicesConfig } from '../config/schema/key-services.ts';
import type { SourceConfig } from '../config/schema/source.ts';
import type { Observe } from '../events.ts';
import { Consul, troubleOf as consulTrouble } from '../origins/consul/client.ts';
import { Places } from '../origins/consul/places.ts';
import { Etcd, troubleOf as etcdTrouble } from '../origins/etcd/client.ts';
import { Server, type ServerOptions } from '../origins/server.ts';
import { keyTroubleOf, troubleOf } from '../origins/vault/responses.ts';
import { Session } from '../origins/vault/session.ts';

type ConsulConfig = NonNullable<SourceConfig['consul']>;
type EtcdConfig = NonNullable<SourceConfig['etcd']>;
type VaultConfig = NonNullable<SourceConfig['vault']>;
type TransitConfig = NonNullable<KeyServicesConfig['hashivault']>;

interface Dependencies {
  readonly clock: Clock;
  readonly observe: Observe;
}

export class Origins {
  readonly #dependencies: Dependencies;
  readonly #shared = new Map<string, unknown>();

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
  }

  vault({ namespace, auth, ...config }: Pick<VaultConfig, keyof ServerConfig | 'namespace' | 'auth'>): Session {
    const { address, tls } = config;
    return this.#share(['vault', address, tls, namespace, auth], () => {
      const server = this.#server(config, { name: 'Vault', troubleOf });
      return new Session({ server, namespace, auth, random: Math.random, ...this.#dependencies });
    });
  }

  /** Of its own: signatures wait for no reading, and a node that fails is tried again as its breaker says. */
  transit({ namespace, auth, ...config }: TransitConfig): Session {
    const server = this.#server(config, { name: 'Vault', troubleOf: keyTroubleOf, longestPauseMilliseconds: 0 });
    return new Session({ server, namespace, auth, random: Math.random, ...this.#dependencies });
  }

  consul({ tokenFile, datacenter, connections = defaults.consulConnections, ...config }: ConsulConfig): Consul {
    const { address, tls } = config;
    // Its agent counts connections by where they come from, whatever token they have.
    const places = this.#share(['consul places', address, connections], () => new Places(connections));
    return this.#share(['consul', address, tls, tokenFile, datacenter, connections], () => {
      const server = this.#server(config, { name: 'Consul', troubleOf: consulTrouble });
      return new Consul({ server, places, tokenFile, datacenter });
    });
  }

  etcd({ user, ...config }: EtcdConfig): Etcd {
    const { address, tls } = config;
    return this.#share(['etcd', address, tls, user], () => {
      const server = this.#server(config, { name: 'etcd', troubleOf: etcdTrouble });
      return new Etcd({ server, user: user?.name, passwordFile: user?.passwordFile });
    });
  }

  #server(
    { address, tls }: ServerConfig,
    rules: Pick<ServerOptions, 'name' | 'troubleOf' | 'longestPauseMilliseconds'>,
  ): Server {
    const addresses = typeof address === 'string' ? [address] : address;
    return new Server({ addresses, tls, ...rules, random: Math.random, clock: this.#dependencies.clock });
  }

  /** Everything that makes it is in the key, so that what is found under it is of that kind. */
  #share<T>(key: readonly unknown[], make: () => T): T {
    const text = JSON.stringify(key);
    const shared = (this.#shared.get(text) as T | undefined) ?? make();
    this.#shared.set(text, shared);
    return shared;
  }
}
