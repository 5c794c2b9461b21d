// A real source, such as a directory that is watched for real, under one reload loop; tests wait for what it tells.
import type { TestContext } from 'node:test';
import { Limiter } from '../../src/store/limiter.ts';
import { type Clock, systemClock } from '../../src/clock.ts';
import type { Observe } from '../../src/events.ts';
import type { Provider } from '../../src/providers/provider.ts';
import { files } from '../../src/sources/files.ts';
import type { Source } from '../../src/sources/source.ts';
import { reloadLoop } from '../../src/store/reload.ts';
import type { Snapshot } from '../../src/store/snapshot.ts';
import { Store } from '../../src/store/store.ts';
import { fakeProvider } from './fake-provider.ts';
import { Recorder } from './recorder.ts';

const name = 'merchant';

export interface WatchingOptions {
  readonly paths?: readonly string[];
  /** Another source than files. */
  readonly source?: (parts: { readonly clock: Clock; readonly observe: Observe }) => Source;
  /** A poll that never comes, unless the test is about the poll. */
  readonly pollMilliseconds?: number;
  readonly clock?: Clock;
  readonly provider?: Provider;
}

export class Watching {
  readonly store = new Store();
  readonly recorder = new Recorder();

  constructor(t: TestContext, options: WatchingOptions) {
    const { paths = [], pollMilliseconds = 3_600_000, clock = systemClock, provider = fakeProvider } = options;
    const { observe } = this.recorder;
    const makeFiles = () => files({ paths, pollMilliseconds, clock, observe });
    this.store.declare(name, { provider: provider.id, isRequired: true, requires: ['sign'] });
    const source = options.source?.({ clock, observe }) ?? makeFiles();
    const stop = new AbortController();
    const ended = reloadLoop(
      { name, provider, source, older: 'accept', graceMilliseconds: 86_400_000 },
      { store: this.store, clock, limiter: new Limiter(8), observe },
      stop.signal,
    );
    t.after(async () => {
      stop.abort();
      await ended;
    });
  }

  get current(): Snapshot {
    return this.store.current(name);
  }

  get rejection(): string | undefined {
    return this.store.entry(name).rejection?.error.code;
  }

  get signsWith(): string | undefined {
    return this.store.entry(name).snapshot?.context.set.signer?.facts.keyId;
  }

  /** Resolves once that key signs: at once if it does. */
  async untilSignsWith(keyId: string): Promise<void> {
    if (this.signsWith !== keyId) await this.recorder.next('swapped', (event) => event.keyId === keyId);
  }

  /** Does something to the files, and waits until a key signs because of it. */
  async change(act: () => Promise<unknown>, keyId: string): Promise<void> {
    await Promise.all([this.untilSignsWith(keyId), act()]);
  }
}
