// Copies of objects by their members, as each message needs several: without a list of pairs for each, which takes most of its time.

/** Sets a member of its own: `__proto__` is a name like others, also of a header. */
export function setMember<T>(of: Record<string, T>, name: string, value: T): void {
  if (name === '__proto__')
    Object.defineProperty(of, name, { value, enumerable: true, writable: true, configurable: true });
  else of[name] = value;
}

/** Those of which `isKept` says so, in their order. */
export function membersWhere<T, S extends T>(
  all: Readonly<Record<string, T>>,
  isKept: (value: T, name: string) => value is T & S,
): Record<string, S>;
export function membersWhere<T>(
  all: Readonly<Record<string, T>>,
  isKept: (value: T, name: string) => boolean,
): Record<string, T>;
export function membersWhere<T>(
  all: Readonly<Record<string, T>>,
  isKept: (value: T, name: string) => boolean,
): Record<string, T> {
  const kept: Record<string, T> = {};
  for (const name of Object.keys(all)) {
    const value = all[name] as T;
    if (isKept(value, name)) setMember(kept, name, value);
  }
  return kept;
}
