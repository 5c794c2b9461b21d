// What of a text is whole before a line that is not YAML: entries, and items of a list, that end before it can change what they mean.

/** Of a longer one the rest is judged when the line is repaired: parsing it once more takes long. */
const maxCharacters = 128 * 1024;

const startsEntry = /^(?:[^\s#-]|---)/;
const startsItem = /^ *- /;

/** Empty where nothing ends before that line, which counts from 1. */
export function wholeBefore(text: string, line: number): string {
  const lines = text.split('\n', line);
  const entry = lines.findLastIndex((one) => startsEntry.test(one));
  const inside = lines.slice(entry + 1);
  const [first = -1, ...others] = inside.flatMap((one, index) => (startsItem.test(one) ? [index] : []));
  const indent = indentOf(inside[first]);
  const item = others.findLast((index) => indentOf(inside[index]) === indent);
  const whole = lines.slice(0, item === undefined ? Math.max(entry, 0) : entry + 1 + item).join('\n');
  return whole.length > maxCharacters ? '' : whole;
}

const indentOf = (line = ''): number => line.length - line.trimStart().length;
