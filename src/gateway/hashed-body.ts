// A body whose hash its platform signed: passed on while it arrives, and cut off before its end if it is another.
import { createHash } from 'node:crypto';
import { pipeline, type Readable, Transform, type TransformCallback } from 'node:stream';
import { createGunzip, type Gunzip } from 'node:zlib';
import { PaycertError } from '../errors.ts';
import type { SignedHash } from '../providers/forwarding.ts';

/** The last piece waits for the verdict, so that a reader who gets the end of the body has what was signed. `refused` hears of another. */
export function cutUnlessHashed(body: Readable, signed: SignedHash, refused: (error: PaycertError) => void): Readable {
  const checked = new Hashed(signed);
  pipeline(body, checked, (error) => {
    if (error instanceof PaycertError) refused(error);
  });
  return checked;
}

class Hashed extends Transform {
  readonly #hash;
  readonly #digest: string;
  #last: Buffer | undefined;
  #bytes = 0;
  /** What came packed is signed by the hash of what is in it. */
  #unpacked: Gunzip | undefined;
  #next: (() => void) | undefined;

  constructor({ algorithm, digest }: SignedHash) {
    super();
    this.#hash = createHash(algorithm);
    this.#digest = digest;
  }

  override _transform(piece: Buffer, _: BufferEncoding, done: TransformCallback): void {
    if (this.#bytes === 0 && piece[0] === 0x1f && piece[1] === 0x8b) this.#unpacked = this.#unpack();
    this.#bytes += piece.byteLength;
    const before = this.#last;
    this.#last = piece;
    const unpacked = this.#unpacked;
    if (unpacked === undefined) this.#hash.update(piece);
    if (unpacked === undefined || unpacked.destroyed || unpacked.readableEnded) done(null, before);
    else {
      // Once it is unpacked: pieces do not pile up where they come quicker than that.
      this.#next = () => done(null, before);
      unpacked.write(piece, this.#go);
    }
  }

  override _flush(done: TransformCallback): void {
    void this.#isSigned().then((isSigned) => {
      if (isSigned) done(null, this.#last);
      else done(new PaycertError('signature-invalid', 'the download is not the one whose hash is signed'));
    });
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#unpacked?.destroy();
    done(error);
  }

  async #isSigned(): Promise<boolean> {
    const unpacked = this.#unpacked;
    if (unpacked !== undefined) {
      const hasEnded = unpacked.readableEnded || (!unpacked.destroyed && (await endOf(unpacked)));
      // What follows the end of the packed text is in no hash.
      if (!hasEnded || unpacked.bytesWritten !== this.#bytes) return false;
    }
    return this.#hash.digest('hex') === this.#digest;
  }

  /** It tells its writer nothing of a piece in which the packed text ends, or in which there is none. */
  readonly #go = (): void => {
    const next = this.#next;
    this.#next = undefined;
    next?.();
  };

  #unpack(): Gunzip {
    const unpacked = createGunzip();
    unpacked.on('data', (piece: Buffer) => this.#hash.update(piece));
    return unpacked
      .on('error', () => undefined)
      .on('end', this.#go)
      .on('close', this.#go);
  }
}

const endOf = (unpacked: Gunzip): Promise<boolean> =>
  new Promise((resolve) => {
    unpacked.once('end', () => resolve(true)).once('close', () => resolve(false));
    unpacked.end();
  });
