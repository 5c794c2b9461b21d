// The certificate that a listener of the operator shows, from a Secret of type kubernetes.io/tls, mounted or read; renewed while it runs.
import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { Clock } from '../clock.ts';
import { PaycertError } from '../errors.ts';
import type { CertificateFile, Observe } from '../events.ts';
import { files } from '../sources/files.ts';
import type { Source } from '../sources/source.ts';

/** Between two looks at a mounted one. */
export const pollMilliseconds = 10_000;

/** From the directory in which it is mounted. */
export const mountedCertificate = (directory: string, clock: Clock, observe: Observe): ServingCertificate =>
  new ServingCertificate(
    files({ paths: [directory], pollMilliseconds, clock, observe }),
    { name: directory, field: '--tls', file: 'certificate' },
    observe,
  );

/** What a certificate is of: named in errors, and told apart in metrics. */
interface Place {
  readonly name: string;
  readonly field: string;
  readonly file: CertificateFile;
  /** A replica of this operator makes it: before the first one, it is awaited and nothing is wrong. */
  readonly isMadeHere?: true;
}

const names = ['tls.crt', 'tls.key'];

interface Pair {
  readonly cert: Buffer;
  readonly key: Buffer;
}

export class ServingCertificate {
  readonly #source: Source;
  readonly #place: Place;
  readonly #observe: Observe;
  #revision = '';
  #hasPresented = false;

  constructor(source: Source, place: Place, observe: Observe) {
    this.#source = source;
    this.#place = place;
    this.#observe = observe;
  }

  /** @throws PaycertError `listener-unusable`; of kind source */
  async read(signal: AbortSignal): Promise<Pair> {
    const { revision, data } = await this.#source.read(signal);
    this.#revision = revision;
    return this.#pairOf(data);
  }

  #pairOf(data: ReadonlyMap<string, Uint8Array>): Pair {
    const [cert, key] = names.map((name) => data.get(name));
    const refused = (why: string) =>
      new PaycertError('listener-unusable', `${this.#place.name}: ${why}`, { field: this.#place.field });
    if (cert === undefined || key === undefined) throw refused('tls.crt or tls.key is missing');
    const tls = { cert: Buffer.from(cert), key: Buffer.from(key) };
    try {
      createSecureContext(tls);
    } catch {
      // OpenSSL's message may quote the file.
      throw refused('tls.crt and tls.key are no pair of a certificate and its private key');
    }
    return tls;
  }

  get #isAwaited(): boolean {
    return this.#place.isMadeHere === true && !this.#hasPresented;
  }

  /** Until aborted. What is not a pair is reported, and the last good one is shown further. */
  async follow(present: (tls: SecureContextOptions) => void | Promise<void>, signal: AbortSignal): Promise<void> {
    for await (const _ of this.#source.changes(signal)) {
      const before = this.#revision;
      try {
        const { revision, data } = await this.#source.read(signal);
        this.#revision = revision;
        if (revision === before || (this.#isAwaited && !names.some((name) => data.has(name)))) continue;
        const tls = this.#pairOf(data);
        await present(tls);
        this.#hasPresented = true;
        const { validFromDate: notBefore, validToDate: notAfter } = new X509Certificate(tls.cert);
        this.#observe({ type: 'certificate-presented', file: this.#place.file, notBefore, notAfter });
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof PaycertError)) throw error;
        if (error.kind !== 'source' && this.#revision !== before)
          this.#observe({ type: 'config-rejected', file: this.#place.file, error });
      }
    }
  }
}
