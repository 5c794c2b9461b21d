// A file that says who we are to a key service, or whom to trust there: what is wrong with it is for the owner of the sidecar, and is said under its field.
import type { PaycertError } from '../errors.ts';

/** Whether it is about one of our files, and no response of the service: that names no field. */
export const isOwnFile = ({ code, field }: PaycertError): boolean =>
  code === 'source-unreadable' || (code === 'origin-unauthenticated' && field !== undefined);

/** The message with the whole path of the field in the configuration, where a log-in reads that file. */
export const underField = ({ field = '', message }: PaycertError, service: string): string =>
  field.startsWith('auth.') ? `keyServices.${service}.${field}: ${message}` : message;
