// Bytes that may have been signed, hashed once however many keys are tried on them.
import { createHash, type Hash, hash } from 'node:crypto';

export class Message {
  readonly bytes: Uint8Array;
  #sha256: Buffer | undefined;
  #md5: Hash | undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get sha256(): Buffer {
    this.#sha256 ??= hash('sha256', this.bytes, 'buffer');
    return this.#sha256;
  }

  /** MD5 of these bytes, to be continued with what follows them, such as a key. */
  continueMd5(): Hash {
    this.#md5 ??= createHash('md5').update(this.bytes);
    return this.#md5.copy();
  }
}
