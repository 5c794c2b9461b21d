// The reload loops of a configuration: one per credential, started, restarted and stopped as the file says.
import { isDeepStrictEqual } from 'node:util';
import type { Event } from '../events.ts';
import { OwnCalls } from '../gateway/own-calls.ts';
import { PlatformCertificates } from '../gateway/platform-certificates.ts';
import type { Learn } from '../gateway/proving.ts';
import type { Provider } from '../providers/provider.ts';
import type { Dependencies } from '../store/attempt.ts';
import { reloadLoop } from '../store/reload.ts';
import { buildCredential, buildPolicy, type BuildDependencies } from './build.ts';
import type { CredentialPolicy } from '../store/store.ts';
import type { CredentialConfig } from '../config/schema/credential.ts';
import { Origins } from './origins.ts';

interface Running {
  readonly config: CredentialConfig;
  readonly provider: Provider;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

export class Credentials {
  readonly #dependencies: Dependencies;
  readonly #building: BuildDependencies;
  readonly #calls: OwnCalls;
  readonly #certificates: PlatformCertificates;
  readonly #running = new Map<string, Running>();

  constructor(dependencies: Dependencies, building: BuildDependencies) {
    this.#dependencies = dependencies;
    const { store, clock, observe } = dependencies;
    const { wayOut, traceOf } = building;
    this.#calls = new OwnCalls({ ...dependencies, milliseconds: () => performance.now(), wayOut, traceOf });
    this.#certificates = new PlatformCertificates({
      ...{ calls: this.#calls, clock, observe, random: Math.random },
      report: (name, certificateList) => store.update(name, (entry) => ({ ...entry, certificateList })),
    });
    this.#building = {
      origins: new Origins(building),
      calls: this.#calls,
      certificates: this.#certificates,
      ...building,
    };
  }

  /** What happens elsewhere in this process, and may be a reason to ask a platform. */
  noticed(event: Event): void {
    this.#certificates.noticed(event);
  }

  /** Waits for a platform certificate that is being asked for: whether the credential has another set then. */
  readonly learn: Learn = (credential, keyId, gone) => this.#certificates.learn(credential, keyId, gone);

  /** Says what there will be, before anything is loaded: what is required is not ready from the first moment on. */
  declare(credentials: readonly CredentialConfig[]): void {
    for (const config of credentials) this.#dependencies.store.declare(config.name, buildPolicy(config));
  }

  /**
   * Makes what runs equal to what the configuration says; what did not change is left alone.
   * `withheld`: those that are known by name, and have nothing to load: callers learn that they are not ready.
   */
  apply(credentials: readonly CredentialConfig[], withheld: ReadonlyMap<string, CredentialPolicy> = new Map()): void {
    const wanted = new Map(credentials.map((config) => [config.name, config]));
    const gone = [...this.#running.keys()].filter((name) => !wanted.has(name));
    for (const name of gone) this.#remove(name);
    for (const [name, policy] of withheld) this.#dependencies.store.declare(name, policy);
    this.#building.lastGood?.retain(restorable(credentials, withheld));
    for (const config of credentials) {
      const running = this.#running.get(config.name);
      if (running && isDeepStrictEqual(running.config, config)) continue;
      this.#replace(config, running);
    }
  }

  async stop(): Promise<void> {
    const all = [...this.#running.values()];
    for (const { stop } of all) stop.abort();
    await Promise.all(all.map(({ ended }) => ended));
    await this.#calls.close();
  }

  #remove(name: string): void {
    const running = this.#running.get(name);
    this.#running.delete(name);
    running?.stop.abort();
    if (running) this.#certificates.forget(name, running.provider.identity);
    this.#building.lastGood?.forget(name);
    this.#dependencies.store.remove(name);
    this.#dependencies.observe({ type: 'credential-removed', credential: name });
  }

  #downloadNoMore(name: string, identity: string): void {
    this.#certificates.forget(name, identity);
    this.#dependencies.store.update(name, ({ certificateList: _, ...entry }) => entry);
  }

  /** New options replace the loop, not the snapshot: it stays current until the next load. Another merchant is another credential. */
  #replace(config: CredentialConfig, running: Running | undefined): void {
    const { name } = config;
    const built = buildCredential(config, this.#building);
    // The same rules keep what they know, such as which key has been proven.
    const isSame = running !== undefined && isDeepStrictEqual(running.config.provider, config.provider);
    const credential = isSame ? { ...built, provider: running.provider } : built;
    const { provider } = credential;
    // The old loop is not awaited: a read that hangs must not hold up the others, and a late result is discarded.
    if (running && running.provider.identity !== provider.identity) this.#remove(name);
    else running?.stop.abort();
    this.#dependencies.store.declare(name, buildPolicy(config));
    if (!downloads(config)) this.#downloadNoMore(name, provider.identity);
    if (running?.provider.identity !== provider.identity)
      this.#dependencies.observe({ type: 'credential-added', credential: name });
    const stop = new AbortController();
    const ended = reloadLoop(credential, this.#dependencies, stop.signal);
    this.#running.set(name, { config, provider, stop, ended });
  }
}

/** Another process may do so, and leave them in a Secret. */
const downloads = ({ platformCertificates: asked }: CredentialConfig): boolean =>
  asked !== undefined && !(typeof asked === 'object' && asked.secret !== undefined);

/** Whose last good material may be used after a restart: of one that is suspended nothing is left to use. */
const restorable = (
  credentials: readonly CredentialConfig[],
  withheld: ReadonlyMap<string, CredentialPolicy>,
): ReadonlySet<string> =>
  new Set([
    ...credentials.map(({ name }) => name),
    ...[...withheld].flatMap(([name, { suspendedSince }]) => (suspendedSince === undefined ? [name] : [])),
  ]);
