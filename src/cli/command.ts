// What a subcommand is, and how its words become options.
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { PaycertError } from '../errors.ts';

export interface Option {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  /** What stands after the name in the help, such as FILE. */
  readonly value?: string;
  readonly help: string;
  /** What the document says beyond the help. */
  readonly more?: string;
  /** Words that complete it in a shell. */
  readonly choices?: readonly string[];
  /** May be given several times. */
  readonly isRepeatable?: true;
}

export interface Invocation {
  readonly values: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
  readonly positionals: readonly string[];
  readonly signal: AbortSignal;
  readonly version: string;
}

export interface Command {
  readonly summary: string;
  /** What stands after `paycert NAME` in the help. */
  readonly usage: string;
  readonly options: Readonly<Record<string, Option>>;
  readonly positionals: { readonly min: number; readonly max: number };
  /** Ends by itself on SIGTERM, SIGINT, SIGHUP, SIGUSR2 and SIGALRM, through the invocation's signal; other commands just die of them. */
  readonly isLongLived?: true;
  /** Standard output is its log: it keeps serving when nobody can read that. Other commands end when their reader does. */
  readonly outputIsLog?: true;
  /** Sets `UV_THREADPOOL_SIZE` itself, before it uses the thread pool. Others have a thread for each thing that may hang. */
  readonly sizesPool?: true;
  /** Words that complete its arguments in a shell; file names unless given. */
  readonly words?: readonly string[];
  /** The exit code; errors are thrown. */
  readonly run: (invocation: Invocation) => Promise<number>;
}

export const usageError = (message: string): PaycertError => new PaycertError('usage', message);

export const outputOption: Option = {
  type: 'string',
  value: 'FORMAT',
  help: 'text or json (default text)',
  choices: ['text', 'json'],
};

/** @throws PaycertError `usage` */
export function parseWords(command: Command, words: readonly string[]): Pick<Invocation, 'values' | 'positionals'> {
  const options: ParseArgsOptionsConfig = { help: { type: 'boolean', short: 'h' } };
  for (const [name, { type, short, isRepeatable = false }] of Object.entries(command.options))
    options[name] = { type, multiple: isRepeatable, ...(short !== undefined && { short }) };
  const { values, positionals } = parseOrExplain({ args: [...words], options, allowPositionals: true });
  for (const [name, { choices }] of Object.entries(command.options)) {
    const value = values[name];
    if (choices && value !== undefined && !choices.includes(String(value)))
      throw usageError(`--${name} is one of ${choices.join(', ')}`);
  }
  const { min, max } = command.positionals;
  if (values['help'] !== true && (positionals.length < min || positionals.length > max)) {
    throw usageError(`expected ${command.usage === '' ? 'no arguments' : command.usage}`);
  }
  return { values: values as Invocation['values'], positionals };
}

function parseOrExplain(config: { args: string[]; options: ParseArgsOptionsConfig; allowPositionals: true }) {
  try {
    return parseArgs(config);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (!code.startsWith('ERR_PARSE_ARGS')) throw error;
    throw usageError((error as Error).message.split('. ', 1).join());
  }
}

/** An option's text, or its default. */
export function text(values: Invocation['values'], name: string): string | undefined {
  const value = values[name];
  return typeof value === 'string' ? value : undefined;
}

/** Every text of an option that may be given several times. */
export function texts(values: Invocation['values'], name: string): readonly string[] {
  const value = values[name];
  return Array.isArray(value) ? (value as readonly string[]) : [];
}

/** @throws PaycertError `usage` */
export function required(values: Invocation['values'], name: string): string {
  const value = text(values, name);
  if (value === undefined) throw usageError(`--${name} is missing`);
  return value;
}
