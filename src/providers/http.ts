// What signed HTTP messages have in common, whoever signs them: lines of text, paths as written, headers in any case.
import { PaycertError } from '../errors.ts';

export type Headers = Readonly<Record<string, string>>;

/** Each line ended by LF. A line break inside one would let two different messages have one signature. */
export function lines(head: readonly string[], body: Uint8Array, tail: readonly string[] = []): Buffer {
  if ([...head, ...tail].some((line) => line.includes('\n'))) {
    throw new PaycertError('request-invalid', 'a line of the text to sign or verify holds a line break');
  }
  const text = (part: readonly string[]) => Buffer.from(part.map((line) => `${line}\n`).join(''));
  return Buffer.concat([text(head), body, Buffer.from('\n'), text(tail)]);
}

/** Path and query as written; never re-encoded, since the server signs what it receives. */
export function pathAndQuery(url: string): string {
  const target = url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '').replace(/#.*$/s, '');
  return target.startsWith('/') ? target : `/${target}`;
}

/** Header names are case-insensitive, values may come with spaces around them. */
export function header(headers: Headers, name: string): string | undefined {
  const found = Object.keys(headers).find((key) => key.toLowerCase() === name);
  return found === undefined ? undefined : headers[found]?.trim();
}

/** Names differ in case and are the same header: what we set must not stand beside what the caller wrote. */
export function withHeaders(given: Headers, own: Headers): Record<string, string> {
  const replaced = new Set(Object.keys(own).map((name) => name.toLowerCase()));
  const kept = Object.entries(given).filter(([name]) => !replaced.has(name.toLowerCase()));
  return { ...Object.fromEntries(kept), ...own };
}

/** What platforms require of every request, where the caller does not say otherwise. */
export function defaultHeaders(headers: Headers, body: Uint8Array, userAgent: string): Record<string, string> {
  const missing = (name: string) => header(headers, name) === undefined;
  return {
    ...(missing('accept') && { Accept: 'application/json' }),
    ...(missing('user-agent') && { 'User-Agent': userAgent }),
    ...(body.byteLength > 0 && missing('content-type') && { 'Content-Type': 'application/json' }),
  };
}
