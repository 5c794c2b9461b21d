// What a caller writes as JSON, as an operation takes it, and back: text or base64, one of them, and never half of two forms.
import { isUtf8 } from 'node:buffer';
import type { Static } from 'typebox';
import { type PaycertError, requestInvalid, throwTogether, together } from '../errors.ts';
import type { Received } from '../providers/provider.ts';
import { wrongBase64 } from '../transit.ts';
import type * as schema from './schema.ts';

export const base64 = (data: Uint8Array): string =>
  (data instanceof Buffer ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength)).toString('base64');

const utf8Of = (data: Uint8Array): string => Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString();

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
  const body = contentOf({ body: text, bodyBase64 }, 'body', 'bodyBase64');
  throwTogether([...foreignIn(input, messageFields, 'and kind exclude each other'), ...body.faults]);
  return { ...input, kind, body: body.bytes ?? new Uint8Array() };
}

const foreignIn = (input: VerifyInput, fields: readonly (keyof VerifyInput)[], message: string): PaycertError[] =>
  fields.filter((field) => input[field] !== undefined).map((field) => requestInvalid(field, message));

/** The signature is passed on as it came: one that is no base64 is wrong, not the caller's mistake. */
function readMessage({ signature, keyId, message, messageBase64, ...input }: VerifyInput): Received {
  // What is missing of a message is not said of a response whose kind is missing.
  throwTogether(foreignIn(input, responseFields, 'needs kind beside it'));
  const content = contentOf({ message, messageBase64 }, 'message', 'messageBase64');
  if (signature !== undefined && keyId !== undefined && content.bytes !== undefined)
    return { kind: 'message', message: content.bytes, signature, keyId };
  const absent = Object.entries({ signature, keyId }).filter(([, value]) => value === undefined);
  const absence = bothAbsent('message', 'messageBase64');
  const [first = absence, ...others] = [
    ...absent.map(([name]) => requestInvalid(name, 'is missing; or give kind, and what was received')),
    ...content.faults,
    ...((message ?? messageBase64) === undefined ? [absence] : []),
  ];
  throw together(first, ...others);
}

/** Whether the ciphertext is base64 is judged with what its platform takes, where nothing else is wrong. */
export function readCiphertext(input: Static<typeof schema.DecryptRequest>) {
  const { algorithm, ciphertext, nonce, associatedData } = input;
  if (algorithm === undefined) {
    if (nonce === undefined && associatedData === undefined) return { ciphertext };
    const missing = requestInvalid('algorithm', 'is missing beside nonce or associatedData');
    throw together(missing, ...base64Faults(ciphertext, 'ciphertext'));
  }
  return { ...input, algorithm };
}

type Texts = Readonly<Record<string, string | undefined>>;

/** What was given as text or as base64. */
interface Content {
  readonly bytes: Uint8Array | undefined;
  readonly faults: readonly PaycertError[];
}

const bothAbsent = (textField: string, base64Field: string): PaycertError =>
  requestInvalid(textField, `is missing, and so is ${base64Field}`);

/** Text or base64, one of them. Text that is no Unicode would be signed as other bytes than the caller holds. */
function contentOf(input: Texts, textField: string, base64Field: string): Content {
  const { [textField]: text, [base64Field]: encoded } = input;
  const isBoth = text !== undefined && encoded !== undefined;
  const faults = [
    ...(isBoth ? [requestInvalid(base64Field, `and ${textField} exclude each other`)] : []),
    ...textFaults(text, textField),
    ...base64Faults(encoded, base64Field),
  ];
  const given = encoded ?? text;
  return {
    bytes:
      faults.length > 0 || given === undefined
        ? undefined
        : Buffer.from(given, encoded === undefined ? 'utf8' : 'base64'),
    faults,
  };
}

export function bytes(input: Texts, textField: string, base64Field: string): Uint8Array {
  const { [textField]: text, [base64Field]: encoded } = input;
  // As most callers write it: no list of faults is made of what has none.
  if (encoded === undefined && text?.isWellFormed() === true) return Buffer.from(text);
  const { bytes: found, faults } = contentOf(input, textField, base64Field);
  throwTogether(faults);
  if (found === undefined) throw bothAbsent(textField, base64Field);
  return found;
}

/** Of a request to authorize, its members, and its body as bytes. */
export function readRequest({ body: text, bodyBase64, ...members }: RequestMembers) {
  const { bytes: body, faults } = contentOf({ body: text, bodyBase64 }, 'body', 'bodyBase64');
  throwTogether([...faults, ...textsFaults(members)]);
  return { ...members, ...(body && { body }) };
}

type RequestMembers = Omit<Static<typeof schema.AuthorizeRequest>, 'timestamp' | 'nonce'>;

/** What is signed as text must be text; bytes are checked where they are read. */
export const assertText = (input: SignedTexts): void => throwTogether(textsFaults(input));

type SignedTexts = Pick<Static<typeof schema.PaymentParametersRequest>, 'bizContent' | 'parameters'>;

const textsFaults = ({ bizContent, parameters = {} }: SignedTexts): PaycertError[] => [
  ...textFaults(bizContent, 'bizContent'),
  ...Object.entries(parameters).flatMap(([name, value]) => textFaults(value, `parameters.${name}`)),
];

export function utf8(text: string, field: string): Buffer {
  throwTogether(textFaults(text, field));
  return Buffer.from(text);
}

const textFaults = (text: string | undefined, field: string): PaycertError[] =>
  text === undefined || text.isWellFormed()
    ? []
    : [requestInvalid(field, 'holds half a surrogate pair, which no UTF-8 can carry')];

function base64Faults(text: string | undefined, field: string): PaycertError[] {
  const message = text === undefined ? undefined : wrongBase64(text);
  return message === undefined ? [] : [requestInvalid(field, message)];
}

export function textOrBase64(data: Uint8Array, textField: string, base64Field: string): Record<string, string> {
  return isUtf8(data) ? { [textField]: utf8Of(data) } : { [base64Field]: base64(data) };
}
