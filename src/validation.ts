// What a schema says of a value it refuses, as one sentence that names the field and never the value.
import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { type ErrorCode, PaycertError } from './errors.ts';

interface SchemaError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly message: string;
  readonly params: object;
}

/** `/credentials/0/source` → `credentials[0].source` */
function fieldOf(instancePath: string): string {
  return instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((path, part) => (/^\d+$/.test(part) ? `${path}[${part}]` : path === '' ? part : `${path}.${part}`), '');
}

const whole = 'the document';

const names = (params: object, key: string): readonly string[] =>
  ((params as Record<string, unknown>)[key] ?? []) as string[];

/** A name that somebody wrote; what does not look like one may be a secret in the wrong place. */
const printable = (name: string): string => (/^[!-~]{1,24}$/.test(name) ? name : 'a name that is none');

/** The one error that says most: an unknown or missing member by its name, before what follows from it. */
function describe(errors: readonly SchemaError[]): { field: string; message: string } {
  const error =
    errors.find(({ keyword }) => keyword === 'additionalProperties') ??
    errors.find(({ keyword }) => keyword !== 'boolean') ??
    errors[0];
  const at = fieldOf(error?.instancePath ?? '');
  const inside = (member: string) => (at === '' ? member : `${at}.${member}`);
  const [unknown] = names(error?.params ?? {}, 'additionalProperties');
  if (error?.keyword === 'additionalProperties' && unknown !== undefined)
    return { field: inside(printable(unknown)), message: 'is not a field here' };
  const [missing] = names(error?.params ?? {}, 'requiredProperties');
  if (error?.keyword === 'required' && missing !== undefined) return { field: inside(missing), message: 'is missing' };
  const unions = errors.find(({ keyword }) => keyword === 'anyOf');
  if (unions !== undefined) return describeUnion(unions, errors);
  return { field: at === '' ? whole : at, message: error?.message ?? 'is invalid' };
}

/** What is wrong inside the form that was meant, or the values that there are. */
function describeUnion({ instancePath }: SchemaError, errors: readonly SchemaError[]) {
  const inside = errors.find(({ instancePath: path }) => path.startsWith(`${instancePath}/`));
  if (inside !== undefined) return { field: fieldOf(inside.instancePath), message: inside.message };
  const field = fieldOf(instancePath);
  const allowed = errors.flatMap(({ instancePath: path, keyword, params }) =>
    path === instancePath && keyword === 'const' ? [(params as { readonly allowedValue?: unknown }).allowedValue] : [],
  );
  const isClosed = allowed.length > 0;
  return { field, message: isClosed ? `is none of ${allowed.join(', ')}` : 'has none of the allowed forms' };
}

/** By the member that they are about, of the outermost object; what is wrong with that object itself comes first. */
function groupByMember(errors: readonly SchemaError[]): readonly (readonly SchemaError[])[] {
  const groups = Object.groupBy(errors, ({ instancePath }) => instancePath.split('/')[1] ?? '');
  // An unknown member is told of where it stands, and once more as a value that nothing allows.
  return Object.values(groups).filter((group) =>
    group?.some(({ keyword }) => keyword !== 'boolean'),
  ) as SchemaError[][];
}

/**
 * A schema as a function: the value with its type, or an error under that code. Compiled when first needed. Where `tell` is given,
 * it is told of what is wrong with each other member, too.
 */
export function validator<S extends TSchema>(
  schema: S,
  code: ErrorCode,
): (value: unknown, at?: string, tell?: (error: PaycertError) => void) => Static<S> {
  let compiled: ReturnType<typeof Compile<S>> | undefined;
  return (value, at = '', tell) => {
    compiled ??= Compile(schema);
    if (compiled.Check(value)) return value;
    const errors = compiled.Errors(value);
    const toError = (group: readonly SchemaError[]): PaycertError => {
      const { field: inside, message } = describe(group);
      const field = at === '' ? inside : inside === whole ? at : `${at}.${inside}`;
      return new PaycertError(code, `${field} ${message}`, { field });
    };
    const first = toError(errors);
    if (tell)
      groupByMember(errors)
        .map(toError)
        .filter(({ message }) => message !== first.message)
        .forEach(tell);
    throw first;
  };
}
