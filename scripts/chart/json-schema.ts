// values.schema.json: the types of schema.ts with the texts and defaults of values.yaml. Throws where the two differ.
import type { TSchema } from 'typebox';
import type { Value } from './values.ts';

interface Schema {
  readonly [keyword: string]: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly anyOf?: readonly Schema[];
}

export function toJsonSchema(types: TSchema, values: readonly Value[]): string {
  const byPath = new Map(values.map((value) => [value.path, value]));
  const unused = new Set(byPath.keys());

  const describe = (schema: Schema, path: string): Schema => {
    const value = byPath.get(path);
    unused.delete(path);
    const { properties, ...rest } = simplify(schema);
    const inner = Object.entries(properties ?? {}).map(([name, member]) => {
      const inside = path === '' ? name : `${path}.${name}`;
      // The members of a value that is documented as a whole have no text of their own.
      if (!byPath.has(inside) && path !== '' && value?.isGroup !== true) return [name, simplify(member)];
      if (!byPath.has(inside)) throw new Error(`values.yaml lacks ${inside}`);
      return [name, describe(member, inside)];
    });
    return {
      ...rest,
      ...(value && { description: value.text }),
      ...(value && !value.isGroup && { default: value.default }),
      ...(properties && { properties: Object.fromEntries(inner) as Record<string, Schema> }),
    };
  };
  const described = describe(JSON.parse(JSON.stringify(types)) as Schema, '');
  if (unused.size > 0) throw new Error(`scripts/chart/schema.ts lacks ${[...unused].join(', ')}`);
  return `${JSON.stringify(described, undefined, 2)}\n`;
}

/** A union of words is an enum: one message instead of one per word. */
function simplify(schema: Schema): Schema {
  const { anyOf, ...rest } = schema;
  const words = anyOf?.map((option) => option['const']);
  if (anyOf && words?.every((word) => typeof word === 'string') === true)
    return { ...rest, type: 'string', enum: words };
  return schema;
}
