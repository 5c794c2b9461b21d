// The HMAC-SHA256 schemes that partners agree on, one row each: which text is signed, and how the result is written.
import type { KeyObject } from 'node:crypto';
import { hmac, hmacSha256Over } from '../../crypto/mac.ts';
import { joinPairs, type Pair, percentEncode, sortPairs } from '../shared/parameters.ts';

export type Scheme = 'sorted' | 'sorted-quoted' | 'sorted-appended' | 'sorted-header' | 'request';

/** Whether `/` is encoded where values are: Python's `quote` leaves it. */
export type Slash = 'keep' | 'encode';

interface RequestLine {
  readonly method: string;
  readonly path: string;
}

interface Row {
  /** How the scheme calls what every request carries. `signature` in `Authorization` where it is absent. */
  readonly names: {
    readonly keyId: string;
    readonly timestamp: string;
    readonly nonce: string;
    readonly signature?: string;
  };
  /** Whether the parameter with the key id is signed. */
  readonly signsKeyId: boolean;
  readonly compute: (key: KeyObject, parameters: readonly Pair[], line: RequestLine, slash: Slash) => string;
}

const encode = (text: string, slash: Slash): string =>
  slash === 'keep' ? percentEncode(text).replaceAll('%2F', '/') : percentEncode(text);

const raw = (parameters: readonly Pair[]): string => joinPairs(sortPairs(parameters));

const quoted = (parameters: readonly Pair[], slash: Slash): string =>
  joinPairs(sortPairs(parameters).map(([name, value]) => [name, encode(value, slash)]));

const asForm = (parameters: readonly Pair[]): string =>
  joinPairs(sortPairs(parameters), (text) => percentEncode(text).replaceAll('%20', '+'));

const sha256 = (key: KeyObject, text: string): Buffer => hmac('sha256', key, text);

const sortedNames = { keyId: 'app_id', timestamp: 'timestamp', nonce: 'nonce' } as const;
const inParameter = { ...sortedNames, signature: 'signature' } as const;

export const schemes: Readonly<Record<Scheme, Row>> = {
  sorted: {
    names: inParameter,
    signsKeyId: true,
    compute: (key, parameters) => sha256(key, raw(parameters)).toString('hex'),
  },
  'sorted-quoted': {
    names: inParameter,
    signsKeyId: true,
    compute: (key, parameters, _, slash) => sha256(key, quoted(parameters, slash)).toString('hex').toUpperCase(),
  },
  'sorted-appended': {
    names: inParameter,
    signsKeyId: true,
    compute: (key, parameters) => hmacSha256Over(key, raw(parameters), key).toString('hex'),
  },
  'sorted-header': {
    names: sortedNames,
    signsKeyId: true,
    compute: (key, parameters) => sha256(key, asForm(parameters)).toString('hex'),
  },
  request: {
    names: { keyId: 'AccessKey', timestamp: 'Timestamp', nonce: 'Nonce', signature: 'Signature' },
    signsKeyId: false,
    compute: (key, parameters, { method, path }, slash) =>
      sha256(key, `${method}&${encode(path, slash)}&${quoted(parameters, slash)}`).toString('base64'),
  },
};
