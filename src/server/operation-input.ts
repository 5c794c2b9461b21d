// What a caller writes as JSON, as an operation takes it, and back: text or base64, one of them, and never half of two forms.
import { isUtf8 } from 'node:buffer';
import type { Static } from 'typebox';
import { requestInvalid } from '../errors.ts';
import type { Received } from '../providers/provider.ts';
import { oddBase64 } from '../transit.ts';
import type * as schema from './schema.ts';

export const base64 = (data: Uint8Array): string =>
  Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');

type VerifyInput = Static<typeof schema.VerifyRequest>;

const responseFields = ['headers', 'body', 'bodyBase64', 'method', 'url', 'status', 'apiMethod'] as const;
const messageFields = ['message', 'messageBase64', 'signature', 'keyId'] as const;

/** A response or a message, never half of each: what belongs to the other would be accepted without being verified. */
export function readReceived(input: VerifyInput): Received {
  return input.kind === undefined ? readMessage(input) : readResponse(input, input.kind);
}

function readResponse(
  { kind: _, body: text, bodyBase64, ...input }: VerifyInput,
  kind: NonNullable<VerifyInput['kind']>,
): Received {
  const foreign = messageFields.find((field) => input[field] !== undefined);
  if (foreign !== undefined) throw requestInvalid(foreign, 'and kind exclude each other');
  const body = optionalBytes({ body: text, bodyBase64 }, 'body', 'bodyBase64') ?? new Uint8Array();
  return { ...input, kind, body };
}

/** The signature is passed on as it came: one that is no base64 is wrong, not the caller's mistake. */
function readMessage({ signature, keyId, message, messageBase64, ...input }: VerifyInput): Received {
  const foreign = responseFields.find((field) => input[field] !== undefined);
  if (foreign !== undefined) throw requestInvalid(foreign, 'needs kind beside it');
  if (signature === undefined || keyId === undefined) {
    throw requestInvalid(
      signature === undefined ? 'signature' : 'keyId',
      'is missing; or give kind, and what was received',
    );
  }
  return { kind: 'message', message: bytes({ message, messageBase64 }, 'message', 'messageBase64'), signature, keyId };
}

export function readCiphertext({ algorithm, ciphertext, nonce, associatedData }: Static<typeof schema.DecryptRequest>) {
  assertBase64(ciphertext, 'ciphertext');
  if (algorithm === undefined) {
    if (nonce === undefined && associatedData === undefined) return { ciphertext };
    throw requestInvalid('algorithm', 'is missing beside nonce or associatedData');
  }
  return {
    algorithm,
    ciphertext,
    ...(nonce !== undefined && { nonce }),
    ...(associatedData !== undefined && { associatedData }),
  };
}

type Texts = Readonly<Record<string, string | undefined>>;

/** Text or base64, one of them. Text that is no Unicode would be signed as other bytes than the caller holds. */
export function optionalBytes(input: Texts, textField: string, base64Field: string): Uint8Array | undefined {
  const { [textField]: text, [base64Field]: encoded } = input;
  if (text !== undefined && encoded !== undefined)
    throw requestInvalid(base64Field, `and ${textField} exclude each other`);
  if (encoded !== undefined) return assertBase64(encoded, base64Field);
  return text === undefined ? undefined : utf8(text, textField);
}

export function bytes(input: Texts, textField: string, base64Field: string): Uint8Array {
  const found = optionalBytes(input, textField, base64Field);
  if (found === undefined) throw requestInvalid(textField, `is missing, and so is ${base64Field}`);
  return found;
}

/** What is signed as text must be text; bytes are checked where they are read. */
export function assertText({ bizContent = '', parameters = {} }: Static<typeof schema.PaymentParametersRequest>): void {
  utf8(bizContent, 'bizContent');
  for (const [name, value] of Object.entries(parameters)) utf8(value, `parameters.${name}`);
}

export function utf8(text: string, field: string): Buffer {
  if (!text.isWellFormed()) throw requestInvalid(field, 'holds half a surrogate pair, which no UTF-8 can carry');
  return Buffer.from(text);
}

/** Buffer.from takes anything for base64 and drops what it does not know. */
function assertBase64(text: string, field: string): Buffer {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text))
    throw requestInvalid(field, oddBase64(text) ?? 'is not valid base64');
  return Buffer.from(text, 'base64');
}

export function textOrBase64(data: Uint8Array, textField: string, base64Field: string): Record<string, string> {
  return isUtf8(data) ? { [textField]: Buffer.from(data).toString() } : { [base64Field]: base64(data) };
}
