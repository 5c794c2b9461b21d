// What became of each file that the process follows: whether its newest content is current, or why not, for the status.
import type { PaycertError } from '../errors.ts';
import type { Event, FollowedFile } from '../events.ts';

/** A sidecar's; the operator follows a certificate, and has no status. */
type OwnFile = Exclude<FollowedFile, 'certificate'>;

export interface FileState {
  readonly file: OwnFile;
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
    if (event.type === 'configured') this.#states.set('configuration', { file: 'configuration' });
    if (event.type === 'token-replaced') this.#states.set(event.file, { file: event.file });
    if (event.type === 'config-rejected' && event.file !== 'certificate')
      this.#states.set(event.file, { file: event.file, rejection: { at: this.#now(), error: event.error } });
  }

  list(): readonly FileState[] {
    return [...this.#states.values()];
  }
}
