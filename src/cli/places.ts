// The words of the command line that say where something is: HOST:PORT, NAMESPACE/NAME.
import { splitAddress } from '../address.ts';
import { usageError } from './command.ts';

/** An object of the cluster. */
export interface Named {
  readonly namespace: string;
  readonly name: string;
}

/** @throws PaycertError `usage` */
export function assertAddress(address: string, option: string): void {
  if (!/^.*:[0-9]{1,5}$/.test(address) || splitAddress(address).port > 65_535)
    throw usageError(`--${option} is HOST:PORT`);
}

/** @throws PaycertError `usage` */
export function readNamed(text: string, option: string): Named {
  const [namespace = '', name = '', ...rest] = text.split('/');
  if (namespace === '' || name === '' || rest.length > 0) throw usageError(`--${option} is NAMESPACE/NAME`);
  return { namespace, name };
}
