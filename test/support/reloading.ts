// One credential's reload loop over fakes, moved one step at a time.
import type { TestContext } from 'node:test';
import { Limiter } from '../../src/store/limiter.ts';
import type { Observe } from '../../src/events.ts';
import type { Provider } from '../../src/providers/provider.ts';
import type { Snapshot } from '../../src/store/snapshot.ts';
import type { Credential, Dependencies } from '../../src/store/attempt.ts';
import { reloadLoop } from '../../src/store/reload.ts';
import { type Entry, Store } from '../../src/store/store.ts';
import { FakeClock } from './fake-clock.ts';
import { type Description, describeMaterial, fakeProvider } from './fake-provider.ts';
import { FakeSource } from './fake-source.ts';
import { Recorder } from './recorder.ts';

export interface ReloadingOptions {
  readonly name?: string;
  readonly clock?: FakeClock;
  readonly store?: Store;
  readonly provider?: Provider;
  readonly older?: Credential['older'];
  readonly graceMilliseconds?: number;
  readonly lastGood?: Credential['lastGood'];
  readonly liveCheck?: Credential['liveCheck'];
  readonly besideCheck?: Credential['besideCheck'];
  /** In place of the recorder. */
  readonly observe?: Observe;
}

const day = 86_400_000;

export class Reloading {
  readonly name: string;
  readonly clock: FakeClock;
  readonly store: Store;
  readonly source = new FakeSource();
  readonly recorder = new Recorder();
  readonly credential: Credential;
  readonly dependencies: Dependencies;
  readonly stop = new AbortController();
  readonly ended: Promise<void>;

  constructor(t: TestContext, options: ReloadingOptions = {}) {
    this.name = options.name ?? 'merchant';
    this.clock = options.clock ?? new FakeClock();
    this.store = options.store ?? new Store();
    this.store.declare(this.name, { provider: 'fake', isRequired: true, requires: ['sign'] });
    this.credential = {
      name: this.name,
      provider: options.provider ?? fakeProvider,
      source: this.source,
      older: options.older ?? 'accept',
      graceMilliseconds: options.graceMilliseconds ?? 7 * day,
      lastGood: options.lastGood,
      liveCheck: options.liveCheck,
      besideCheck: options.besideCheck,
    };
    const observe = options.observe ?? this.recorder.observe;
    this.dependencies = { store: this.store, clock: this.clock, limiter: new Limiter(8), observe };
    this.ended = reloadLoop(this.credential, this.dependencies, this.stop.signal);
    t.after(async () => {
      this.stop.abort();
      await this.ended;
    });
  }

  /** Does something that wakes the loop, and waits until it sleeps again. */
  async step(act: () => void): Promise<void> {
    const asleep = this.clock.nextSleep();
    act();
    await asleep;
  }

  /** The origin now holds this, and says so. */
  async load(description: Description): Promise<void> {
    this.source.content = describeMaterial(description);
    await this.look();
  }

  look(): Promise<void> {
    return this.step(() => this.source.tick());
  }

  get entry(): Entry {
    return this.store.entry(this.name);
  }

  get current(): Snapshot {
    return this.store.current(this.name);
  }

  /** Why the newest material is not current. */
  get rejection(): string | undefined {
    return this.entry.rejection?.error.code;
  }

  /** Why good material is not current yet. */
  get deferral(): string | undefined {
    return this.entry.deferral?.error.code;
  }

  /** The key id that signs; none before the first load. */
  get signsWith(): string | undefined {
    return this.entry.snapshot?.context.set.signer?.facts.keyId;
  }
}
