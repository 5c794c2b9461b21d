// How sources say that an input must be refused or accepted: `valid: false`, `error: true`, `wrong_key: "error"` and so on.
import { isObject, type Json } from './read.ts';

export type Verdict = 'refused' | 'accepted';

const refusing = /^(?:error|fail|refus|reject|invalid|malformed|throw|false|none|null|undefined)/i;
const accepting = /^(?:ok|valid|accept|success|pass|true|yes)/i;

/** What the value of a key such as `valid`, `result` or `tampered` says. */
export function verdictOf(value: unknown): Verdict | undefined {
  if (value === true) return 'accepted';
  if (value === false || value === null) return 'refused';
  if (isObject(value)) return verdictIn(value);
  if (typeof value !== 'string') return undefined;
  return refusing.test(value) ? 'refused' : accepting.test(value) ? 'accepted' : undefined;
}

const failures = ['error', 'throws', 'refused', 'rejected', 'fails'];
export const judgements = [
  ...['valid', 'signature_valid', 'is_valid', 'verified', 'ok', 'accepted', 'success', 'result', 'results'],
  ...['outcome', 'outcomes', 'opens', 'decrypts', 'readable', 'all', 'each', 'every', 'expected'],
];
export const verdictKeys = [...failures, ...judgements];

/** `error: "text"` refuses, `error: false` accepts; of several verdicts a refusal wins. */
export function verdictIn(expected: Json, see: (key: string) => void = () => undefined): Verdict | undefined {
  const verdicts = verdictKeys.flatMap((key) => {
    if (!(key in expected)) return [];
    const value = expected[key];
    const isNone = value === false || value === null || value === '' || value === 'none';
    const verdict = failures.includes(key) ? (isNone ? 'accepted' : 'refused') : verdictOf(value);
    if (verdict === undefined) return [];
    see(key);
    return [verdict];
  });
  return verdicts.includes('refused') ? 'refused' : verdicts[0];
}
