// The path of a request as an audit shows it: what names an interface is shown, what names an order or a person is a digest.
import { createHmac } from 'node:crypto';

/** Words of an interface, and the version before them. Ids have digits, capitals or are longer. */
const word = /^(?:v[0-9]{1,2}|[a-z]{1,32}(?:[-_.][a-z]{1,32}){0,4})$/;

const maxSegments = 24;

/** Without a key there is nothing to look up by: an attacker who guesses an id could find it by its digest. */
const hidden = '*';

/** A text that may be looked up, by those who have the key, and is not shown. */
export const lookupOf = (text: string, key: string | undefined): string =>
  key === undefined ? hidden : `~${createHmac('sha256', key).update(text).digest('hex').slice(0, 24)}`;

/** Of an address or a path, as it was signed. */
export function publicPath(url: string, key: string | undefined): string {
  const [path = ''] = url.replace(/^https?:\/\/[^/?#]*/i, '').split(/[?#]/, 1);
  const segments = path.split('/');
  const shown = segments
    .slice(0, maxSegments)
    .map((segment) => (segment === '' || word.test(segment) ? segment : lookupOf(segment, key)));
  return [...shown, ...(segments.length > maxSegments ? [hidden] : [])].join('/');
}
