// One Alipay credential whose certificates are asked for by their SN: a real reload loop and real HTTP, with time that the test moves.
import type { TestContext } from 'node:test';
import type { Event } from '../../src/events.ts';
import { OwnCalls } from '../../src/gateway/own-calls.ts';
import { PlatformCertificates } from '../../src/gateway/platform-certificates.ts';
import { randomNonce } from '../../src/nonce.ts';
import { certificateBySerial } from '../../src/providers/alipay/downloaded.ts';
import { alipay } from '../../src/providers/alipay/provider.ts';
import { Limiter } from '../../src/store/limiter.ts';
import { reloadLoop } from '../../src/store/reload.ts';
import { Store } from '../../src/store/store.ts';
import { useOf, within } from '../../src/store/use.ts';
import type { AlipayKey } from '../../src/testing/alipay-material.ts';
import { makeGatewayResponse } from '../../src/testing/alipay-message.ts';
import type { Files } from '../../src/testing/secret-volume.ts';
import { appId, now } from './alipay.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeSource } from './fake-source.ts';
import { Recorder } from './recorder.ts';

const name = 'shop';
const apiMethod = 'alipay.trade.query';
const content = '{"code":"10000","trade_status":"TRADE_SUCCESS"}';

export class Asking {
  readonly clock = new FakeClock(now);
  readonly store = new Store();
  readonly recorder = new Recorder();
  readonly source = new FakeSource();
  readonly certificates: PlatformCertificates;
  readonly #dependencies;
  readonly #calls: OwnCalls;

  constructor(t: TestContext, files: Files) {
    const { clock, store } = this;
    const observe = (event: Event) => {
      this.recorder.observe(event);
      this.certificates.noticed(event);
    };
    this.#dependencies = { store, clock, limiter: new Limiter(8), observe };
    this.#calls = new OwnCalls({ ...this.#dependencies, milliseconds: () => clock.now().getTime() });
    this.certificates = new PlatformCertificates({
      ...{ calls: this.#calls, clock, observe, random: () => 0.5 },
      report: (credential, state) => store.update(credential, (entry) => ({ ...entry, certificateList: state })),
    });
    this.source.content = files;
    store.declare(name, { provider: 'alipay', isRequired: true, requires: ['sign', 'verify'] });
    t.after(() => this.#calls.close());
  }

  /** The source as it is configured, of this application or another. */
  decorated(address: string, application = appId) {
    const provider = alipay({ appId: application, mode: 'certificate' });
    const destinations = [{ origin: 'https://openapi.alipay.com', address }];
    const options = { credential: name, provider, bySerial: certificateBySerial, destinations };
    return { provider, source: this.certificates.addAsked(this.source, options) };
  }

  /** Runs its reload loop until the end of the test, and waits for the first set. */
  async start(t: TestContext, address: string): Promise<void> {
    const stop = new AbortController();
    const credential = {
      name,
      ...this.decorated(address),
      older: 'accept',
      graceMilliseconds: 7 * 86_400_000,
    } as const;
    const swapped = this.recorder.next('swapped');
    const ended = reloadLoop(credential, this.#dependencies, stop.signal);
    t.after(async () => {
      stop.abort();
      await ended;
    });
    this.source.tick('start');
    await swapped;
  }

  /** What comes of the next question, once `act` is done. */
  async asked(act: () => unknown): Promise<string> {
    const asked = this.recorder.next('certificates-listed');
    await act();
    const { outcome, error } = await asked;
    return error?.code ?? outcome;
  }

  async swapped(act: () => unknown): Promise<void> {
    const swapped = this.recorder.next('swapped');
    await act();
    await swapped;
  }

  /** How often the platform was asked. */
  get questions(): number {
    return this.recorder.of('certificates-listed').length;
  }

  get state() {
    return this.store.entry(name).certificateList;
  }

  /** The SNs that verify now. */
  get serials(): readonly string[] {
    const keys = this.store.entry(name).snapshot?.context.set.keys ?? [];
    return keys.flatMap(({ role, keyId }) => (role === 'platform' ? [keyId] : [])).sort();
  }

  /** Verifies a response of v2 that Alipay signed with that key, and notes a refusal as each way in does. */
  async verify(alipayKey: AlipayKey): Promise<string> {
    const { clock } = this;
    const call = { id: '1', caller: { listener: 'test' }, credential: name, operation: 'verify', startedAt: clock.now(), signal: new AbortController().signal }; // prettier-ignore
    const use = useOf(this.store.current(name), within(call), {
      observe: this.#dependencies.observe,
      nonce: randomNonce,
    });
    try {
      const body = makeGatewayResponse(apiMethod, content, { alipayKey });
      return (await use.verify({ kind: 'response', apiMethod, body })).keyId;
    } catch (error) {
      return (error as { code: string }).code;
    }
  }
}
