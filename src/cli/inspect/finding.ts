// One finding of `paycert inspect`: a certificate or key, or why there is none. Never a secret.
import type { ErrorCode, ErrorKind } from '../../errors.ts';

/** One certificate or key, or why there is none. */
export interface Finding {
  readonly file: string;
  readonly what: string;
  readonly keyId?: string;
  readonly algorithm?: string;
  readonly fingerprint?: string;
  readonly issuer?: string;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly problem?: {
    readonly code: ErrorCode;
    readonly kind: ErrorKind;
    readonly detail: string;
    readonly hint: string;
  };
}

export type Facts = Omit<Finding, 'file'>;
