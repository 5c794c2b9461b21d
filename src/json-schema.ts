// The part of JSON Schema that ours use, and what it asks of one value: its type, and the form of a text.
import type { Part } from './transit.ts';

/** The part of JSON Schema that ours use. `form` and `nameForm` say in words what a pattern wants. */
export interface Schema {
  readonly type?: string;
  readonly form?: string;
  /** As `form`, of the names of members that a pattern decides. */
  readonly nameForm?: string;
  /** Which part of a message that was received it is. */
  readonly received?: Part;
  readonly const?: string | number | boolean;
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
}

/** Any name of a member. (`.`, which the pattern of a plain record has, matches no line end: what has such a name would not be looked at.) */
export const anyName = { pattern: '^[\\s\\S]*$' } as const;

export type Members = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export function hasType({ type }: Schema, value: unknown): boolean {
  if (type === undefined) return true;
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return isObject(value);
  return type === 'null' ? value === null : typeof value === type;
}

const compiled = new Map<string, RegExp>();

/** Each pattern of a schema is compiled once, however many texts it judges. */
export function matches(pattern: string, text: string): boolean {
  const known = compiled.get(pattern) ?? new RegExp(pattern, 'u');
  compiled.set(pattern, known);
  return known.test(text);
}
