// Durations on the command line, in the words of the configuration.
import { milliseconds } from '../config/defaults.ts';
import { usageError } from './command.ts';

/** @throws PaycertError `usage` */
export function duration(text: string, option: string): number {
  if (!/^[0-9]{1,7}(ms|s|m|h|d)$/.test(text)) throw usageError(`--${option} is a time such as 500ms, 10s or 5m`);
  return milliseconds(text);
}
