// One WeChat Pay credential whose platform certificates are downloaded: a real reload loop and real HTTP, with time that the test moves.
import type { TestContext } from 'node:test';
import type { PaycertError } from '../../src/errors.ts';
import { OwnCalls } from '../../src/gateway/own-calls.ts';
import { PlatformCertificates } from '../../src/gateway/platform-certificates.ts';
import { certificateList } from '../../src/providers/wechatpay/certificate-list.ts';
import { wechatpay } from '../../src/providers/wechatpay/provider.ts';
import { randomNonce } from '../../src/nonce.ts';
import type { Dependencies } from '../../src/store/attempt.ts';
import { Limiter } from '../../src/store/limiter.ts';
import { reloadLoop } from '../../src/store/reload.ts';
import { Store } from '../../src/store/store.ts';
import { useOf, within } from '../../src/store/use.ts';
import { type PlatformKey, signMessage, type WechatpayMaterial } from '../../src/testing/index.ts';
import type { Files } from '../../src/testing/secret-volume.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeSource } from './fake-source.ts';
import { Recorder } from './recorder.ts';
import { merchantId, now } from './wechatpay.ts';

const name = 'shop';
export const hour = 3_600_000;
export const day = 24 * hour;

/** What the merchant itself has: none of the platform's certificates. */
export const ownFiles = ({ files }: { readonly files: Files }): Files =>
  new Map([...files].filter(([part]) => !part.startsWith('wechatpay_')));

export class Listing {
  readonly clock = new FakeClock(now);
  readonly store = new Store();
  readonly recorder = new Recorder();
  readonly source = new FakeSource();
  readonly certificates: PlatformCertificates;
  /** Why the key service cannot be used. */
  keyTrouble: PaycertError | undefined;
  readonly dependencies: Dependencies;
  readonly #calls: OwnCalls;

  constructor(t: TestContext, files: Files) {
    const { clock, store } = this;
    const { observe } = this.recorder;
    this.dependencies = { store, clock, limiter: new Limiter(8), observe };
    this.#calls = new OwnCalls({ ...this.dependencies, milliseconds: () => clock.now().getTime() });
    this.certificates = new PlatformCertificates({
      ...{ calls: this.#calls, clock, observe, random: () => 0.5 },
      report: (credential, state) => store.update(credential, (entry) => ({ ...entry, certificateList: state })),
    });
    this.source.content = files;
    store.declare(name, { provider: 'wechatpay', isRequired: true, requires: ['sign', 'verify'] });
    t.after(() => this.#calls.close());
  }

  /** The source as it is configured, of this merchant or another. */
  decorated(address: string, merchant = merchantId) {
    const provider = wechatpay({ merchantId: merchant });
    const destinations = [{ origin: 'https://api.mch.weixin.qq.com', address }];
    const resolve = async () => new Map(this.keyTrouble ? [['apiclient_key.pem', this.keyTrouble]] : []);
    const options = { credential: name, provider, list: certificateList, destinations, resolve, everyMilliseconds: 6 * hour }; // prettier-ignore
    return { provider, source: this.certificates.add(this.source, options) };
  }

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
  async asked(act: () => void): Promise<string> {
    const asked = this.recorder.next('certificates-listed');
    act();
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

  /** The serial numbers of the platform certificates that verify now. */
  get serials(): readonly string[] {
    const keys = this.store.entry(name).snapshot?.context.set.keys ?? [];
    return keys.flatMap(({ role, keyId }) => (role === 'platform' ? [keyId] : [])).sort();
  }

  get state() {
    return this.store.entry(name).certificateList;
  }

  /** Verifies a response that the platform signed with that key, and notes a refusal as each way in does. */
  async verify(platformKey: PlatformKey): Promise<string> {
    const { clock, certificates, recorder } = this;
    const call = { id: '1', caller: { listener: 'test' }, credential: name, operation: 'verify', startedAt: clock.now(), signal: new AbortController().signal }; // prettier-ignore
    const observe = (event: Parameters<typeof recorder.observe>[0]) => {
      recorder.observe(event);
      certificates.noticed(event);
    };
    const use = useOf(this.store.current(name), within(call), { observe, nonce: randomNonce });
    try {
      const { keyId } = await use.verify({ kind: 'response', ...signMessage('{}', { platformKey, now: clock.now() }) });
      return keyId;
    } catch (error) {
      return (error as { code: string }).code;
    }
  }
}

export const serialsOf = ({ platformKeys }: Pick<WechatpayMaterial, 'platformKeys'>): readonly string[] =>
  platformKeys.flatMap(({ issued }) => (issued ? [issued.serialNumber] : [])).sort();
