// Source → Source: values that a key service wrapped, opened here: each once for as long as it stays the same.
import { PaycertError, throwTogether } from '../errors.ts';
import { type Material, material, type Source } from './source.ts';

/** What opens wrapped values with one key of one key service. */
export interface ValueOpener {
  readonly service: string;
  readonly form: string;
  readonly maxBytes: number;
  readonly isWrapped: (text: string) => boolean;
  readonly open: (texts: readonly string[], signal: AbortSignal) => Promise<readonly (Uint8Array | PaycertError)[]>;
}

export interface UnwrapOptions {
  readonly source: Source;
  /** @throws PaycertError `key-service-missing` */
  readonly opener: () => ValueOpener;
  /** Parts that may be there as they are: all of them, or those named. */
  readonly allowPlain: boolean | readonly string[];
}

/** Each may cost a request: more than any set of keys has, and not as many as a Secret has room for. */
const maxValues = 64;

type Parts = ReadonlyMap<string, Uint8Array>;

export function unwrap({ source, opener, allowPlain }: UnwrapOptions): Source {
  const name = `unwrap(${source.name})`;
  const isPlainAllowed = (part: string) => (typeof allowPlain === 'boolean' ? allowPlain : allowPlain.includes(part));
  /** Of the last read, by the wrapped text: the process holds what was opened anyway, as keys. */
  let opened: Parts = new Map();

  /** The texts of wrapped parts. @throws PaycertError before anything is sent */
  function wrappedIn(data: Parts, by: ValueOpener): ReadonlyMap<string, string> {
    const problems: PaycertError[] = [];
    const wrapped = new Map<string, string>();
    for (const [part, bytes] of data) {
      const text = bytes.byteLength > by.maxBytes ? undefined : Buffer.from(bytes).toString('latin1').trim();
      if (text !== undefined && by.isWrapped(text)) wrapped.set(part, text);
      else if (!isPlainAllowed(part)) problems.push(refusal(part, text !== undefined, by));
    }
    if (wrapped.size > maxValues)
      problems.push(
        new PaycertError('source-too-large', `${source.name} holds more than ${String(maxValues)} wrapped values`),
      );
    throwTogether(problems);
    return wrapped;
  }

  const refusal = (part: string, isSmall: boolean, { service, form, maxBytes }: ValueOpener): PaycertError =>
    isSmall
      ? new PaycertError('value-not-wrapped', `${part} of ${source.name} is not wrapped as ${service} wraps: ${form}`, { field: part }) // prettier-ignore
      : new PaycertError('source-too-large', `${part} of ${source.name} is larger than ${String(maxBytes)} bytes, which is no wrapped value`, { field: part }); // prettier-ignore

  return {
    name,

    async read(signal): Promise<Material> {
      const { data, revision: _, ...about } = await source.read(signal);
      const by = opener();
      const wrapped = wrappedIn(data, by);
      const missing = [...new Set(wrapped.values())].filter((text) => !opened.has(text));
      const results = missing.length === 0 ? [] : await by.open(missing, signal);
      const fresh = new Map(missing.map((text, index) => [text, results[index]]));
      const problems: PaycertError[] = [];
      const found = new Map(data);
      const kept = new Map<string, Uint8Array>();
      for (const [part, text] of wrapped) {
        const result = opened.get(text) ?? fresh.get(text);
        if (result instanceof Uint8Array) {
          found.set(part, result);
          kept.set(text, result);
        } else problems.push(unopened(part, result));
      }
      throwTogether(problems);
      opened = kept;
      return material(found, about);
    },

    changes: (signal) => source.changes(signal),
  };

  function unopened(part: string, error?: PaycertError): PaycertError {
    const why = error?.message ?? 'there are fewer values than were asked for';
    return new PaycertError(error?.code ?? 'response-malformed', `${part} of ${source.name}: ${why}`, {
      field: part,
      ...(error && { cause: error }),
    });
  }
}
