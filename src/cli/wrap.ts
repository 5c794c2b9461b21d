// paycert wrap: a value as the source `unwrap` reads it with the key of `keyServices.local`.
import { randomBytes } from 'node:crypto';
import { isBlank } from '../blank.ts';
import { parseWrappingKey, type WrappingContext, wrappingNonceBytes, wrapValue } from '../crypto/wrapped.ts';
import { PaycertError } from '../errors.ts';
import { usageError } from './command.ts';
import { readInput } from './input.ts';
import { print } from './table.ts';

export interface WrapOptions {
  readonly keyFile: string;
  /** Each `NAME=TEXT`. */
  readonly context: readonly string[];
}

/** Prints one line. The value is read from standard input where no file is named. */
export async function wrap(file: string | undefined, { keyFile, context }: WrapOptions): Promise<number> {
  const key = parseWrappingKey((await readInput(keyFile)).toString().trim());
  if (key === undefined)
    throw new PaycertError('wrapping-key-malformed', `${keyFile} holds no key: one line of base64, of 32 bytes`, {
      field: '--key-file',
    });
  const bound = readContext(context);
  const value = await readInput(file);
  if (isBlank(value)) throw usageError(`${file === undefined || file === '-' ? 'standard input' : file} is empty: there is nothing to wrap`); // prettier-ignore
  print(wrapValue(value, key, bound, randomBytes(wrappingNonceBytes)));
  return 0;
}

function readContext(given: readonly string[]): WrappingContext {
  const pairs = given.map((pair) => {
    const at = pair.indexOf('=');
    if (at < 1) throw usageError('--context is NAME=TEXT');
    return [pair.slice(0, at), pair.slice(at + 1)] as const;
  });
  const context = Object.fromEntries(pairs);
  if (Object.keys(context).length < pairs.length) throw usageError('--context gives a name twice');
  return context;
}
