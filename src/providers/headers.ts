// Headers as platforms read them: names in any case.

export type Headers = Readonly<Record<string, string>>;

/** Header names are case-insensitive, values may come with spaces around them. `name` in lower case. */
export function header(headers: Headers, name: string): string | undefined {
  const found = Object.keys(headers).find((key) => key.toLowerCase() === name);
  return found === undefined ? undefined : headers[found]?.trim();
}

/** Names differ in case and are the same header: what we set must not stand beside what the caller wrote. */
export function withoutHeaders(headers: Headers, names: readonly string[]): Record<string, string> {
  const replaced = new Set(names.map((name) => name.toLowerCase()));
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !replaced.has(name.toLowerCase())));
}
