// Labels and annotations of a Pod that look like ours and count for nothing: a word about each, since nobody else would say one.
import { didYouMean } from '../../spelling.ts';
import { domain, injectionLabel, labels as table } from '../labels.ts';

type Texts = Readonly<Record<string, string>>;
type Is = 'label' | 'annotation';

/** A response has a dozen warnings at most, and what else is odd has a place in it. */
const mostShown = 4;

const rows: ReadonlyMap<string, { readonly on: string; readonly is: Is }> = new Map(Object.entries(table));

const ofPods = (is: Is): string[] =>
  [...rows].flatMap(([name, row]) => (row.is === is && row.on.includes('Pod') ? [name.slice(domain.length)] : []));

const words = { label: 'Label', annotation: 'Annotation' } as const;
const articles = { label: 'a', annotation: 'an' } as const;

/** One line for each; none where every name counts. */
export function ignoredNames(labels: Texts = {}, annotations: Texts = {}): string[] {
  const ignored = [...ignoredOf('label', labels), ...ignoredOf('annotation', annotations)];
  const more = ignored.length - mostShown;
  return [
    ...ignored.slice(0, mostShown).map((say) => say()),
    ...(more > 0 ? [`${String(more)} more labels and annotations of ${domain} count for nothing.`] : []),
    ...optOut(labels),
  ];
}

const ignoredOf = (is: Is, texts: Texts): (() => string)[] =>
  Object.keys(texts)
    .filter((name) => name.startsWith(domain) && !isKnown(is, name))
    .map((name) => () => `${words[is]} ${name} counts for nothing: ${reasonOf(is, name)}.`);

const isKnown = (is: Is, name: string): boolean => {
  const row = rows.get(name);
  return row?.is === is && row.on.includes('Pod');
};

function reasonOf(is: Is, name: string): string {
  const row = rows.get(name);
  if (row === undefined) {
    const word = name.slice(domain.length);
    const other = is === 'label' ? 'annotation' : 'label';
    const found =
      didYouMean(word, ofPods(is)) ||
      didYouMean(word, ofPods(other)).replace('?', `, which is ${articles[other]} ${other}?`);
    return `a Pod has no such ${is}${found}`;
  }
  return row.on.includes('Pod') ? `it is ${articles[row.is]} ${row.is}` : `it belongs on a ${row.on}`;
}

/** The API server leaves out Pods with its one value, and asks about all others. */
const optOut = ({ [injectionLabel]: text }: Texts): string[] =>
  text === undefined || text === 'disabled' ? [] : [`Label ${injectionLabel} means something only as disabled: a sidecar is injected.`]; // prettier-ignore
