// The callers in a process of their own, so that they do not wait for whoever rotates, nor the other way round.
import { type ChildProcess, fork } from 'node:child_process';
import process from 'node:process';
import { signMessage, type WechatpayMaterial } from '../../src/testing/index.ts';
import { Callers, type Counts, type CrowdOptions, type PlatformResponse } from './callers.ts';

type ToCrowd =
  | { readonly type: 'start'; readonly crowd: CrowdOptions; readonly answer: PlatformResponse }
  | { readonly type: 'announce'; readonly certificate: string }
  | { readonly type: 'follow'; readonly answer: PlatformResponse }
  | { readonly type: 'stop' };
type FromCrowd =
  { readonly type: 'seen'; readonly keyId: string } | { readonly type: 'stopped'; readonly counts: Counts };

/** Signed with the newest platform key of that version. */
function makeResponse({ platformKeys }: WechatpayMaterial): PlatformResponse {
  const platformKey = platformKeys.at(-1);
  if (platformKey === undefined) throw new Error('the material has no platform key');
  const { headers, body } = signMessage(Buffer.from('{"code":"SUCCESS"}'), { platformKey, now: new Date() });
  return { headers, body: Buffer.from(body).toString() };
}

export class Crowd {
  readonly #process: ChildProcess;
  readonly #seen = new Map<string, PromiseWithResolvers<void>>();
  readonly #stopped = Promise.withResolvers<Counts>();
  versionsSeen = 0;

  constructor(socket: string, { callers, pause }: { callers: number; pause: number }, first: WechatpayMaterial) {
    this.#process = fork(import.meta.filename, ['crowd']);
    this.#process.on('message', (message: FromCrowd) => {
      if (message.type === 'stopped') this.#stopped.resolve(message.counts);
      else {
        this.versionsSeen += 1;
        this.#seen.get(message.keyId)?.resolve();
      }
    });
    this.#send({ type: 'start', crowd: { socket, callers, pause }, answer: makeResponse(first) });
    this.announce(first);
  }

  #send(message: ToCrowd): void {
    this.#process.send(message);
  }

  /** A version that may become current from now on. */
  announce({ merchant }: WechatpayMaterial): void {
    this.#seen.set(merchant.serialNumber, Promise.withResolvers());
    this.#send({ type: 'announce', certificate: merchant.certificate });
  }

  /** When an answer names that version's certificate. */
  seen({ merchant }: WechatpayMaterial): Promise<void> {
    return this.#seen.get(merchant.serialNumber)?.promise ?? Promise.resolve();
  }

  /** The platform answers with the keys of that version from now on. */
  follow(version: WechatpayMaterial): void {
    this.#send({ type: 'follow', answer: makeResponse(version) });
  }

  stop(): Promise<Counts> {
    this.#send({ type: 'stop' });
    return this.#stopped.promise;
  }

  /** Ends it whatever it does. */
  kill(): void {
    this.#process.kill('SIGKILL');
  }
}

/** The other side: what the crowd's own process does. */
function serve(): void {
  let callers: Callers | undefined;
  const tell = (message: FromCrowd) => process.send?.(message);
  process.on('message', (message: ToCrowd) => {
    if (message.type === 'start') {
      callers = new Callers(message.crowd, message.answer, (keyId) => tell({ type: 'seen', keyId }));
    } else if (message.type === 'announce') callers?.announce(message.certificate);
    else if (message.type === 'follow') callers?.follow(message.answer);
    else void callers?.stop().then((counts) => process.send?.({ type: 'stopped', counts }, () => process.disconnect()));
  });
}

if (process.argv[2] === 'crowd') serve();
