// The directory that keeps what was accepted last through a restart of the container: a file for each credential of this pod.
import { readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type ErrorCode, PaycertError } from '../errors.ts';
import { decodeKept, encodeKept, type Kept } from './last-good-form.ts';
import { NotPrivate, openPrivateDirectory, readPrivateFile, replacePrivateFile } from './private-memory.ts';
import { type Material, material, ownPart } from './source.ts';

export interface LastGoodOptions {
  readonly directory: string;
  /** The pod’s uid: a volume that outlives a pod is of no use to the next one. */
  readonly pod: string | undefined;
}

/** Whose material it is: another account is another credential. */
export type Owner = Pick<Kept, 'credential' | 'identity'>;

/** Material that was accepted before. */
export interface Restorable {
  readonly material: Material;
  readonly keptAt: Date;
}

/** Where one credential’s accepted material is kept, and nobody else’s. */
export interface LastGood {
  /** What was kept last, with what is fetched beside it now; undefined where nothing is. @throws PaycertError */
  read(signal: AbortSignal): Promise<Restorable | undefined>;
  /** @throws PaycertError */
  keep(material: Material, at: Date): void;
  /** Forgets what is kept, if it is this: then true. */
  drop(material: Material): boolean;
}

/** More than one source gives at once. */
const maxBytes = 5 * 1024 * 1024;

export class LastGoodDirectory {
  readonly #directory: string;
  readonly #pod: string;
  /** The files that are there; undefined before the first look. */
  #names: Set<string> | undefined;

  constructor({ directory, pod = '' }: LastGoodOptions) {
    this.#directory = resolve(directory);
    this.#pod = pod;
  }

  /**
   * What was kept last for this owner; undefined where nothing is. What is refused is removed: it will not become better.
   * @throws PaycertError `last-good-unusable`, `last-good-refused`
   */
  read(owner: Owner): Restorable | undefined {
    const { credential } = owner;
    if (!this.#open().has(credential)) return undefined;
    try {
      return explained('last-good-refused', `what was kept of ${credential}`, () => {
        const { data, version, keptAt, ...kept } = decodeKept(readPrivateFile(this.#pathOf(credential), maxBytes));
        assertOf(kept, { pod: this.#pod, ...owner });
        return { material: material(data, { ...(version !== undefined && { version }) }), keptAt };
      });
    } catch (error) {
      this.forget(credential);
      throw error;
    }
  }

  /**
   * Without what was fetched beside it. What cannot be kept takes what was kept before with it: an older set is not the last good.
   * @throws PaycertError `last-good-unusable`
   */
  keep(owner: Owner, accepted: Material, keptAt: Date): void {
    const { credential } = owner;
    const names = this.#open();
    const { data, version } = ownPart(accepted);
    const bytes = encodeKept({ pod: this.#pod, ...owner, ...(version !== undefined && { version }), keptAt, data });
    try {
      this.#explained(() => {
        if (bytes.byteLength > maxBytes) throw new NotPrivate(`takes no more than ${String(maxBytes)} bytes each`);
        replacePrivateFile(this.#directory, credential, bytes);
      });
      names.add(credential);
    } catch (error) {
      this.forget(credential);
      throw error;
    }
  }

  forget(credential: string): void {
    if (this.#names?.delete(credential) === true) rmSync(this.#pathOf(credential), { force: true });
  }

  /** Removes what is kept of any other credential, and what was not written to its end. */
  retain(credentials: ReadonlySet<string>): void {
    try {
      for (const name of this.#open()) if (!credentials.has(name)) this.forget(name);
    } catch (error) {
      // Nothing of it can be used either; each credential says why.
      if (!(error instanceof PaycertError)) throw error;
    }
  }

  /** Looks each time: it may be another directory since. */
  #open(): Set<string> {
    this.#explained(() => {
      if (this.#pod === '') throw new NotPrivate('is of an unknown pod: PAYCERT_POD_UID is not set');
      openPrivateDirectory(this.#directory);
    });
    return (this.#names ??= new Set(readdirSync(this.#directory)));
  }

  #pathOf(credential: string): string {
    return join(this.#directory, credential);
  }

  #explained<T>(work: () => T): T {
    return explained('last-good-unusable', `lastGood.directory ${this.#directory}`, work);
  }
}

function assertOf(kept: Pick<Kept, 'pod' | 'credential' | 'identity'>, owner: typeof kept): void {
  if (kept.pod !== owner.pod) throw new NotPrivate('is of another pod');
  if (kept.credential !== owner.credential) throw new NotPrivate('is of another credential');
  if (kept.identity !== owner.identity) throw new NotPrivate('is of another account');
}

function explained<T>(code: ErrorCode, subject: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof NotPrivate)) throw error;
    const field = code === 'last-good-unusable' ? { field: 'lastGood.directory' } : {};
    throw new PaycertError(code, `${subject} ${error.message}`, field);
  }
}
