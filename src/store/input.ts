// What a program hands over: checked where no compiler has, and brought into the one form that an operation takes.
import { requestInvalid } from '../errors.ts';
import { unlikeReceived } from '../transit.ts';

/** Text, taken as its UTF-8 bytes; or the bytes themselves. */
export type Content = string | Uint8Array;

/** `encoded`: base64 as it came, which is checked where it is read; or the bytes that it says. */
type Kind = 'content' | 'encoded' | 'text' | 'headers' | 'texts';

/** Every member of every operation that is not plain data of JSON, by its name. */
const kinds: ReadonlyMap<string, Kind> = new Map(
  Object.entries({
    ...{ body: 'content', message: 'content', plaintext: 'content', ciphertext: 'encoded', signature: 'encoded' },
    ...{ method: 'text', url: 'text', keyId: 'text', apiMethod: 'text', bizContent: 'text' },
    ...{ algorithm: 'text', nonce: 'text', associatedData: 'text', encryptionKeyId: 'text' },
    ...{ headers: 'headers', parameters: 'texts' },
  } satisfies Record<string, Kind>),
);

const isBytes = (value: unknown): value is Uint8Array => value instanceof Uint8Array;

/** Why a value is not of that kind, as what is said after its name. */
function wrong(kind: Kind, value: unknown): string | undefined {
  if (kind === 'headers') return wrongHeaders(value);
  if (kind === 'texts')
    return typeof value === 'object' && value !== null ? undefined : 'must be a mapping of names to texts';
  if (kind === 'text') {
    if (typeof value === 'string') return undefined;
    if (value instanceof URL) return 'is a URL: give its href';
    if (isBytes(value)) return 'is bytes, and must be text';
    return unlikeReceived('body', value)?.replace(/, as bodyBase64$/, '') ?? 'must be text';
  }
  if (isBytes(value)) return undefined;
  // Other bytes would be signed than the program holds.
  if (typeof value === 'string')
    return kind === 'encoded' || value.isWellFormed()
      ? undefined
      : 'holds half a surrogate pair, which no UTF-8 can carry';
  return unlikeReceived('body', value)?.replace('in base64, as bodyBase64', 'as a Buffer') ?? 'must be text or a Uint8Array'; // prettier-ignore
}

function wrongHeaders(value: unknown): string | undefined {
  const unlike = unlikeReceived('headers', value);
  if (unlike !== undefined) return unlike;
  return typeof value === 'object' && value !== null ? undefined : 'must be a mapping of names to values';
}

/**
 * The input, whose members are what their types say.
 * @throws PaycertError `request-invalid`, by the member's name
 */
export function checked<T>(input: T): T {
  if (typeof input !== 'object' || input === null) throw requestInvalid('input', 'must be an object');
  // Without a list of pairs, here and wherever every item of a batch comes by.
  for (const name of Object.keys(input)) {
    const kind = kinds.get(name);
    const value: unknown = (input as Readonly<Record<string, unknown>>)[name];
    if (kind === undefined || value === undefined) continue;
    const message = wrong(kind, value);
    if (message !== undefined) throw requestInvalid(name, message);
    if (kind === 'headers' || kind === 'texts') checkValues(name, value as Readonly<Record<string, unknown>>);
  }
  return input;
}

function checkValues(member: string, values: Readonly<Record<string, unknown>>): void {
  for (const name of Object.keys(values)) {
    const value = values[name];
    if (typeof value !== 'string' && value !== undefined)
      throw requestInvalid(`${member}.${name}`, unlikeReceived('header', value) ?? 'must be text');
  }
}

const received = ['response', 'notification', 'return', 'message'];

/** The same of what was received, whose kind is one of those that there are. */
export function checkedReceived<T extends { readonly kind: string }>(input: T): T {
  const { kind } = checked(input);
  if (!received.includes(kind)) throw requestInvalid('kind', `must be one of ${received.join(', ')}`);
  return input;
}

/** The bytes of one member. @throws PaycertError `request-invalid` where it is missing, or neither text nor bytes */
export const bytesOf = <Name extends string>(
  input: Readonly<Record<Name, Content | undefined>>,
  name: Name,
): Uint8Array => bytesIn(checked(input), name);

/** The same of an input that has been checked. */
export function bytesIn<Name extends string>(
  input: Readonly<Record<Name, Content | undefined>>,
  name: Name,
): Uint8Array {
  const content = input[name];
  if (content === undefined) throw requestInvalid(name, 'is missing');
  return typeof content === 'string' ? Buffer.from(content) : content;
}

/** What platforms write in base64: text as it is, bytes encoded. @throws PaycertError `request-invalid` where it is missing */
export const base64Of = <Name extends string>(input: Readonly<Record<Name, Content | undefined>>, name: Name): string =>
  base64In(checked(input), name);

/** The same of an input that has been checked. */
export function base64In<Name extends string>(input: Readonly<Record<Name, Content | undefined>>, name: Name): string {
  const content = input[name];
  if (content === undefined) throw requestInvalid(name, 'is missing');
  return typeof content === 'string' ? content : Buffer.from(content).toString('base64');
}
