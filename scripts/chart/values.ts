// values.yaml as its readers see it: every value with the text above it and its default.
import { isMap, isScalar, parseDocument, type YAMLMap } from 'yaml';

export interface Value {
  /** Such as `image.tag`. */
  readonly path: string;
  readonly text: string;
  readonly default: unknown;
  /** Whether it is only a heading of the values in it. */
  readonly isGroup: boolean;
}

/** Kubernetes' words and labels: documented as a whole, whatever is in them. */
const whole =
  /^(strategy|podSecurityContext|securityContext|\w+Probe|nodeSelector|dnsConfig)$|(^|\.)resources$|(labels|selector|Selector)$|^prometheusRule\.alerts\.\w+$/;

/** Every value in order. @throws Error for a value without a text */
export function readValues(yaml: string): Value[] {
  const { contents } = parseDocument(yaml);
  if (!isMap(contents)) throw new Error('values.yaml is no map');
  return membersOf(contents, '', contents.commentBefore);
}

function membersOf(map: YAMLMap, prefix: string, commentOfFirst: string | null | undefined): Value[] {
  return map.items.flatMap((pair, index) => {
    const { key, value } = pair;
    if (!isScalar(key)) throw new Error(`${prefix} has a key that is no text`);
    const path = `${prefix}${String(key.value)}`;
    // The comment of a map's first key belongs to the map, as the parser sees it.
    const comment = key.commentBefore ?? (index === 0 ? commentOfFirst : undefined);
    const text = lastParagraph(comment ?? '');
    if (text === '') throw new Error(`values.yaml: there is no text above ${path}`);
    const isGroup = isMap(value) && value.items.length > 0 && !whole.test(path);
    const own: Value = { path, text, default: isGroup ? undefined : toPlain(value), isGroup };
    return isGroup ? [own, ...membersOf(value, `${path}.`, value.commentBefore)] : [own];
  });
}

const toPlain = (node: unknown): unknown => (node as { toJSON(): unknown }).toJSON();

/** A comment about the file stands before an empty line. */
const lastParagraph = (comment: string): string =>
  (comment.split(/\n\s*\n/).at(-1) ?? '')
    .split('\n')
    .map((line) => line.trim())
    .join(' ');
