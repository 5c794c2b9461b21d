// Whether WeChat Pay takes the merchant's key: the list of certificates is asked for, which every merchant may.
import type { LiveCheck } from '../live-check.ts';
import { certificateList } from './certificate-list.ts';

export const liveCheck: LiveCheck = {
  request: certificateList.request,

  verdictOf(response) {
    const { status } = response;
    // A merchant with a public key only has no list, and its signature was looked at first.
    if ((status >= 200 && status < 300) || certificateList.isAbsent(response)) return 'accepted';
    return status === 401 ? 'refused' : 'none';
  },
};
