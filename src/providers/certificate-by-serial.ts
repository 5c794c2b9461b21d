// How a platform hands out one of its certificates by the number that a message names, and what that must be to count.
import type { PaycertError } from '../errors.ts';
import type { RequestToAuthorize } from './provider.ts';

export interface SerialResponse {
  readonly host: string;
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** What a downloaded certificate is held against. */
export interface Beside {
  /** The number that was asked for. */
  readonly serial: string;
  /** The owner's own material, without what was downloaded. */
  readonly data: ReadonlyMap<string, Uint8Array>;
  readonly now: Date;
}

/** What is asked of a platform that hands out its certificates one by one. Pure. */
export interface CertificateBySerial {
  /** Whether a key of that id could be one of its certificates. */
  readonly mayAsk: (keyId: string) => boolean;
  /** The call: it changes nothing, and may be made again. */
  readonly request: (serial: string) => RequestToAuthorize;
  /**
   * The certificate and its chain, as PEM; `unknown`: the platform has none of that number.
   * @throws PaycertError `certificate-list-refused`, `certificate-list-invalid`
   */
  readonly open: (response: SerialResponse) => Uint8Array | 'unknown';
  /** Whether the response names what signed it. One that does not is worth what its certificate proves by itself. */
  readonly isSigned: (response: SerialResponse) => boolean;
  /** Why it does not count beside that material; undefined where it does. */
  readonly faultOf: (certificate: Uint8Array, beside: Beside) => PaycertError | undefined;
  /** The name of the part that it becomes. */
  readonly partName: (serial: string) => string;
}
