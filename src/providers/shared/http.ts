// What signed HTTP messages have in common, whichever party signs them: lines of text, addresses as written, headers in any case.
import { PaycertError, requestInvalid } from '../../errors.ts';
import { membersWhere, setMember } from '../../members.ts';

export type Headers = Readonly<Record<string, string>>;

/**
 * Each line ended by LF.
 * @throws PaycertError `request-invalid` for a line break inside one: two different messages would have one signature
 */
export const lines = (texts: readonly string[]): Buffer => Buffer.from(joined(texts));

function joined(texts: readonly string[]): string {
  let all = '';
  for (const line of texts) {
    if (line.includes('\n'))
      throw new PaycertError('request-invalid', 'a line of the text to sign or verify holds a line break');
    all += `${line}\n`;
  }
  return all;
}

/** Lines, then the body, which a LF ends as well, then more lines. */
export function linesAround(body: Uint8Array, head: readonly string[], tail: readonly string[] = []): Buffer {
  const [before, after] = [joined(head), `\n${joined(tail)}`];
  const length = Buffer.byteLength(before);
  // In one piece: twice for each call, four pieces that are joined take longer than all else here.
  const whole = Buffer.allocUnsafe(length + body.byteLength + Buffer.byteLength(after));
  whole.write(before, 0);
  whole.set(body, length);
  whole.write(after, length + body.byteLength);
  return whole;
}

const originOf = (url: string): string => /^https?:\/\/[^/?#]+/i.exec(url)?.[0] ?? '';

/**
 * Path and query as written, without the fragment; never re-encoded, since the server signs what it receives.
 * @throws PaycertError `request-invalid` for what is neither absolute nor a path: something else would be signed than is sent
 */
export function pathAndQuery(url: string): string {
  const origin = originOf(url);
  const [target = ''] = url.slice(origin.length).split('#', 1);
  if (target.startsWith('/')) return target;
  if (origin === '') {
    throw new PaycertError('request-invalid', 'url is neither absolute (https://…) nor a path (/…)', { field: 'url' });
  }
  return `/${target}`;
}

/** The parts of an address as written: nothing is decoded or normalized. */
export function splitUrl(url: string): { readonly origin: string; readonly path: string; readonly query: string } {
  const target = pathAndQuery(url);
  const [path = ''] = target.split('?', 1);
  return { origin: originOf(url), path, query: target.slice(path.length + 1) };
}

/** What an address names as its host, with the port that is not the scheme's own; nothing for a bare path. */
export function hostOf(url: string): string | undefined {
  return originOf(url) === '' || !URL.canParse(url) ? undefined : new URL(url).host;
}

/**
 * The host that is signed: what the address names, or the header where it names none.
 * @throws PaycertError `request-invalid` where both do, and differ: one would be signed, and the other sent
 */
export function signedHost(url: string, headers: Headers): string {
  const [named, given] = [hostOf(url), header(headers, 'host')];
  const host = given ?? named;
  if (host === undefined)
    throw new PaycertError('request-invalid', 'url is no absolute address, and there is no header Host', {
      field: 'url',
    });
  if (named !== undefined && named !== host.toLowerCase())
    throw new PaycertError('request-invalid', 'headers.host is another one than url names', { field: 'headers.host' });
  return host;
}

/**
 * Header names are case-insensitive, values may come with spaces around them. `name` in lower case.
 * @throws PaycertError `request-invalid`: it stands twice, in different case, with two values
 */
export function header(headers: Headers, name: string): string | undefined {
  let value: string | undefined;
  let isThere = false;
  // Some twenty times for each message, so that it makes nothing but what it returns.
  for (const key in headers) {
    if (key.length !== name.length || key.toLowerCase() !== name || !Object.hasOwn(headers, key)) continue;
    const other = headers[key]?.trim();
    if (isThere && other !== value)
      throw requestInvalid(`headers.${name}`, 'stands twice, in different case and with two values');
    value = other;
    isThere = true;
  }
  return value;
}

export function withoutHeaders(headers: Headers, names: readonly string[]): Record<string, string> {
  const left = names.map((name) => name.toLowerCase());
  return membersWhere(headers, (_, name) => !left.includes(name.toLowerCase()));
}

/** Names differ in case and are the same header: what we set must not stand beside what the caller wrote. */
export function withHeaders(given: Headers, own: Headers): Record<string, string> {
  const names = Object.keys(own);
  const all = withoutHeaders(given, names);
  for (const name of names) setMember(all, name, own[name] ?? '');
  return all;
}

/** Some platforms refuse requests without one. */
export const userAgent = 'paycert';

/** What platforms require of every request, where the caller does not say otherwise. */
export function defaultHeaders(headers: Headers, body: Uint8Array): Record<string, string> {
  const missing = (name: string) => header(headers, name) === undefined;
  return {
    ...(missing('accept') && { Accept: 'application/json' }),
    ...(missing('user-agent') && { 'User-Agent': userAgent }),
    ...(body.byteLength > 0 && missing('content-type') && { 'Content-Type': 'application/json' }),
  };
}
