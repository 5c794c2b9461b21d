// What the codes of a cloud mean, as rows: an error that says what was asked and who must act. Its own text is left out: it may quote what it refuses.
import { type ErrorCode, PaycertError } from '../../errors.ts';

export interface Meaning {
  readonly codes: RegExp;
  readonly means: ErrorCode;
  readonly why: string;
}

/** Of a platform’s code, only what can be nothing else is shown. */
const shown = (code: string): string => (/^[A-Za-z][A-Za-z0-9.]{0,79}$/.test(code) ? code : 'no code');

/** `name`: what people call the cloud. */
export function errorOf(rows: readonly Meaning[], said: Said, what: string, name: string): PaycertError {
  const { status, code } = said;
  const row = rows.find(({ codes }) => codes.test(code));
  const [means, why] = row ? [row.means, row.why] : byStatus(status, name);
  return new PaycertError(means, `${what}: ${why} (${String(status)} ${shown(code)})`);
}

export interface Said {
  readonly status: number;
  /** Empty where it says none. */
  readonly code: string;
}

function byStatus(status: number, name: string): readonly [ErrorCode, string] {
  if (status === 429) return ['origin-throttled', `${name} limits how much it is asked`];
  if (status >= 500) return ['origin-failing', `${name} cannot answer now`];
  if (status === 403) return ['origin-forbidden', 'no policy allows it'];
  return ['origin-refused', `${name} refuses it`];
}
