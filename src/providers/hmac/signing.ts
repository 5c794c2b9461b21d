// What the shared secret signs: bytes, and the parameters of a request.
import type { KeyObject } from 'node:crypto';
import { hmac } from '../../crypto/mac.ts';
import { requestInvalid } from '../../errors.ts';
import { seconds } from '../shared/freshness.ts';
import { splitUrl, withHeaders } from '../shared/http.ts';
import type { Nonces } from '../shared/nonces.ts';
import { joinPairs, type Pair } from '../shared/parameters.ts';
import { percentEncode } from '../shared/percent.ts';
import type { Operations } from '../provider.ts';
import { take } from '../takes.ts';
import type { Settings } from './options.ts';
import { ambiguousName, authorizationPrefix, signedText } from './parameters.ts';
import { schemes } from './schemes.ts';
import { takes } from './takes.ts';

export function signing(key: KeyObject, options: Settings, own: Nonces): Pick<Operations, 'sign' | 'authorize'> {
  const { keyId, scheme } = options;
  const { names, code } = schemes[scheme];
  const reserved = [
    names.keyId,
    names.timestamp,
    names.nonce,
    ...(names.signature === undefined ? [] : [names.signature]),
  ];
  return {
    sign: async (message) => ({ signature: hmac('sha256', key, message), keyId }),

    async authorize(request, { now, nonce }) {
      const { method: given, url, parameters = {}, headers = {} } = take(request, takes.authorize.request);
      const method = given.toUpperCase();
      const taken = reserved.find((name) => name in parameters);
      if (taken !== undefined) throw requestInvalid(`parameters.${taken}`, 'is set by paycert');
      const { origin, path, query } = splitUrl(url);
      if (query !== '') throw requestInvalid('url', 'has a query: parameters hold it');
      const stamped: Pair[] = [
        ...Object.entries(parameters),
        [names.keyId, keyId],
        [names.timestamp, seconds(now)],
        [names.nonce, nonce],
      ];
      const ambiguous = ambiguousName(options, stamped);
      if (ambiguous !== undefined)
        throw requestInvalid(`parameters.${ambiguous}`, 'holds & and =, which this scheme signs like two parameters');
      own.remember(nonce, now, now);
      const signature = code(key, signedText(options, stamped, { method, path }));
      const sent: Pair[] = names.signature === undefined ? stamped : [...stamped, [names.signature, signature]];
      const form = joinPairs(sent, percentEncode);
      const inHeader = names.signature === undefined && { Authorization: `${authorizationPrefix}${signature}` };
      if (method === 'GET' || method === 'DELETE' || method === 'HEAD')
        return { method, url: `${origin}${path}?${form}`, headers: withHeaders(headers, { ...inHeader }), keyId };
      const sentHeaders = withHeaders(headers, { ...inHeader, 'Content-Type': 'application/x-www-form-urlencoded' });
      return { method, url: `${origin}${path}`, headers: sentHeaders, body: Buffer.from(form), keyId };
    },
  };
}
