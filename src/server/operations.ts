// HTTP ↔ the snapshot's operations: one row per call. A row never sees a connection.
import { isUtf8 } from 'node:buffer';
import type { Static, TSchema } from 'typebox';
import { requestInvalid } from '../errors.ts';
import type { Received } from '../providers/provider.ts';
import type { Call } from '../store/call.ts';
import type { CredentialOperations } from '../store/use.ts';
import { oddBase64 } from '../transit.ts';
import { validator } from '../validation.ts';
import * as schema from './schema.ts';

/** One use of a credential: its operations, on one snapshot. */
export interface Use extends CredentialOperations {
  readonly call: Call;
  /** Of that snapshot. */
  readonly generation: number;
}

export interface Operation {
  readonly name: string;
  readonly summary: string;
  readonly request: TSchema;
  readonly result: TSchema;
  readonly isBatchable: boolean;
  readonly run: (input: unknown, use: Use) => Promise<object>;
}

interface Row<I extends TSchema, O extends TSchema> {
  readonly summary: string;
  readonly request: I;
  readonly result: O;
  readonly isBatchable: boolean;
  readonly run: (input: Static<I>, use: Use) => Promise<Static<O> & object>;
}

function operation<I extends TSchema, O extends TSchema>(name: string, row: Row<I, O>): Operation {
  const validate = validator(row.request, 'request-invalid');
  return { ...row, name, run: async (input, use) => row.run(validate(input), use) };
}

/** Seconds have eleven digits until the year 5138. */
const timeOf = (timestamp: number): Date => new Date(timestamp > 99_999_999_999 ? timestamp : timestamp * 1000);

const authorize = operation('authorize', {
  summary: 'The request to send, with its Authorization header.',
  request: schema.AuthorizeRequest,
  result: schema.AuthorizeResult,
  isBatchable: true,
  async run({ body: text, bodyBase64, timestamp, nonce, ...members }, use) {
    const body = optionalBytes({ body: text, bodyBase64 }, 'body', 'bodyBase64');
    assertText(members);
    const request = { ...members, ...(body && { body }) };
    const moment = {
      ...(timestamp !== undefined && { now: timeOf(timestamp) }),
      ...(nonce !== undefined && { nonce }),
    };
    const { body: sent, ...authorized } = await use.authorize(request, moment);
    return {
      ...authorized,
      headers: { ...authorized.headers },
      ...(sent && textOrBase64(sent, 'body', 'bodyBase64')),
      generation: use.generation,
    };
  },
});

const sign = operation('sign', {
  summary: 'A signature over bytes.',
  request: schema.SignRequest,
  result: schema.SignResult,
  isBatchable: true,
  async run(input, use) {
    const { signature, keyId } = await use.sign(bytes(input, 'message', 'messageBase64'));
    return { signature: base64(signature), keyId, generation: use.generation };
  },
});

const verify = operation('verify', {
  summary: 'Whether the platform signed a response, a notification or a message.',
  request: schema.VerifyRequest,
  result: schema.VerifyResult,
  isBatchable: true,
  async run(input, use) {
    return { valid: true as const, ...(await use.verify(readReceived(input))) };
  },
});

const decrypt = operation('decrypt', {
  summary: 'The plaintext of a resource or of a field.',
  request: schema.DecryptRequest,
  result: schema.DecryptResult,
  isBatchable: true,
  async run(input, use) {
    const { plaintext, keyId } = await use.decrypt(readCiphertext(input));
    return { ...textOrBase64(plaintext, 'plaintext', 'plaintextBase64'), keyId };
  },
});

const notification = operation('notification', {
  summary: 'Verifies and decrypts what the platform sent, in one call.',
  request: schema.NotificationRequest,
  result: schema.NotificationResult,
  isBatchable: false,
  async run({ headers, ...rest }, use) {
    const body = bytes(rest, 'body', 'bodyBase64');
    const { role: _, ...opened } = await use.receive({ body, ...(headers && { headers }) });
    return opened;
  },
});

const encrypt = operation('encrypt', {
  summary: 'A field that only the platform can read.',
  request: schema.EncryptRequest,
  result: schema.EncryptResult,
  isBatchable: true,
  async run({ plaintext, keyId }, use) {
    const encrypted = await use.encrypt(utf8(plaintext, 'plaintext'), keyId === undefined ? {} : { keyId });
    return { ciphertext: base64(encrypted.ciphertext), keyId: encrypted.keyId };
  },
});

const paymentParameters = operation('payment-parameters', {
  summary: 'The signed object that the paying client needs.',
  request: schema.PaymentParametersRequest,
  result: schema.PaymentParametersResult,
  isBatchable: false,
  async run(input, use) {
    assertText(input);
    return { ...(await use.paymentParameters(input)) };
  },
});

/** Every operation, in the order of the documentation. */
export const operations: readonly Operation[] = [
  authorize,
  sign,
  verify,
  decrypt,
  notification,
  encrypt,
  paymentParameters,
];

const base64 = (data: Uint8Array): string =>
  Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');

type VerifyInput = Static<typeof schema.VerifyRequest>;

const responseFields = ['headers', 'body', 'bodyBase64', 'method', 'url', 'status', 'apiMethod'] as const;
const messageFields = ['message', 'messageBase64', 'signature', 'keyId'] as const;

/** A response or a message, never half of each: what belongs to the other would be accepted without being verified. */
function readReceived(input: VerifyInput): Received {
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

function readCiphertext({ algorithm, ciphertext, nonce, associatedData }: Static<typeof schema.DecryptRequest>) {
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
function optionalBytes(input: Texts, textField: string, base64Field: string): Uint8Array | undefined {
  const { [textField]: text, [base64Field]: encoded } = input;
  if (text !== undefined && encoded !== undefined)
    throw requestInvalid(base64Field, `and ${textField} exclude each other`);
  if (encoded !== undefined) return assertBase64(encoded, base64Field);
  return text === undefined ? undefined : utf8(text, textField);
}

function bytes(input: Texts, textField: string, base64Field: string): Uint8Array {
  const found = optionalBytes(input, textField, base64Field);
  if (found === undefined) throw requestInvalid(textField, `is missing, and so is ${base64Field}`);
  return found;
}

/** What is signed as text must be text; bytes are judged where they are read. */
function assertText({ bizContent = '', parameters = {} }: Static<typeof schema.PaymentParametersRequest>): void {
  utf8(bizContent, 'bizContent');
  for (const [name, value] of Object.entries(parameters)) utf8(value, `parameters.${name}`);
}

function utf8(text: string, field: string): Buffer {
  if (!text.isWellFormed()) throw requestInvalid(field, 'holds half a surrogate pair, which no UTF-8 can carry');
  return Buffer.from(text);
}

/** Buffer.from takes anything for base64 and drops what it does not know. */
function assertBase64(text: string, field: string): Buffer {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text))
    throw requestInvalid(field, oddBase64(text) ?? 'is not valid base64');
  return Buffer.from(text, 'base64');
}

function textOrBase64(data: Uint8Array, textField: string, base64Field: string): Record<string, string> {
  return isUtf8(data) ? { [textField]: Buffer.from(data).toString() } : { [base64Field]: base64(data) };
}
