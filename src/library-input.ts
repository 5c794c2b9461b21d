// What a program hands to the library, checked where no compiler has: bytes, text and headers, and what to give instead.
import { requestInvalid } from './errors.ts';
import { unlikeReceived } from './transit.ts';

type Kind = 'bytes' | 'text' | 'headers';

/** Every member of every operation that is not plain data of JSON, by its name. */
const kinds: Readonly<Record<string, Kind>> = {
  ...{ body: 'bytes', message: 'bytes', plaintext: 'bytes', headers: 'headers' },
  ...{ method: 'text', url: 'text', signature: 'text', keyId: 'text', apiMethod: 'text', bizContent: 'text' },
  ...{ ciphertext: 'text', algorithm: 'text', nonce: 'text', associatedData: 'text', encryptionKeyId: 'text' },
};

const isBytes = (value: unknown): boolean => value instanceof Uint8Array;

/** Why a value is not of that kind, as what is said after its name. */
function wrong(kind: Kind, value: unknown): string | undefined {
  if (kind === 'headers') return wrongHeaders(value);
  if (kind === 'text') {
    if (typeof value === 'string') return undefined;
    if (value instanceof URL) return 'is a URL: give its href';
    if (isBytes(value)) return 'is bytes, and must be text';
    return unlikeReceived('body', value)?.replace(/, as bodyBase64$/, '') ?? 'must be text';
  }
  if (isBytes(value)) return undefined;
  if (typeof value === 'string') return 'is text: give its bytes as they were received, such as Buffer.from(text)';
  return unlikeReceived('body', value)?.replace('in base64, as bodyBase64', 'as a Buffer') ?? 'must be a Uint8Array';
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
  for (const [name, value] of Object.entries(input)) {
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (kind === undefined || value === undefined) continue;
    const message = wrong(kind, value);
    if (message !== undefined) throw requestInvalid(name, message);
    if (kind === 'headers') checkValues(value as Readonly<Record<string, unknown>>);
  }
  return input;
}

function checkValues(headers: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(headers))
    if (typeof value !== 'string' && value !== undefined)
      throw requestInvalid(`headers.${name}`, unlikeReceived('header', value) ?? 'must be text');
}

const received = ['response', 'notification', 'return', 'message'];

/** The same of what was received: its kind is one of those that there are, and its bytes are there. */
export function checkedReceived<T extends { readonly kind: string }>(input: T): T {
  const { kind } = checked(input);
  if (!received.includes(kind)) throw requestInvalid('kind', `must be one of ${received.join(', ')}`);
  const bytes = kind === 'message' ? 'message' : 'body';
  if (!isBytes((input as Readonly<Record<string, unknown>>)[bytes])) throw requestInvalid(bytes, 'is missing');
  return input;
}
