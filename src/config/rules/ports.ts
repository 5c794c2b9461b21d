// Addresses of listeners, as far as the schema does not say them.
import { splitAddress } from '../../address.ts';
import type { Path } from '../yaml.ts';
import type { Fault } from './fault.ts';

export function* portFaults(path: Path, address = ''): Generator<Fault> {
  if (splitAddress(address).port > 65_535) yield { path, message: 'has a port above 65535' };
}
