// The canonical text of the PSS scheme: METHOD, path, sorted query, three headers and the body, joined by LF.
import { lines, splitUrl } from '../shared/http.ts';
import { fewPairs, joinPairs, sortPairs } from '../shared/parameters.ts';

export interface CanonicalParts {
  readonly method: string;
  /** Absolute, or a path with its query; both count as written. */
  readonly url: string;
  readonly host: string;
  readonly timestamp: string;
  readonly nonce: string;
  readonly body: Uint8Array;
}

/**
 * No LF follows the body. The query is sorted and not decoded; a name without `=` counts as one with an empty value.
 * @throws PaycertError `request-invalid` for a line break in a line: two requests would have one text
 */
export function canonicalMessage({ method, url, host, timestamp, nonce, body }: CanonicalParts): Buffer {
  const { path, query } = splitUrl(url);
  const head = [
    method.toUpperCase(),
    path,
    joinPairs(sortPairs(fewPairs(query, 'request-invalid', 'url'))),
    `host: ${host}`,
    `x-ts: ${timestamp}`,
    `x-nonce: ${nonce}`,
  ];
  return Buffer.concat([lines(head), body]);
}
