// The HMAC-SHA256 schemes that partners agree on, one row each: which text is signed, and how the result is written.
import type { KeyObject } from 'node:crypto';
import { hmac, hmacSha256Over } from '../../crypto/mac.ts';
import { joinPairs, type Pair, sortPairs } from '../shared/parameters.ts';
import { percentEncode } from '../shared/percent.ts';

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
  /** Whether `&` and `=` inside values are distinguished from those between parameters. */
  readonly isQuoted: boolean;
  /** The text that is signed; it does not depend on the key. */
  readonly text: (parameters: readonly Pair[], line: RequestLine, slash: Slash) => string;
  /** The signature of that text under a key, as it is written. */
  readonly code: (key: KeyObject, text: Uint8Array) => string;
}

const encode = (text: string, slash: Slash): string => percentEncode(text, { keepsSlash: slash === 'keep' });

const raw = (parameters: readonly Pair[]): string => joinPairs(sortPairs(parameters));

const quoted = (parameters: readonly Pair[], slash: Slash): string =>
  joinPairs(sortPairs(parameters).map(([name, value]) => [name, encode(value, slash)]));

const asForm = (parameters: readonly Pair[]): string =>
  joinPairs(sortPairs(parameters), (text) => percentEncode(text, { isForm: true }));

const hex = (key: KeyObject, text: Uint8Array): string => hmac('sha256', key, text).toString('hex');

const sortedNames = { keyId: 'app_id', timestamp: 'timestamp', nonce: 'nonce' } as const;
const inParameter = { ...sortedNames, signature: 'signature' } as const;

export const schemes: Readonly<Record<Scheme, Row>> = {
  sorted: {
    names: inParameter,
    signsKeyId: true,
    isQuoted: false,
    text: raw,
    code: hex,
  },
  'sorted-quoted': {
    names: inParameter,
    signsKeyId: true,
    isQuoted: true,
    text: (parameters, _, slash) => quoted(parameters, slash),
    code: (key, text) => hex(key, text).toUpperCase(),
  },
  'sorted-appended': {
    names: inParameter,
    signsKeyId: true,
    isQuoted: false,
    text: raw,
    code: (key, text) => hmacSha256Over(key, text, key).toString('hex'),
  },
  'sorted-header': {
    names: sortedNames,
    signsKeyId: true,
    isQuoted: true,
    text: asForm,
    code: hex,
  },
  request: {
    names: { keyId: 'AccessKey', timestamp: 'Timestamp', nonce: 'Nonce', signature: 'Signature' },
    signsKeyId: false,
    isQuoted: true,
    text: (parameters, { method, path }, slash) => `${method}&${encode(path, slash)}&${quoted(parameters, slash)}`,
    code: (key, text) => hmac('sha256', key, text).toString('base64'),
  },
};
