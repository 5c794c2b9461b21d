// Bytes that may have been signed, hashed once however many keys are tried on them.
import { hash } from 'node:crypto';

export class Message {
  readonly bytes: Uint8Array;
  #sha256: Buffer | undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get sha256(): Buffer {
    this.#sha256 ??= hash('sha256', this.bytes, 'buffer');
    return this.#sha256;
  }
}
