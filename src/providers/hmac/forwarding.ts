// An application's requests to a partner that shares a secret, forwarded: its parameters are signed again with the secret of that moment.
import { requestInvalid } from '../../errors.ts';
import type { ForwardedRequest, Forwarding } from '../forwarding.ts';
import { partnerForwarding } from '../partner/forwarding.ts';
import { header, splitUrl, withoutHeaders } from '../shared/http.ts';
import { assertOwn } from '../shared/own-account.ts';
import { formPairs, type Pair, queryPairs } from '../shared/parameters.ts';
import type { HmacOptions } from './options.ts';
import { schemes } from './schemes.ts';

export function forwarding({ keyId, scheme }: HmacOptions): Forwarding {
  const { names } = schemes[scheme];
  const replaced: ReadonlySet<string | undefined> = new Set(Object.values(names));
  return {
    ...partnerForwarding,
    toAuthorize(request, _keys, origin) {
      const { method, target, headers } = request;
      const pairs = parametersOf(request);
      const given = new Map(pairs);
      if (given.size < pairs.length) throw requestInvalid('parameters', 'hold one that is there twice');
      if (given.has(names.keyId)) assertOwn(names.keyId, given.get(names.keyId), keyId);
      return {
        method,
        url: `${origin}${splitUrl(target).path}`,
        parameters: Object.fromEntries(pairs.filter(([name]) => !replaced.has(name))),
        headers: withoutHeaders(headers, ['content-type', ...(names.signature === undefined ? ['authorization'] : [])]),
      };
    },
  };
}

const isForm = /^application\/x-www-form-urlencoded\s*(?:;|$)/i;

/** All parameters are signed, and nothing else of a body is. */
function parametersOf({ target, headers, body }: ForwardedRequest): readonly Pair[] {
  if (body.byteLength > 0 && !isForm.test(header(headers, 'content-type') ?? ''))
    throw requestInvalid('headers.content-type', 'is not application/x-www-form-urlencoded: this scheme signs parameters');
  return [...queryPairs(splitUrl(target).query), ...formPairs(body, 'body', 'request-invalid')];
} // prettier-ignore
