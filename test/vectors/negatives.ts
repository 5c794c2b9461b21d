// Inputs that must not work: `wrong_key` beside `key` becomes one more situation, with that key, that must be refused.
import { type Findings, Unusable } from './findings.ts';
import { isObject, type Json } from './read.ts';
import { verdictOf } from './verdict.ts';

export interface Case {
  readonly label: string;
  readonly inputs: Json;
  readonly expected: Json;
}

const negative = /^(tampered|wrong|garbage|invalid|malformed|corrupt|corrupted|bad|short|truncated|unknown)_(.+)$/;

/** The input that `wrong_key` stands in for: `key`, or the only one that ends in `_key`. */
function replaced(name: string, inputs: Json): string {
  if (name in inputs) return name;
  if (name.replace(/s$/, '') in inputs) return name.replace(/s$/, '');
  const candidates = Object.keys(inputs).filter((key) => key.endsWith(`_${name}`) && !negative.test(key));
  const [only] = candidates;
  if (only === undefined || candidates.length > 1) throw new Unusable(`it is not clear which input ${name} replaces`);
  return only;
}

/** The case as it is, then once for each input that must not work. */
export function withNegatives({ label, inputs, expected }: Case, findings: Findings): Case[] {
  const related = new Set<string>();
  const negatives = Object.entries(inputs).flatMap(([key, value]): Case[] => {
    const [, prefix, name] = isObject(value) && key === 'tampered' ? ['', key, ''] : (negative.exec(key) ?? []);
    if (prefix === undefined || name === undefined) return [];
    const about = Object.keys(expected).filter(
      (other) => other === key || other === prefix || other.startsWith(`${prefix}_`) || other.endsWith(`_${prefix}`),
    );
    for (const other of about) {
      related.add(other);
      findings.see(other);
    }
    const verdict = about.map((other) => verdictOf(expected[other])).find((found) => found !== undefined) ?? 'refused';
    return (Array.isArray(value) ? (value as unknown[]) : [value]).map((one) => ({
      label: [label, key].filter(Boolean).join(', '),
      inputs: isObject(one) && name === '' ? { ...inputs, ...one } : { ...inputs, [replaced(name, inputs)]: one },
      expected: { result: verdict },
    }));
  });
  const positive = Object.fromEntries(Object.entries(expected).filter(([key]) => !related.has(key)));
  return [{ label, inputs, expected: positive }, ...negatives];
}
