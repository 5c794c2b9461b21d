// Where a request to the proxy says that it wants to go: a credential, then the platform's path and query, as they were sent.

const tokenSegment = /^\/~([^/?]*)(\/.*)$/s;

/** `/~TOKEN/wechat-main/v3/…`: for SDKs that can send no header of their own. */
export function withoutToken(url: string): { readonly url: string; readonly token?: string } {
  const [, token, rest] = tokenSegment.exec(url) ?? [];
  if (token === undefined || rest === undefined) return { url };
  return { url: rest, token: decode(token) };
}

/** What is not well encoded is no token. */
function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return '';
  }
}

/** What follows the credential, byte for byte; the platform's path and query. */
export const targetAfter = (url: string, credential: string): string => url.slice(credential.length + 1);
