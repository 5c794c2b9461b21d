// The path of a request as records show it: what names an interface is shown, what names an order or a person is not.

/** Words of an interface, and the version before them. Ids have digits, capitals or are longer. */
const one = 'v[0-9]{1,2}|[a-z]{1,32}(?:[-_.][a-z]{1,32}){0,4}';
const word = new RegExp(`^(?:${one})$`);

const maxSegments = 24;

/** Of words alone, as most are: shown as it is, and not taken apart. */
const words = new RegExp(`^(?:/(?:${one})?){1,${String(maxSegments - 1)}}$`);

export const hidden = '*';

/** Of an address or a path, without its query. `instead`: what stands where something is not shown. */
export function shownPath(url: string, instead: (segment: string) => string = () => hidden): string {
  if (words.test(url)) return url;
  const [path = ''] = url.replace(/^https?:\/\/[^/?#]*/i, '').split(/[?#]/, 1);
  const segments = path.split('/');
  const shown = segments
    .slice(0, maxSegments)
    .map((segment) => (segment === '' || word.test(segment) ? segment : instead(segment)));
  return [...shown, ...(segments.length > maxSegments ? [hidden] : [])].join('/');
}
