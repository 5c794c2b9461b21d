// Where the API server asks for reviews: HTTPS, from the first certificate on, which is followed while it runs.
import type { SecureContextOptions } from 'node:tls';
import type { Observe } from '../events.ts';
import { signalOf } from '../store/call-end.ts';
import type { Reviewer } from '../operator/admission/reviewer.ts';
import { readJson } from '../server/body.ts';
import { limitsOf, reviewBytes, reviewsBytes } from '../server/limits.ts';
import { listenOnSecurePort, type SecureListener } from '../server/listeners.ts';
import { json, jsonReply, type Route, serveRoutes } from '../server/routes.ts';
import { BufferBudget } from '../system/buffer-budget.ts';
import type { ServingCertificate } from './serving-certificate.ts';

export interface AdmissionListenerOptions {
  readonly address: string;
  readonly certificate: ServingCertificate;
  readonly reviewer: Reviewer;
  readonly observe: Observe;
}

export class AdmissionListener {
  readonly #options: AdmissionListenerOptions;
  readonly #budget = new BufferBudget(reviewsBytes);
  #listener: SecureListener | undefined;

  constructor(options: AdmissionListenerOptions) {
    this.#options = options;
  }

  /** Why the API server cannot ask it. */
  get impediment(): string | undefined {
    return this.#listener === undefined ? 'there is no certificate for its webhooks yet' : undefined;
  }

  /** Until aborted; then what is under way is answered. Rejects when the address cannot be bound. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      await this.#options.certificate.follow((tls) => this.#present(tls), signal);
    } finally {
      await this.#listener?.close();
    }
  }

  async #present(tls: SecureContextOptions): Promise<void> {
    if (this.#listener !== undefined) {
      this.#listener.present(tls);
      return;
    }
    const { address, observe } = this.#options;
    const unknown = 'this listener has reviews: POST /review';
    const serve = serveRoutes([this.#route], { where: 'admission', unknown, observe });
    this.#listener = await listenOnSecurePort(address, serve, tls, limitsOf('admission'));
    observe({ type: 'listening', listener: 'admission', address: this.#listener.address });
  }

  readonly #route: Route = {
    method: 'POST',
    path: '/review',
    type: json,
    summary: 'Whether an object may be stored: AdmissionReview of admission.k8s.io/v1.',
    run: async ({ request, signal: ending }) => {
      const held = this.#budget.open();
      try {
        const body = await readJson(request, reviewBytes, (bytes) => held.add(bytes));
        return jsonReply(await this.#options.reviewer.review(body, signalOf(ending)));
      } finally {
        held.release();
      }
    },
  };
}
