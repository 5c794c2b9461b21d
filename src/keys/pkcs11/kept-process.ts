// Keeps one process of a module: killed when it hangs, started again when it is needed, and the less often the longer it fails.
import { randomBytes } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import { PaycertError } from '../../errors.ts';
import type { Observe } from '../../events.ts';
import { Pause } from '../../origins/pause.ts';
import { ModuleProcess, ProcessEnded, ProcessLate } from './module-process.ts';
import type { Fault, Question, Said, Start } from './words.ts';

export interface KeptOptions extends Pick<Start, 'module' | 'tokens'> {
  readonly service: string;
  readonly environment: Readonly<Record<string, string>>;
  /** How many signatures it makes at once. */
  readonly sessions: number;
  /** For each question. */
  readonly deadlineMilliseconds: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly observe: Observe;
}

/** To load a module, which may look for its tokens in a network meanwhile. */
const startMilliseconds = 15_000;
const longestPauseMilliseconds = 10_000;
/** Beside those that sign: for the files of PINs. */
const otherThreads = 2;

/** What another process may do better, or another log-in. */
class Loss {
  readonly error: PaycertError;
  readonly of: 'process' | 'token';

  constructor(of: Loss['of'], error: PaycertError) {
    this.of = of;
    this.error = error;
  }
}

export class KeptProcess implements AsyncDisposable {
  readonly #options: KeptOptions;
  readonly #pause: Pause;
  /** By label: a token that is away keeps nobody from the others. */
  readonly #tokenPauses: ReadonlyMap<string, Pause>;
  readonly #salt = randomBytes(32).toString('hex');
  readonly #refusedPins: Record<string, string> = {};
  #current: { readonly process: ModuleProcess; readonly started: Promise<ModuleProcess> } | undefined;
  #former: Promise<void> = Promise.resolve();
  #losses = 0;
  #isClosed = false;

  constructor(options: KeptOptions) {
    const newPause = () => new Pause({ ...options, longestMilliseconds: longestPauseMilliseconds });
    this.#options = options;
    this.#pause = newPause();
    this.#tokenPauses = new Map(options.tokens.map(({ label }) => [label, newPause()]));
  }

  /** Once more in another process, where the first one ends or has lost its token. @throws PaycertError */
  async ask(question: Exclude<Question, Start>, what: string, signal: AbortSignal): Promise<Said> {
    const tokenPause = this.#tokenPauses.get(question.place.token);
    tokenPause?.assertOver();
    for (let isSecond = false; ; isSecond = true) {
      const process = await this.#running();
      const said = await this.#askOnce(process, question, what);
      if (!(said instanceof Loss)) {
        tokenPause?.end();
        return said;
      }
      if (said.of === 'token' && isSecond) tokenPause?.begin(said.error);
      else this.#end(process, said.error);
      if (isSecond || signal.aborted || said.error.code === 'key-service-timeout') throw said.error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#current?.process.close();
  }

  /** @throws PaycertError what is said of this key alone */
  async #askOnce(process: ModuleProcess, question: Question, what: string): Promise<Said | Loss> {
    const { deadlineMilliseconds } = this.#options;
    try {
      const reply = await process.ask(question, deadlineMilliseconds);
      // Whatever it says of a key or a token, it responds.
      this.#losses = 0;
      this.#pause.end();
      if (!('fault' in reply)) return reply;
      const error = this.#errorOf(reply.fault, what);
      if (reply.fault.kind === 'lost') return new Loss('token', error);
      throw error;
    } catch (error) {
      if (error instanceof ProcessLate)
        return new Loss('process', new PaycertError('key-service-timeout', `${what}: the module did not respond within ${String(deadlineMilliseconds)} ms, and its process was ended`)); // prettier-ignore
      if (error instanceof ProcessEnded)
        return new Loss('process', unavailable(`${what}: the process of the module ended`));
      throw error;
    }
  }

  async #running(): Promise<ModuleProcess> {
    const { environment, sessions, clock, deadlineMilliseconds } = this.#options;
    for (;;) {
      if (this.#isClosed) throw unavailable('the module is no longer used: paycert ends');
      if (this.#current !== undefined) return this.#current.started;
      this.#pause.assertOver();
      const former = this.#former;
      // A second process beside one that no signal ends would only hang as well.
      if (!(await isOver(former, clock, deadlineMilliseconds)))
        throw unavailable('the process of the module hangs in the kernel, and cannot be ended');
      // Somebody else waited for the same, and came first.
      if (this.#former !== former) continue;
      const process = new ModuleProcess({ environment, threads: sessions + otherThreads, clock });
      this.#former = process.ended;
      this.#current = { process, started: this.#start(process) };
    }
  }

  async #start(process: ModuleProcess): Promise<ModuleProcess> {
    const { module, tokens, service, observe } = this.#options;
    const question: Start = { ask: 'start', module, tokens, salt: this.#salt, refusedPins: this.#refusedPins };
    const what = `load ${module}`;
    try {
      const reply = await process.ask(question, startMilliseconds);
      if ('fault' in reply) throw this.#errorOf(reply.fault);
      observe({ type: 'key-process-started', service, ...(process.pid !== undefined && { pid: process.pid }) });
      return process;
    } catch (error) {
      const why = error instanceof PaycertError ? error : unavailable(`${what}: it hangs, or ends its process`);
      this.#losses += 1;
      this.#end(process, why);
      throw why;
    }
  }

  /** The first loss is made good at once; each further one without a success in between waits longer. */
  #end(process: ModuleProcess, error: PaycertError): void {
    if (this.#current?.process !== process) return;
    const { service, observe } = this.#options;
    this.#current = undefined;
    process.kill();
    if (this.#losses > 0) this.#pause.begin(error);
    this.#losses += 1;
    observe({ type: 'key-process-ended', service, error });
  }

  #errorOf({ kind, message, refusedPin }: Fault, what?: string): PaycertError {
    if (refusedPin) this.#refusedPins[refusedPin.token] = refusedPin.fingerprint;
    return new PaycertError(codes[kind], what === undefined ? message : `${what}: ${message}`);
  }
}

const codes = {
  package: 'package-missing',
  module: 'key-module-unusable',
  pin: 'key-pin-refused',
  missing: 'key-missing',
  refused: 'key-service-refused',
  lost: 'key-service-unavailable',
  failed: 'key-service-unavailable',
} as const;

const unavailable = (what: string) => new PaycertError('key-service-unavailable', what);

async function isOver(ended: Promise<void>, clock: Clock, milliseconds: number): Promise<boolean> {
  const over = new AbortController();
  const first = await Promise.race([ended.then(() => true), clock.sleep(milliseconds, over.signal).then(() => false)]);
  over.abort('done');
  return first;
}
