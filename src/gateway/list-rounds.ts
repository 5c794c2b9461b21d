// When a platform is asked for its certificates: now, after a while, sooner after a failure, and for a key that nobody knows.
import type { CertificateList } from '../providers/certificate-list.ts';
import { ListReport, type ListReportOptions } from './list-report.ts';
import type { Scheduled } from './schedule.ts';
import { type Allowance, UnknownKeys } from './unknown-keys.ts';
import { Waiting } from './waiting.ts';

export interface RoundsOptions {
  readonly credential: string;
  readonly list: Pick<CertificateList, 'mayList'>;
  readonly everyMilliseconds: number;
}

/** What came of asking. Undefined: nothing could be asked, for a reason that is said elsewhere. */
export type Asked = { readonly isChanged: boolean } | 'absent' | undefined;

export interface RoundsDependencies extends ListReportOptions {
  /** From 0 to 1, as Math.random. */
  readonly random: () => number;
  /** It is due at another time. */
  readonly wake: () => void;
}

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** How often unknown keys may have the platform asked; a merchant that is verified with a public key only may have switched back. */
const allowances = {
  listed: { most: 6, milliseconds: hour },
  absent: { most: 1, milliseconds: day },
} as const satisfies Record<string, Allowance>;

/** How far from the time configured it may be, either way, so that many do not ask at once. */
const spread = 0.1;

export class ListRounds implements Scheduled {
  options: RoundsOptions;
  readonly #ask: (signal: AbortSignal) => Promise<Asked>;
  readonly #dependencies: RoundsDependencies;
  readonly #report: ListReport;
  readonly #unknown = new UnknownKeys();
  readonly #waiting = new Waiting();
  #isAsking = false;
  #stop = new AbortController();
  #dueAt: number | undefined;
  #askedAt: number | undefined;
  #failures = 0;

  /** `ask`: asks once. @throws PaycertError why that failed */
  constructor(options: RoundsOptions, ask: (signal: AbortSignal) => Promise<Asked>, dependencies: RoundsDependencies) {
    this.options = options;
    this.#ask = ask;
    this.#dependencies = dependencies;
    this.#report = new ListReport(dependencies);
  }

  get dueAt(): number | undefined {
    return this.#dueAt;
  }

  /** Asks as soon as there is a turn; `pauseMilliseconds`: not sooner than that after the last time. */
  askNow(pauseMilliseconds = 0): void {
    const now = this.#dependencies.clock.now().getTime();
    const soonest = this.#askedAt === undefined || this.#askedAt > now ? now : this.#askedAt + pauseMilliseconds;
    this.#dueAt = Math.max(now, soonest);
    this.#dependencies.wake();
  }

  /** Another set is current. It may have been refused until its key was known to the platform, as the asking with it was. */
  retry(): void {
    if (this.#report.outcome === 'failed' && !this.#isAsking) this.askNow();
  }

  /** Something was signed with a key that is not known. */
  missed(keyId: string): void {
    const { options, dueAt } = this;
    const now = this.#dependencies.clock.now().getTime();
    if (dueAt === undefined || dueAt <= now || !options.list.mayList(keyId)) return;
    const allowance = this.#report.outcome === 'absent' ? allowances.absent : allowances.listed;
    if (this.#unknown.admits(keyId, now, allowance)) this.askNow();
  }

  /**
   * What comes of asking that is under way or due, for a key that may be listed: whether something else is listed then. False at
   * once where there is none: what is asked for again later is waited for by nobody.
   */
  async settled(keyId: string, gone: AbortSignal): Promise<boolean> {
    const isDue = this.#dueAt !== undefined && this.#dueAt <= this.#dependencies.clock.now().getTime();
    if (!(this.#isAsking || isDue) || !this.options.list.mayList(keyId)) return false;
    return this.#waiting.wait(gone);
  }

  /** What is under way changes nothing any more. */
  stop(): void {
    this.#stop.abort();
    this.#stop = new AbortController();
    this.#waiting.tell(false);
  }

  async run(): Promise<void> {
    this.#isAsking = true;
    const isChanged = await this.#round(this.#stop.signal);
    this.#isAsking = false;
    this.#waiting.tell(isChanged);
  }

  /** Whether something else is listed now. */
  async #round(signal: AbortSignal): Promise<boolean> {
    const { credential, everyMilliseconds } = this.options;
    this.#dueAt = undefined;
    this.#askedAt = this.#dependencies.clock.now().getTime();
    try {
      const asked = await this.#ask(signal);
      if (signal.aborted) return false;
      if (asked !== undefined) this.#failures = 0;
      this.#next(asked === 'absent' ? day : everyMilliseconds);
      if (asked === 'absent') this.#report.tell(credential, { outcome: 'absent' });
      else if (asked !== undefined)
        this.#report.tell(credential, { outcome: 'listed', listedAt: this.#dependencies.clock.now() }, asked.isChanged);
      return asked !== undefined && asked !== 'absent' && asked.isChanged;
    } catch (error) {
      if (!signal.aborted) this.#failed(error);
      return false;
    }
  }

  /** Unless somebody has asked meanwhile. */
  #next(milliseconds: number): void {
    const { clock, random } = this.#dependencies;
    this.#dueAt ??= clock.now().getTime() + milliseconds * (1 - spread + random() * spread * 2);
  }

  #failed(error: unknown): void {
    const { credential, everyMilliseconds } = this.options;
    this.#next(Math.min(minute * 2 ** this.#failures, hour, everyMilliseconds));
    this.#failures = Math.min(this.#failures + 1, 16);
    this.#report.failed(credential, error);
  }
}
