// Says of a part that is missing which name `keys` looked for in its place, and which names are there.
import { PaycertError } from '../../errors.ts';
import type { Provider } from '../provider.ts';

/** Enough to see the one that was meant. */
const mostNames = 12;

/** What names of parts are made of: whatever else is written as one is not repeated. */
const isPlain = (name: string): boolean => /^[-._/a-zA-Z0-9]{1,64}$/.test(name);

function namesIn(data: ReadonlyMap<string, Uint8Array>): string {
  const names = [...data.keys()].filter(isPlain).sort();
  const more = data.size - Math.min(names.length, mostNames);
  const listed = names.slice(0, mostNames).join(', ');
  if (listed === '') return 'nothing under a plain name is there';
  return `there are ${listed}${more > 0 ? ` and ${String(more)} more` : ''}`;
}

/** The same provider. `keys`: material name → the origin's own, as a source renames them. */
export const withRenamed = (provider: Provider, keys: Readonly<Record<string, string>>): Provider => ({
  ...provider,
  async load(data, ...asked) {
    const context = await provider.load(data, ...asked);
    const problems = context.set.problems.map((problem) => {
      const { code, field = '', message } = problem;
      const wanted = Object.hasOwn(keys, field) ? keys[field] : undefined;
      if (code !== 'material-missing' || wanted === undefined || data.has(field)) return problem;
      const why = `\`keys\` takes it from ${JSON.stringify(wanted)}, which is not there; ${namesIn(data)}`;
      return new PaycertError(code, `${message}: ${why}`, { field });
    });
    return { ...context, set: { ...context.set, problems } };
  },
});
