// The interfaces of WeChat Pay v2 that call the app or the merchant by another name, or take no app: what is added to their requests.
import { splitUrl } from '../shared/http.ts';

interface Names {
  /** The parameter that the configured AppID becomes. Absent: the interface takes none, and refuses a signature over one. */
  readonly app?: string;
  readonly merchant: string;
}

const common: Names = { app: 'appid', merchant: 'mch_id' };

const rows: readonly (Names & { readonly paths: RegExp })[] = [
  { paths: /^\/pay\/profitsharing(?:query|orderamountquery|merchantratioquery)$/, merchant: 'mch_id' },
  { paths: /^\/(?:mmpaysptrans|mmpaymkttransfers)\/(?:pay|query)_bank$/, merchant: 'mch_id' },
  { paths: /^\/(?:risk|mchrisk)\/\w+$/, merchant: 'mch_id' },
  { paths: /^\/applyment\/micro\/\w+$/, merchant: 'mch_id' },
  { paths: /^\/fund\/(?:query|re)autowithdrawbydate$/, merchant: 'mch_id' },
  { paths: /\/getsignkey$/, merchant: 'mch_id' },
  {
    paths: /^\/mmpaymkttransfers\/send(?:redpack|groupredpack|miniprogramhb|workwxredpack)$/,
    app: 'wxappid',
    merchant: 'mch_id',
  },
  { paths: /^\/mmpaymkttransfers\/promotion\/transfers$/, app: 'mch_appid', merchant: 'mchid' },
  { paths: /^\/pay\/(?:query|close)?combinedorder$/, app: 'combine_appid', merchant: 'combine_mch_id' },
];

/** The interface that an address names. The sandbox has the same ones, behind a path of its own. */
export const interfaceAt = (url: string): string =>
  splitUrl(url).path.replace(/^\/(?:sandboxnew|xdc\/apiv2sandbox)(?=\/)/, '');

/** What a request to this address calls the app and the merchant. */
export function namesAt(url: string): Names {
  const path = interfaceAt(url);
  return rows.find(({ paths }) => paths.test(path)) ?? common;
}

/** Interfaces at which the platform asks for the merchant's certificate in TLS (protocols 1.13). */
const withCertificate =
  /^\/(?:secapi\/\w[\w/]*|mmpaymkttransfers\/(?:send\w+|gethbinfo|send_coupon|promotion\/\w+|gettransferinfo|queryworkwxredpack)|mmpaysptrans\/(?:pay|query)_bank|pay\/downloadfundflow|billcommentsp\/batchquerycomment|risk\/getpublickey)$/;

export const asksForCertificate = (url: string): boolean => withCertificate.test(interfaceAt(url));

/** Every name that some interface has: where one of them is given, no other is added. */
export const merchantNames = ['mch_id', 'mchid', 'combine_mch_id'];
export const appNames = ['appid', 'mch_appid', 'wxappid', 'combine_appid'];
