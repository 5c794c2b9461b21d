// Why a Pod that asks for a sidecar is refused: the label, annotation or volume, and what it is.
import { PaycertError } from '../../errors.ts';

/** `field` such as `annotation paycert.dev/drain`. */
export const refusal = (field: string, what: string): PaycertError =>
  new PaycertError('injection-refused', `${field} ${what}`, { field });
