// The path of a request as an audit shows it: what is not shown is a digest by which it can be looked up.
import { hidden, shownPath } from '../shown-path.ts';
import { digestFollowing } from './chain.ts';

const digestNow = digestFollowing();

/**
 * A text that may be looked up, by those who have the key, and is not shown. Without a key there is nothing to look up by: an attacker who
 * guesses an id could find it by its digest.
 */
export const lookupOf = (text: string, key: string | undefined): string =>
  key === undefined ? hidden : `~${digestNow(key)(text).slice(0, 24)}`;

/** Of an address or a path, as it was signed. */
export const publicPath = (url: string, key: string | undefined): string =>
  shownPath(url, (segment) => lookupOf(segment, key));
