// What is said of a value that a schema does not take: after the name of its field, and never with the value.
import { matches, type Schema } from './json-schema.ts';
import { didYouMean, nearest, oddityOf } from './spelling.ts';
import { unlikeReceived } from './transit.ts';

/** A name that somebody wrote; what does not look like one may be a secret in the wrong place. */
export const printable = (name: string): string => (/^[!-~]{1,24}$/.test(name) ? name : 'an unprintable name');

const typeOf = (value: unknown): string =>
  value === null || value === undefined
    ? 'nothing'
    : Array.isArray(value)
      ? 'a list'
      : (nouns[typeof value] ?? 'a value');

const nouns: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  object: 'a mapping',
  array: 'a list',
  null: 'nothing',
};

/** YAML reads 1900000001 and true without quotes as something else than text, and yes as text. */
export function wrongType({ type = '', ...schema }: Schema, value: unknown): string {
  const { received, pattern, form } = schema;
  const made = received && unlikeReceived(received, value);
  if (made !== undefined) return made;
  const wanted = `must be ${nouns[type] ?? type}`;
  if (type === 'string' && (typeof value === 'number' || typeof value === 'boolean')) {
    const fits = pattern === undefined || matches(pattern, String(value));
    return `is ${typeof value === 'number' ? 'a number' : 'true or false'}, and ${fits || form === undefined ? `${wanted}: put it in quotes` : `must be ${form}`}`;
  }
  if (typeof value === 'string' && type !== 'string') {
    const meant = meantBy(value, { type, ...schema });
    return `is text, and ${wanted}${meant === undefined ? '' : `: ${meant}`}`;
  }
  return value === null || value === undefined ? `is empty, and ${wanted}` : `is ${typeOf(value)}, and ${wanted}`;
}

/** What to write instead of a text: YAML 1.2 has no `yes`, and `name：x` is a text to it. */
function meantBy(text: string, { type = '', ...schema }: Schema): string | undefined {
  if (type === 'array') return 'write it in [ ]';
  if (type === 'object' && /^[A-Za-z]\w{0,40}:\S/.test(text)) return 'a blank belongs after its colon';
  if (type === 'object' && /[\uff01-\uff5e]/.test(text.slice(0, 64)))
    return `it ${oddityOf(text) ?? 'has a full-width character'}`;
  const member = type === 'object' ? memberFor(text, schema) : undefined;
  if (member !== undefined) return `write { ${member} }`;
  if (type === 'boolean' && /^(?:yes|on|y)$/i.test(text)) return 'write true';
  if (type === 'boolean' && /^(?:no|off|n)$/i.test(text)) return 'write false';
  const isIt = type === 'boolean' ? /^(?:true|false)$/i.test(text) : /^-?\d+(?:\.\d+)?$/.test(text);
  return isIt && (type === 'boolean' || type === 'integer' || type === 'number')
    ? 'write it without quotes'
    : undefined;
}

/** Where a text may be meant: under the member that is needed, or that alone is there; a name of a choice is the member itself. */
function memberFor(text: string, { properties = {}, required = [], maxProperties }: Schema): string | undefined {
  const names = Object.keys(properties);
  if (maxProperties === 1) {
    const chosen = nearest(text, names);
    return chosen && `${chosen}: { … }`;
  }
  const [only] = required.length === 1 ? required : names.length === 1 ? names : [];
  return only && `${only}: …`;
}

export function misformed(text: string, form: string | undefined): string {
  // A blank is not odd where the form has one, as in `POST /v3/pay/*`.
  const hasBlank = (form ?? '').split('`').some((part, index) => index % 2 === 1 && part.includes(' '));
  const oddity = oddityOf(hasBlank ? text.replaceAll(/(?<=\S) (?=\S)/g, '_') : text);
  if (oddity === undefined) return form === undefined ? 'does not have the form that is wanted here' : `is not ${form}`;
  return form === undefined ? oddity : `${oddity}; it must be ${form}`;
}

/** Such a name stands where any of a form may; what is odd about it may show one character. */
export function misformedName(name: string, form: string): string {
  const oddity = oddityOf(name);
  return oddity === undefined ? `is not ${form}` : `${oddity}; a name here is ${form}`;
}

export function unknownMember(name: string, known: readonly string[]): string {
  const oddity = name.length > 64 ? undefined : oddityOf(name);
  if (oddity !== undefined) return `is not a field here: it ${oddity}`;
  const meant = didYouMean(name, known);
  const list = known.length > 0 && known.length <= 8 ? `; there is ${known.join(', ')}` : '';
  return `is not a field here${meant === '' ? list : meant}`;
}
