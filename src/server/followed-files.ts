// What became of each file that the process follows: whether its newest content is current, or why not, for the status.
import type { PaycertError } from '../errors.ts';
import type { CertificateFile, Event, FollowedFile } from '../events.ts';

/** A sidecar's; the operator follows certificates, and has no status. */
type OwnFile = Exclude<FollowedFile, CertificateFile>;

const isOwn = (file: FollowedFile): file is OwnFile => file !== 'certificate' && file !== 'admission-certificate';

export interface FileState {
  readonly file: OwnFile;
  /** Where it is mounted so that it never updates. */
  readonly frozenPaths?: readonly string[];
  /** Why its newest content is not current: the next start would fail on it. */
  readonly rejection?: { readonly at: Date; readonly error: PaycertError };
}

/** An observer that remembers the last event about each file. */
export class FollowedFiles {
  readonly #states = new Map<OwnFile, FileState>();
  readonly #now: () => Date;

  constructor(files: readonly OwnFile[], now: () => Date) {
    for (const file of files) this.#states.set(file, { file });
    this.#now = now;
  }

  observe(event: Event): void {
    if (event.type === 'configured') this.#become('configuration', {});
    if (event.type === 'token-replaced') this.#become(event.file, {});
    if (event.type === 'config-rejected' && isOwn(event.file))
      this.#become(event.file, { rejection: { at: this.#now(), error: event.error } });
    if (event.type === 'mount-frozen' && event.file !== undefined && isOwn(event.file))
      this.#states.set(event.file, { ...this.#states.get(event.file), file: event.file, frozenPaths: event.paths });
  }

  /** A mount stays as it is, whatever becomes of what it holds. */
  #become(file: OwnFile, { rejection }: Pick<FileState, 'rejection'>): void {
    const before = this.#states.get(file);
    // A configuration that is no file.
    if (before === undefined) return;
    const { frozenPaths } = before;
    this.#states.set(file, { file, ...(frozenPaths && { frozenPaths }), ...(rejection && { rejection }) });
  }

  list(): readonly FileState[] {
    return [...this.#states.values()];
  }
}
