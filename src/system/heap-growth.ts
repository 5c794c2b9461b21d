// How far V8's heap grows before all of it is collected: for a process whose garbage comes in waves.
import { setFlagsFromString } from 'node:v8';

/**
 * From the next collection on. `percent` of what was in use after it, such as 60. To be called when the program is loaded: the flag
 * is part of what compiled code is cached by.
 */
export function growHeapBy(percent: number): void {
  setFlagsFromString(`--heap-growing-percent=${String(percent)}`);
}
