// Everything that is wrong with a value at once: what its schema says, and which rules fail that this does not explain.
import { maxProblems, type Problem } from '../diagnosis.ts';
import { type ErrorCode, PaycertError } from '../errors.ts';
import { fieldOf, type validator } from '../validation.ts';
import { type Fault, faultError } from './rules/fault.ts';
import { isExplained, withoutUnsound } from './sound.ts';
import type { Path } from './yaml.ts';

/** What is wrong, and what it is about. */
export interface Found {
  readonly error: PaycertError;
  readonly path: Path;
}

/** What a schema says of a value, and what it leaves for the rules. */
interface Evaluation {
  /** Nothing of a value that is not even of its type, or so wrong that not all of it was said. */
  readonly sound: unknown;
  readonly problems: readonly Problem[];
  readonly found: readonly Found[];
}

export function evaluate(at: Path, value: unknown, validate: ReturnType<typeof validator>): Evaluation {
  const found: Found[] = [];
  const problems: Problem[] = [];
  try {
    validate(value, fieldOf(at), (error, problem) => {
      const path = [...at, ...problem.path];
      found.push({ error, path });
      problems.push({ ...problem, path });
    });
    return { sound: value, problems, found };
  } catch (error) {
    if (!(error instanceof PaycertError)) throw error;
    if (found.length === 0) found.push({ error, path: at });
  }
  const inside = problems.map((problem) => ({ ...problem, path: problem.path.slice(at.length) }));
  const isAllSaid = problems.length > 0 && problems.length < maxProblems;
  return { sound: isAllSaid ? withoutUnsound(value, inside) : undefined, problems, found };
}

/** The rules that fail and that no problem explains. `code`: of those that have none of their own. */
export const unexplained = (
  faults: readonly Fault[],
  problems: readonly Problem[],
  code: ErrorCode = 'config-invalid',
): readonly Found[] =>
  faults
    .filter(({ path, absent = [] }) => !isExplained([path], absent, problems))
    .map((fault) => ({ error: faultError(fault, code), path: fault.path }));
