// V8's collection of garbage as a function: for the few places that know better than V8 when it is worth it.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** `minor`: what is new, in a millisecond or two. `last-resort` collects all there is, and gives back what is free then. */
export type Collect = (
  how:
    | { readonly type: 'minor'; readonly execution: 'sync' }
    | { readonly type: 'major'; readonly execution: 'sync'; readonly flavor: 'last-resort' },
) => void;

/** The function is there in a context that is made while the flag is set, and the flag is part of what compiled code is cached by. */
export function openCollector(): Collect {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as Collect;
  setFlagsFromString('--no-expose-gc');
  return collect;
}
