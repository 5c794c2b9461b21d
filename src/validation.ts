// A schema as a function: the value with its type, or an error that names the field, what is wrong with it, and never its value.
import type { Static, TSchema } from 'typebox';
import { Build, Check } from 'typebox/schema';
import { diagnose, overfull, type Problem } from './diagnosis.ts';
import { type ErrorCode, PaycertError } from './errors.ts';

const whole = 'the document';

/** `['credentials', 0, 'source']` → `credentials[0].source` */
export const fieldOf = (path: Problem['path']): string =>
  path.reduce<string>(
    (field, part) =>
      typeof part === 'number' ? `${field}[${String(part)}]` : field === '' ? part : `${field}.${part}`,
    '',
  );

/** What a validator reports besides the error that it throws: every problem, in order, and what is said of it. */
export type Report = (error: PaycertError, problem: Problem) => void;

/**
 * Compiled when first needed, where it is used many times: for a few, the schema is read as it is, since the code of a large one
 * would stay in memory for ever. The first problem is thrown under that code, with the others; where `report` is given, it gets
 * all of them, with the first.
 */
export function validator<S extends TSchema>(
  schema: S,
  code: ErrorCode,
  uses: 'few' | 'many' = 'many',
): (value: unknown, at?: string, report?: Report) => Static<S> {
  let check: ((value: unknown) => boolean) | undefined;
  return (value, at = '', report) => {
    check ??= modest(schema, uses === 'few' ? (each) => Check(schema, each) : compile(schema));
    if (check(value)) return value as Static<S>;
    const problems = diagnose(schema, value);
    const [first, ...others] = problems.map(({ path, message }) => {
      const inside = fieldOf(path);
      const field =
        at === '' ? inside || whole : inside === '' ? at : `${at}${inside.startsWith('[') ? '' : '.'}${inside}`;
      return new PaycertError(code, `${field} ${message}`, { field });
    });
    if (first === undefined) throw new PaycertError(code, `${at || whole} is invalid`, { field: at || whole });
    const all = [first, ...others];
    if (report) for (const [index, problem] of problems.entries()) report(all[index] ?? first, problem);
    throw new PaycertError(first.code, first.message, { field: first.field ?? whole, others });
  };
}

/** A compiled schema counts last. */
function modest(schema: TSchema, check: (value: unknown) => boolean): (value: unknown) => boolean {
  const isOverfull = overfull(schema);
  return isOverfull ? (value) => !isOverfull(value) && check(value) : check;
}

/** The function alone: what it was written from is many times its size, and of no use any more. */
export function compile(schema: TSchema): (value: unknown) => boolean {
  const compiled = Build(schema).Evaluate();
  return (value) => compiled.Check(value);
}
