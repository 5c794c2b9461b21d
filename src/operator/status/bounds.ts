// Keeps a status within the bounds of its own schema, which the definition declares: one field too long would refuse it whole.
import { createHash } from 'node:crypto';
import { type Status, StatusSchema } from '../resource.ts';

/** The part of JSON Schema that bounds a status. */
interface Schema {
  readonly type?: string;
  readonly format?: string;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

/** The same status where it fits, which nearly every one does. */
export const boundStatus = (status: Status): Status => bound(status, StatusSchema as Schema) as Status;

function bound(value: unknown, schema: Schema): unknown {
  const { maxItems = Infinity, maxLength = Infinity, properties = {}, items } = schema;
  if (Array.isArray(value)) return value.slice(0, maxItems).map((item) => bound(item, items ?? {}));
  if (typeof value === 'string') return schema.format === 'date-time' ? boundTime(value) : boundText(value, maxLength);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, bound(member, properties[name] ?? {})]),
  );
}

/** Longer than any name: read by people, who need its beginning. */
const prose = 1024;

function boundText(text: string, most: number): string {
  const whole = text.toWellFormed();
  if (whole.length <= most) return whole;
  if (most > prose) return `${whole.slice(0, most - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
  // Different names stay different.
  const digest = createHash('sha256').update(whole).digest('hex').slice(0, 16);
  return `${whole.slice(0, most - digest.length - 1).replace(/[\uD800-\uDBFF]$/, '')}~${digest}`;
}

/** RFC 3339 has four digits for a year; JavaScript writes six, with a sign, outside them. */
const boundTime = (text: string): string =>
  ({ '+': '9999-12-31T23:59:59.999Z', '-': '0000-01-01T00:00:00.000Z' })[text.charAt(0)] ?? text;
