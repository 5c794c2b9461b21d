// The platform certificates of one credential: when its platform is asked for them next, and what it has listed.
import type { Clock } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import type { CertificateListState, Observe } from '../events.ts';
import type { Listed } from '../providers/certificate-list.ts';
import type { Material } from '../sources/source.ts';
import { type DownloadOptions, downloadCertificates } from './certificate-download.ts';
import type { OwnCalls } from './own-calls.ts';
import type { Scheduled } from './schedule.ts';
import { type Allowance, UnknownKeys } from './unknown-keys.ts';

export interface ListedOptions extends DownloadOptions {
  readonly everyMilliseconds: number;
}

export interface ListedDependencies {
  readonly calls: OwnCalls;
  readonly clock: Clock;
  /** From 0 to 1, as Math.random. */
  readonly random: () => number;
  readonly observe: Observe;
  /** Where the state is kept, for people. */
  readonly report: (credential: string, state: CertificateListState) => void;
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

export class ListedCertificates implements Scheduled {
  options: ListedOptions;
  readonly #dependencies: ListedDependencies;
  readonly #unknown = new UnknownKeys();
  readonly #followers = new Set<() => void>();
  #stop = new AbortController();
  #own: Pick<Material, 'revision' | 'data'> | undefined;
  #listed: Listed = new Map();
  #dueAt: number | undefined;
  #failures = 0;
  #state: CertificateListState | undefined;

  constructor(options: ListedOptions, dependencies: ListedDependencies) {
    this.options = options;
    this.#dependencies = dependencies;
  }

  get dueAt(): number | undefined {
    return this.#followers.size === 0 ? undefined : this.#dueAt;
  }

  get parts(): Listed {
    return this.#listed;
  }

  get isFollowed(): boolean {
    return this.#followers.size > 0;
  }

  /** Calls `changed` whenever another list was taken, until what it returns is called. */
  follow(changed: () => void): () => void {
    if (!this.isFollowed) {
      this.#stop = new AbortController();
      // What was learned before nobody followed may be old.
      if (this.#own !== undefined) this.#ask();
    }
    this.#followers.add(changed);
    return () => {
      this.#followers.delete(changed);
      if (!this.isFollowed) this.#stop.abort();
    };
  }

  /** The material to ask with. What is new may be of a merchant that has switched. */
  offer(own: Pick<Material, 'revision' | 'data'>): void {
    if (this.#own?.revision === own.revision) return;
    this.#own = own;
    this.#ask();
  }

  /** Something was signed with a key that is not known. */
  missed(keyId: string): void {
    const { options, dueAt } = this;
    const now = this.#dependencies.clock.now().getTime();
    if (dueAt === undefined || dueAt <= now || !options.list.mayList(keyId)) return;
    const allowance = this.#state?.outcome === 'absent' ? allowances.absent : allowances.listed;
    if (this.#unknown.admits(keyId, now, allowance)) this.#ask();
  }

  async run(): Promise<void> {
    const [own, { signal }] = [this.#own, this.#stop];
    this.#dueAt = undefined;
    if (own === undefined) return;
    const known = { data: own.data, listed: this.#listed };
    try {
      const result = await downloadCertificates(known, this.options, { ...this.#dependencies, signal });
      if (signal.aborted) return;
      if (result === undefined) this.#next(this.options.everyMilliseconds);
      else if (result === 'absent') this.#absent();
      else this.#take(result);
    } catch (error) {
      if (!signal.aborted) this.#failed(error);
    }
  }

  #ask(): void {
    this.#dueAt = this.#dependencies.clock.now().getTime();
    this.#dependencies.wake();
  }

  /** Unless somebody has asked meanwhile. */
  #next(milliseconds: number): void {
    const { clock, random } = this.#dependencies;
    this.#dueAt ??= clock.now().getTime() + milliseconds * (1 - spread + random() * spread * 2);
  }

  #take(listed: Listed): void {
    const isChanged = !isEqual(this.#listed, listed);
    this.#listed = listed;
    this.#failures = 0;
    this.#next(this.options.everyMilliseconds);
    this.#report({ outcome: 'listed', listedAt: this.#dependencies.clock.now() }, isChanged);
    if (isChanged) for (const changed of this.#followers) changed();
  }

  /** What was listed before stays: a merchant may still be switching, and what has expired counts for nothing. */
  #absent(): void {
    this.#failures = 0;
    this.#next(day);
    this.#report({ outcome: 'absent' });
  }

  #failed(error: unknown): void {
    const { observe } = this.#dependencies;
    const { credential, everyMilliseconds } = this.options;
    this.#next(Math.min(minute * 2 ** this.#failures, hour, everyMilliseconds));
    this.#failures = Math.min(this.#failures + 1, 16);
    if (!(error instanceof PaycertError)) observe({ type: 'internal-error', where: 'certificate-list', credential, error }); // prettier-ignore
    const known = error instanceof PaycertError ? error : new PaycertError('internal-error', 'downloading platform certificates failed unexpectedly'); // prettier-ignore
    this.#report({ outcome: 'failed', error: known });
  }

  #report(news: Pick<CertificateListState, 'outcome' | 'listedAt' | 'error'>, isChanged = false): void {
    const { clock, observe, report } = this.#dependencies;
    const { credential } = this.options;
    const before = this.#state;
    const state = { at: clock.now(), ...(before?.listedAt && { listedAt: before.listedAt }), ...news };
    this.#state = state;
    report(credential, state);
    const isNew = isChanged || before?.outcome !== state.outcome || before.error?.code !== state.error?.code;
    observe({ type: 'certificates-listed', credential, isChanged, isNew, ...state });
  }
}

function isEqual(one: Listed, other: Listed): boolean {
  return (
    one.size === other.size &&
    [...one].every(([name, bytes]) => Buffer.compare(bytes, other.get(name) ?? Buffer.of()) === 0)
  );
}
