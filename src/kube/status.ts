// What the API server says of a refusal (`Status` of its API): the reason, whose it is, and its text as one short line.

/** As far as it is there, and of the types that the API promises. */
export interface ApiStatus {
  readonly reason: string;
  readonly message: string;
  /** Of the object that it is about; empty where the kind of object is not known either. */
  readonly name: string;
  readonly kind: string;
  readonly causes: readonly { readonly reason: string; readonly field: string }[];
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
const recordOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};

/** Undefined for what is no `Status`, such as a proxy's page. */
export function readStatus(body: unknown): ApiStatus | undefined {
  const { kind, reason, message, details } = recordOf(body);
  if (kind !== 'Status') return undefined;
  const { name, kind: what, causes } = recordOf(details);
  return {
    reason: textOf(reason),
    message: textOf(message),
    name: textOf(name),
    kind: textOf(what),
    causes: (Array.isArray(causes) ? causes : []).map((cause) => {
      const { reason: why, field } = recordOf(cause);
      return { reason: textOf(why), field: textOf(field) };
    }),
  };
}

const longest = 300;

/** One line of bounded length, whatever was said: a webhook may say anything. */
export function oneLine(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  return line.length > longest ? `${line.slice(0, longest)}…` : line;
}
