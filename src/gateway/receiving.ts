// What undici tells of one request, until the head of its response is there. By its own events: a promise and a stream of undici's cost more than all of it.
import type { Ending } from '../store/call.ts';
import { ArrivingBody, type Control, type IncomingBody } from './arriving-body.ts';

/** The head of a response, and its body while it arrives. */
export interface Incoming {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: IncomingBody;
}

export interface Receiver {
  readonly resolve: (incoming: Incoming) => void;
  readonly reject: (error: unknown) => void;
}

/** A handler of undici’s, whose types only `connections.ts` knows. */
export class Receiving {
  /** Whether a byte of the request may have left. */
  hasStarted = false;
  readonly #signal: Ending;
  readonly #receiver: Receiver;
  #controller: Control | undefined;
  #body: ArrivingBody | undefined;

  /** Resolves with the head of a final response; rejects as soon as `signal` is aborted, or with what undici failed with. */
  constructor(signal: Ending, receiver: Receiver) {
    this.#signal = signal;
    this.#receiver = receiver;
    signal.addEventListener('abort', this);
  }

  /** Of the signal. undici ends a request that waits for a connection when it gets one; its caller hears at once. */
  handleEvent(): void {
    const reason = this.#signal.reason as Error;
    this.#receiver.reject(reason);
    this.#controller?.abort(reason);
  }

  /** undici calls it right before it writes. */
  onRequestStart(controller: Control): void {
    this.#controller = controller;
    if (this.#signal.aborted) this.handleEvent();
    else this.hasStarted = true;
  }

  onResponseStart(controller: Control, status: number, headers: object): void {
    // One that only says that there will be another.
    if (status < 200) return;
    this.#body = new ArrivingBody(controller);
    // undici makes an object of them for each response, and leaves no value out.
    this.#receiver.resolve({ status, headers: headers as Incoming['headers'], body: this.#body });
  }

  onResponseData(_: Control, piece: Uint8Array): void {
    this.#body?.push(piece);
  }

  onResponseEnd(): void {
    this.#signal.removeEventListener('abort', this);
    this.#body?.end();
  }

  /** Also before there was a connection. */
  onResponseError(_: Control | null, error: Error): void {
    this.#signal.removeEventListener('abort', this);
    this.#receiver.reject(error);
    this.#body?.fail(error);
  }
}
