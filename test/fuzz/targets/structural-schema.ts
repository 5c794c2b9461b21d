// The schema of a definition as the API server applies it, without any of the product's code.
import assert from 'node:assert/strict';

export interface Schema {
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
}

const dateTime = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?Z$/;

/** Throws with the path of what does not fit. A member that is not declared would be dropped in silence. */
export function assertFits(schema: Schema, value: unknown, path: string): void {
  if (schema.enum) assert.ok(schema.enum.includes(value), `${path} is not one of its values`);
  if (typeof value === 'string') assertText(schema, value, path);
  else if (Array.isArray(value)) assertList(schema, value, path);
  else if (typeof value === 'number') {
    assert.ok(schema.type === 'integer' && Number.isSafeInteger(value), `${path} is not a ${String(schema.type)}`);
    assert.ok(value >= (schema.minimum ?? -Infinity), `${path} is too small`);
  } else if (typeof value === 'boolean') assert.equal(schema.type, 'boolean', path);
  else assertObject(schema, value, path);
}

function assertText({ type, format, maxLength = Infinity }: Schema, text: string, path: string): void {
  assert.equal(type, 'string', path);
  // Go counts code points.
  assert.ok(Array.from(text).length <= maxLength, `${path} is longer than ${maxLength}`);
  assert.ok(text.isWellFormed(), `${path} is no Unicode`);
  if (format === 'date-time') assert.match(text, dateTime, path);
}

function assertList(schema: Schema, list: readonly unknown[], path: string): void {
  assert.equal(schema.type, 'array', path);
  assert.ok(list.length <= (schema.maxItems ?? Infinity), `${path} has more than ${String(schema.maxItems)} items`);
  list.forEach((item, index) => assertFits(schema.items ?? {}, item, `${path}[${String(index)}]`));
  const names = schema['x-kubernetes-list-map-keys'];
  if (names === undefined) return;
  const keys = list.map((item) => JSON.stringify(names.map((name) => (item as Record<string, unknown>)[name])));
  assert.equal(new Set(keys).size, keys.length, `${path} names one item twice`);
}

function assertObject({ type, properties = {}, required = [] }: Schema, value: unknown, path: string): void {
  assert.ok(type === 'object' && typeof value === 'object' && value !== null, `${path} is not a ${String(type)}`);
  for (const name of required) assert.ok(Object.hasOwn(value, name), `${path}.${name} is missing`);
  for (const [name, member] of Object.entries(value)) {
    const declared = Object.hasOwn(properties, name) ? properties[name] : undefined;
    assert.ok(declared, `${path}.${name} is not declared`);
    assertFits(declared, member, `${path}.${name}`);
  }
}
