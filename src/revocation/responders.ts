// What OCSP responders say of certificates: queried once for everybody, kept while it is current, never in place of something newer.
import type { X509Certificate } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { type OcspResponse, readOcspResponse } from '../crypto/ocsp-response.ts';
import { responderOf, writeOcspRequest } from '../crypto/ocsp-request.ts';
import { certificateFingerprint } from '../crypto/x509.ts';
import { type AskResponder, askResponder } from './ask-responder.ts';

/** However long a response counts, news is asked for after this, as for lists. */
const longestKept = 60 * 60 * 1000;
/** After a failure. */
const retryMilliseconds = 60_000;
/** A handshake waits for it. */
const timeoutMilliseconds = 5000;
const maxCertificates = 1000;

interface Known {
  /** The last one that counted when it came; its own age is checked where it is used. */
  readonly answer: OcspResponse | undefined;
  readonly dueAt: number;
}

export class Responders {
  readonly #clock: Clock;
  readonly #ask: AskResponder;
  /** In the order of their last use. */
  readonly #known = new Map<string, Known>();
  readonly #asking = new Map<string, Promise<OcspResponse | undefined>>();

  constructor(clock: Clock, ask: AskResponder = askResponder) {
    this.#clock = clock;
    this.#ask = ask;
  }

  /**
   * The newest response about a certificate, where it names a responder. The caller has made sure who issued it, and whether that
   * issuer is to be trusted: the address is asked.
   */
  async ask(
    certificate: X509Certificate,
    issuer: X509Certificate,
    signal?: AbortSignal,
  ): Promise<OcspResponse | undefined> {
    const address = responderOf(certificate);
    if (address === undefined) return undefined;
    const id = `${certificateFingerprint(certificate)} ${certificateFingerprint(issuer)}`;
    const known = this.#known.get(id);
    if (known !== undefined && this.#clock.now().getTime() < known.dueAt) {
      this.#keep(id, known);
      return known.answer;
    }
    const asking = this.#asking.get(id);
    if (asking !== undefined) return asking;
    const started = this.#look(address, id, { certificate, issuer }, signal).finally(() => this.#asking.delete(id));
    this.#asking.set(id, started);
    return started;
  }

  async #look(
    address: string,
    id: string,
    { certificate, issuer }: { readonly certificate: X509Certificate; readonly issuer: X509Certificate },
    signal?: AbortSignal,
  ): Promise<OcspResponse | undefined> {
    const request = writeOcspRequest(certificate, issuer);
    const timeout = AbortSignal.timeout(timeoutMilliseconds);
    const limit = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
    const bytes = request && (await this.#answer(address, request, limit));
    const now = this.#clock.now();
    const answer = bytes && readOcspResponse(bytes);
    const before = this.#known.get(id)?.answer;
    const said = answer?.about(certificate, issuer, now);
    const saidBefore = before?.about(certificate, issuer, now);
    // An attacker on the path may replay an older one that is still valid.
    const isNews = said !== undefined && !(saidBefore !== undefined && said.since < saidBefore.since);
    const wait = isNews ? Math.min(said.until.getTime() - now.getTime(), longestKept) : 0;
    const known = { answer: isNews ? answer : before, dueAt: now.getTime() + (wait > 0 ? wait : retryMilliseconds) };
    this.#keep(id, known);
    return known.answer;
  }

  /** A program may give its own way of asking: whatever becomes of it, a handshake waits no longer, and then nothing is known. */
  async #answer(address: string, request: Uint8Array, limit: AbortSignal): Promise<Uint8Array | undefined> {
    const ended = new Promise<undefined>((resolve) => {
      if (limit.aborted) resolve(undefined);
      else limit.addEventListener('abort', () => resolve(undefined), { once: true });
    });
    try {
      return await Promise.race([this.#ask(address, request, limit), ended]);
    } catch {
      return undefined;
    }
  }

  #keep(id: string, known: Known): void {
    this.#known.delete(id);
    this.#known.set(id, known);
    const [oldest] = this.#known.keys();
    if (this.#known.size > maxCertificates && oldest !== undefined) this.#known.delete(oldest);
  }
}
