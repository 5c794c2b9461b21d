// The platform certificates of one credential of this process: what its platform has listed, and who wants to hear of it.
import { isSameList, type Listed } from '../providers/certificate-list.ts';
import type { Material } from '../sources/source.ts';
import { type DownloadOptions, downloadCertificates } from './certificate-download.ts';
import { type Asked, ListRounds, type RoundsDependencies, type RoundsOptions } from './list-rounds.ts';
import type { OwnCalls } from './own-calls.ts';
import type { Followed } from './followed.ts';

export type ListedOptions = DownloadOptions & RoundsOptions;

export interface ListedDependencies extends RoundsDependencies {
  readonly calls: OwnCalls;
  /** Something new is known of that credential, which its source gives from now on. */
  readonly brought: (credential: string) => void;
}

export class ListedCertificates implements Followed {
  #options: ListedOptions;
  readonly #dependencies: ListedDependencies;
  readonly #rounds: ListRounds;
  readonly #followers = new Set<() => void>();
  #own: Pick<Material, 'revision' | 'data'> | undefined;
  #listed: Listed = new Map();

  constructor(options: ListedOptions, dependencies: ListedDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
    this.#rounds = new ListRounds(options, (signal) => this.#download(signal), dependencies);
  }

  get options(): ListedOptions {
    return this.#options;
  }

  set options(options: ListedOptions) {
    this.#options = options;
    this.#rounds.options = options;
  }

  get dueAt(): number | undefined {
    return this.isFollowed ? this.#rounds.dueAt : undefined;
  }

  get parts(): Listed {
    return this.#listed;
  }

  get isFollowed(): boolean {
    return this.#followers.size > 0;
  }

  follow(changed: () => void): () => void {
    // What was learned before nobody followed may be old.
    if (!this.isFollowed && this.#own !== undefined) this.#rounds.askNow();
    this.#followers.add(changed);
    return () => {
      this.#followers.delete(changed);
      if (!this.isFollowed) this.#rounds.stop();
    };
  }

  /** The material to ask with. What is new may be of a merchant that has switched. */
  offer(own: Pick<Material, 'revision' | 'data'>): void {
    if (this.#own?.revision === own.revision) return;
    this.#own = own;
    this.#rounds.askNow();
  }

  /** Another set is current, whose key may be one that the platform has only now. */
  loaded(): void {
    if (this.isFollowed) this.#rounds.retry();
  }

  /** Something was signed with a key that is not known. */
  missed(keyId: string): void {
    if (this.isFollowed) this.#rounds.missed(keyId);
  }

  /** What comes of asking that is under way, of which that key may be; false where none is, or nobody waits any more. */
  async settled(keyId: string, gone: AbortSignal): Promise<boolean> {
    return this.isFollowed && (await this.#rounds.settled(keyId, gone));
  }

  async run(): Promise<void> {
    await this.#rounds.run();
  }

  async #download(signal: AbortSignal): Promise<Asked> {
    const [own, before] = [this.#own, this.#listed];
    if (own === undefined) return undefined;
    const known = { data: own.data, listed: before };
    const listed = await downloadCertificates(known, this.#options, { ...this.#dependencies, signal });
    if (listed === undefined || listed === 'absent') return listed;
    if (signal.aborted) return undefined;
    const isChanged = !isSameList(before, listed);
    this.#listed = listed;
    if (isChanged) this.#dependencies.brought(this.#options.credential);
    if (isChanged) for (const changed of this.#followers) changed();
    return { isChanged };
  }
}
