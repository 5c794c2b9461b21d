// What each operation of a platform takes of the shapes that all share, as rows: providers refuse the rest by them, and the documents are made of them.
import { requestInvalid, throwTogether } from '../errors.ts';
import { wrongBase64 } from '../transit.ts';
import type { PaymentParametersInput, Received, RequestToAuthorize } from './provider.ts';

/** One form of what an operation takes: its members, and those of them that it cannot do without. */
export interface Form<M extends string = string> {
  readonly takes: readonly M[];
  readonly needs: readonly M[];
  /** Of several forms, the member whose presence chooses this one. */
  readonly mark?: M;
  /** Members that have one of a few values. */
  readonly values?: Readonly<Partial<Record<M, readonly string[]>>>;
}

type Members<T> = T extends unknown ? keyof T & string : never;

/** A ciphertext of any algorithm. */
export interface CiphertextMembers {
  readonly algorithm?: string;
  readonly ciphertext: string;
  readonly nonce?: string;
  readonly associatedData?: string;
}

export interface ReceivedForm extends Form<Members<Received>> {
  readonly kinds: readonly Received['kind'][];
}

/** Forms by their names, which are for people. */
type Forms<M extends string> = Readonly<Record<string, Form<M>>>;

/** What a platform's operations take; one that is absent, its credentials do not have. */
export interface Takes {
  readonly authorize?: Forms<keyof RequestToAuthorize>;
  readonly verify?: Readonly<Record<string, ReceivedForm>>;
  readonly decrypt?: Forms<keyof CiphertextMembers>;
  readonly paymentParameters?: Forms<keyof PaymentParametersInput>;
  // The others take the same of every platform.
  readonly sign?: true;
  readonly encrypt?: true;
  readonly openNotification?: true;
}

/**
 * What everybody knows of an HTTP message that has arrived: facts about it, and no instructions. Every provider takes all of
 * them, so that a caller that passes a message on says the same of it for every platform, which signs some and leaves out others.
 */
export const factsOfMessages = ['kind', 'method', 'url', 'status', 'headers', 'body'] as const;

/** A signature over bytes, without an HTTP message. */
export const bareMessage = {
  kinds: ['message'],
  takes: ['kind', 'message', 'signature', 'keyId'],
  needs: ['message', 'signature', 'keyId'],
} as const satisfies ReceivedForm;

/** The members that a form takes, and its needs for certain. */
export type Taken<T extends object, F extends Form> = Pick<T, F['takes'][number] & keyof T> & {
  readonly [K in F['needs'][number] & keyof T]-?: NonNullable<T[K]>;
};

/**
 * What the form takes of the input. A member that it does not take would go unsigned if it were ignored.
 * @throws PaycertError `request-invalid`: members that it does not take, those that it needs and that are missing, and those whose
 *   value cannot be meant, by their names
 */
export function take<T extends object, const F extends Form>(input: T, { takes, needs, values = {} }: F): Taken<T, F> {
  if (isAsTaken(input as Readonly<Record<string, unknown>>, { takes, needs, values })) return input as unknown as Taken<T, F>; // prettier-ignore
  const given = Object.entries(input).filter(([, value]) => value !== undefined && value !== null);
  const foreign = given.filter(([name]) => !takes.includes(name));
  const missing = needs.filter((name) => !given.some(([known]) => known === name));
  throwTogether([
    ...foreign.map(([name]) =>
      requestInvalid(name, 'is not accepted by this credential’s provider for this operation'),
    ),
    ...missing.map((name) => requestInvalid(name, 'is missing; this credential’s provider needs it')),
    ...given.flatMap(([name, value]) => {
      const message = unmeant(name, value, values);
      return takes.includes(name) && message !== undefined ? requestInvalid(name, message) : [];
    }),
  ]);
  // Its members are those of the form now, which no compiler can see.
  return input as unknown as Taken<T, F>;
}

/** Whether there is nothing to say of it, as of nearly all: without a list of each kind of mistake. */
function isAsTaken(
  input: Readonly<Record<string, unknown>>,
  { takes, needs, values }: Required<Pick<Form, 'takes' | 'needs' | 'values'>>,
): boolean {
  for (const name of Object.keys(input)) {
    const value = input[name];
    if (value === undefined || value === null) continue;
    if (!takes.includes(name) || unmeant(name, value, values) !== undefined) return false;
  }
  return needs.every((name) => Object.hasOwn(input, name) && input[name] !== undefined && input[name] !== null);
}

/** Why nothing can be meant by that value. A signature that is not base64 is a wrong one, and not the caller’s mistake. */
function unmeant(name: string, value: unknown, values: NonNullable<Form['values']>): string | undefined {
  if (name === 'ciphertext') return typeof value === 'string' ? wrongBase64(value) : undefined;
  const possible = values[name];
  return possible === undefined || possible.includes(value as string) ? undefined : `must be ${possible.join(' or ')}`;
}

/** The form that an input chooses: the first whose mark it has, else the one without a mark, else the first. */
export function formOf<N extends string>(forms: Readonly<Record<N, Form>>, input: object): N {
  const names = Object.keys(forms) as [N, ...N[]];
  const given = input as Readonly<Record<string, unknown>>;
  const isChosen = ({ mark }: Form): boolean =>
    mark !== undefined && Object.hasOwn(given, mark) && given[mark] !== undefined;
  return (
    names.find((name) => isChosen(forms[name])) ?? names.find((name) => forms[name].mark === undefined) ?? names[0]
  );
}

/**
 * As `take`, by the form that the input chooses.
 * @throws PaycertError `request-invalid`
 */
export const takeForm = <N extends string>(input: object, forms: Readonly<Record<N, Form>>): void =>
  void take(input, forms[formOf(forms, input)]);
