// An application's requests to a partner that has our public key, forwarded: signed as they came, for the partner's host.
import type { Forwarding } from '../forwarding.ts';
import { partnerForwarding } from '../partner/forwarding.ts';
import { header } from '../shared/http.ts';
import { assertOwn } from '../shared/own-account.ts';
import type { PssOptions } from './options.ts';

export const forwarding = ({ appId }: PssOptions): Forwarding => ({
  ...partnerForwarding,
  // What the application signed with is written over: its four headers have the names of ours.
  toAuthorize({ method, target, headers, body }, _keys, origin) {
    const named = header(headers, 'x-app-id');
    if (named !== undefined) assertOwn('headers.x-app-id', named, appId);
    return { method, url: `${origin}${target}`, headers, body };
  },
});
