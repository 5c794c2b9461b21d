// One credential whose platform certificates are downloaded: a real reload loop and real HTTP, with time that the test moves.
import type { TestContext } from 'node:test';
import type { Event } from '../../src/events.ts';
import { OwnCalls } from '../../src/gateway/own-calls.ts';
import { PlatformCertificates } from '../../src/gateway/platform-certificates.ts';
import { randomNonce } from '../../src/nonce.ts';
import type { Provider } from '../../src/providers/provider.ts';
import type { Source } from '../../src/sources/source.ts';
import type { Dependencies } from '../../src/store/attempt.ts';
import { Limiter } from '../../src/store/limiter.ts';
import { reloadLoop } from '../../src/store/reload.ts';
import { Store } from '../../src/store/store.ts';
import type { ReceivedInput } from '../../src/store/one-use.ts';
import { CredentialUse } from '../../src/store/credential-use.ts';
import { within } from '../../src/store/use.ts';
import type { Files } from '../../src/testing/secret-volume.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeSource } from './fake-source.ts';
import { Recorder } from './recorder.ts';

export const name = 'shop';
export const hour = 3_600_000;
export const day = 24 * hour;

export abstract class Downloading {
  readonly clock;
  readonly store = new Store();
  readonly recorder = new Recorder();
  readonly source = new FakeSource();
  readonly certificates: PlatformCertificates;
  readonly dependencies: Dependencies;
  readonly #calls: OwnCalls;

  constructor(t: TestContext, { files, platform, now }: { readonly files: Files; platform: string; now: Date }) {
    const { store } = this;
    const clock = new FakeClock(now);
    this.clock = clock;
    const observe = (event: Event) => {
      this.recorder.observe(event);
      this.certificates.noticed(event);
    };
    this.dependencies = { store, clock, limiter: new Limiter(8), observe };
    this.#calls = new OwnCalls({ ...this.dependencies, milliseconds: () => clock.now().getTime() });
    this.certificates = new PlatformCertificates({
      ...{ calls: this.#calls, clock, observe, random: () => 0.5 },
      report: (credential, state) => store.update(credential, (entry) => ({ ...entry, certificateList: state })),
    });
    this.source.content = files;
    store.declare(name, { provider: platform, isRequired: true, requires: ['sign', 'verify'] });
    t.after(() => this.#calls.close());
  }

  /** The source as it is configured, of this owner or another. */
  abstract decorated(address: string, owner?: string): { readonly provider: Provider; readonly source: Source };

  /** Runs its reload loop until the end of the test, or until what it returns is called. */
  start(t: TestContext, address: string): () => Promise<void> {
    const stop = new AbortController();
    const credential = { name, ...this.decorated(address), older: 'accept', graceMilliseconds: 7 * day } as const;
    const ended = reloadLoop(credential, this.dependencies, stop.signal);
    this.source.tick('start');
    const end = async () => {
      stop.abort();
      await ended;
    };
    t.after(end);
    return end;
  }

  /** What comes of the next download, once `act` is done. */
  async asked(act: () => unknown): Promise<string> {
    const asked = this.recorder.next('certificates-listed');
    await act();
    const { outcome, error } = await asked;
    return error?.code ?? outcome;
  }

  /** A swap that follows what `act` does. */
  async swapped(act: () => unknown): Promise<void> {
    const swapped = this.recorder.next('swapped');
    await act();
    await swapped;
  }

  /** How often the platform was asked. */
  get downloads(): number {
    return this.recorder.of('certificates-listed').length;
  }

  /** The numbers of the platform certificates that verify now. */
  get serials(): readonly string[] {
    const keys = this.store.entry(name).snapshot?.context.set.keys ?? [];
    return keys.flatMap(({ role, keyId }) => (role === 'platform' ? [keyId] : [])).sort();
  }

  get state() {
    return this.store.entry(name).certificateList;
  }

  /** The id of the key that a response verifies with, or why it does not; a refusal is noted as each way in does. */
  async keyOf(response: ReceivedInput): Promise<string> {
    const { clock } = this;
    const call = { id: '1', caller: { listener: 'test' }, credential: name, operation: 'verify', startedAt: clock.now(), signal: new AbortController().signal }; // prettier-ignore
    const { observe } = this.dependencies;
    const use = new CredentialUse(this.store.current(name), within(call), { observe, nonce: randomNonce });
    try {
      return (await use.verify(response)).keyId;
    } catch (error) {
      return (error as { code: string }).code;
    }
  }
}
