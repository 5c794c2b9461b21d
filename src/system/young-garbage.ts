// Collects the garbage of bytes that pass through this process. V8 counts the small objects that name them, and not the 64 KB behind each of them.
import { type Collect, openCollector } from './collector.ts';

/** No more than this is left behind. A collection takes a millisecond or two. */
const bytesBetween = 8 * 1024 * 1024;

let passed = 0;
let collect: Collect | undefined;

/** Called with each piece of what is passed on and not kept. */
export function passedOnBytes(bytes: number): void {
  passed += bytes;
  if (passed < bytesBetween) return;
  passed = 0;
  collect ??= openCollector();
  collect({ type: 'minor', execution: 'sync' });
}
