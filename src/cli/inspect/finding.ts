// One finding of `paycert inspect`: a certificate or key, or why it cannot be read. Never a secret.
import type { ErrorCode, ErrorKind } from '../../errors.ts';
import type { FileFacts } from '../../providers/platform.ts';

export interface Finding extends FileFacts {
  readonly file: string;
  /** Files beside it that hold the other half of its key pair. */
  readonly belongsTo?: readonly string[];
  readonly problem?: {
    readonly code: ErrorCode;
    readonly kind: ErrorKind;
    readonly detail: string;
    readonly hint: string;
  };
}
