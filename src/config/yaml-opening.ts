// Where a quote or a bracket opens that is closed nowhere: the line to correct, and not that on which its absence was noticed.
import { type Document, isCollection, isPair, isScalar } from 'yaml';

/** Of all that end where the reader gave up, the innermost; undefined where nothing is open there. */
export function openingAt(document: Document.Parsed, end: number): number | undefined {
  let found: number | undefined;
  // As deep as the brackets of a document are: no recursion.
  const left: unknown[] = [document.contents];
  while (left.length > 0) {
    const node = left.pop();
    if (isPair(node)) left.push(node.key, node.value);
    if (isCollection(node)) for (const item of node.items) left.push(item);
    const isOpened = isScalar(node)
      ? node.type?.startsWith('QUOTE') === true
      : isCollection(node) && node.flow === true;
    if (!isOpened) continue;
    const [start, stop] = (node as { range?: readonly number[] | null }).range ?? [];
    if (start !== undefined && stop === end && start >= (found ?? 0)) found = start;
  }
  return found;
}
