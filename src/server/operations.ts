// HTTP ↔ the snapshot's operations: one row per call. A row never sees a connection.
import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import type { Static, TSchema } from 'typebox';
import type { FairnessKey } from '../store/limiter.ts';
import { PaycertError } from '../errors.ts';
import type { Observe } from '../events.ts';
import type { Moment, Received } from '../providers/provider.ts';
import type { Snapshot } from '../store/snapshot.ts';
import { validator } from '../validation.ts';
import * as schema from './schema.ts';

/** What an operation runs in. The fairness key is shared by the items of one batch. */
export interface Run {
  readonly credential: string;
  readonly snapshot: Snapshot;
  readonly now: Date;
  readonly fairnessKey: FairnessKey;
  readonly observe: Observe;
}

export interface Operation {
  readonly name: string;
  readonly summary: string;
  readonly request: TSchema;
  readonly result: TSchema;
  readonly isBatchable: boolean;
  readonly run: (input: unknown, run: Run) => Promise<object>;
}

interface Row<I extends TSchema, O extends TSchema> {
  readonly summary: string;
  readonly request: I;
  readonly result: O;
  readonly isBatchable: boolean;
  readonly run: (input: Static<I>, run: Run) => Promise<Static<O> & object>;
}

function operation<I extends TSchema, O extends TSchema>(name: string, row: Row<I, O>): Operation {
  const validate = validator(row.request, 'request-invalid');
  return { ...row, name, run: async (input, run) => row.run(validate(input), run) };
}

const authorize = operation('authorize', {
  summary: 'The request to send, with its Authorization header.',
  request: schema.AuthorizeRequest,
  result: schema.AuthorizeResult,
  isBatchable: true,
  async run({ body: text, bodyBase64, timestamp, nonce, ...members }, { snapshot, now, fairnessKey }) {
    const body = optionalBytes({ body: text, bodyBase64 }, 'body', 'bodyBase64');
    assertText(members);
    const request = { ...members, ...(body && { body }) };
    const moment = {
      ...freshMoment(now),
      ...(timestamp !== undefined && { now: new Date(timestamp * 1000) }),
      ...(nonce !== undefined && { nonce }),
    };
    const { body: sent, ...authorized } = await snapshot.authorize(request, moment, fairnessKey);
    return {
      ...authorized,
      headers: { ...authorized.headers },
      ...(sent && textOrBase64(sent, 'body', 'bodyBase64')),
      generation: snapshot.generation,
    };
  },
});

const sign = operation('sign', {
  summary: 'A signature over bytes.',
  request: schema.SignRequest,
  result: schema.SignResult,
  isBatchable: true,
  async run(input, { snapshot, fairnessKey }) {
    const { signature, keyId } = await snapshot.sign(bytes(input, 'message', 'messageBase64'), fairnessKey);
    return { signature: base64(signature), keyId, generation: snapshot.generation };
  },
});

const verify = operation('verify', {
  summary: 'Whether the platform signed an answer, a notification or a message.',
  request: schema.VerifyRequest,
  result: schema.VerifyResult,
  isBatchable: true,
  async run(input, run) {
    return { valid: true as const, ...(await verifyAndCount(readReceived(input), run)) };
  },
});

const decrypt = operation('decrypt', {
  summary: 'The plaintext of a resource or of a field.',
  request: schema.DecryptRequest,
  result: schema.DecryptResult,
  isBatchable: true,
  async run(input, { credential, snapshot, now, fairnessKey, observe }) {
    const { plaintext, keyId, role, isRetired } = await snapshot.decrypt(readCiphertext(input), now, fairnessKey);
    observe({ type: 'decrypted', credential, role, isRetired });
    return { ...textOrBase64(plaintext, 'plaintext', 'plaintextBase64'), keyId };
  },
});

const notification = operation('notification', {
  summary: 'Verifies and decrypts what the platform sent, in one call.',
  request: schema.NotificationRequest,
  result: schema.NotificationResult,
  isBatchable: false,
  async run({ headers, ...rest }, run) {
    const body = bytes(rest, 'body', 'bodyBase64');
    const received = { kind: 'notification', body, ...(headers && { headers }) } as const;
    const { role, isRetired, ...opened } = await run.snapshot.receive(received, run.now, (error) =>
      tellUnverified(error, received, run),
    );
    if (role !== undefined) run.observe({ type: 'decrypted', credential: run.credential, role, isRetired });
    return opened;
  },
});

const encrypt = operation('encrypt', {
  summary: 'A field that only the platform can read.',
  request: schema.EncryptRequest,
  result: schema.EncryptResult,
  isBatchable: true,
  async run({ plaintext, keyId }, { snapshot, now }) {
    const encrypted = await snapshot.encrypt(utf8(plaintext, 'plaintext'), now, keyId);
    return { ciphertext: base64(encrypted.ciphertext), keyId: encrypted.keyId };
  },
});

const paymentParameters = operation('payment-parameters', {
  summary: 'The signed object that the paying client needs.',
  request: schema.PaymentParametersRequest,
  result: schema.PaymentParametersResult,
  isBatchable: false,
  async run(input, { snapshot, now, fairnessKey }) {
    assertText(input);
    return { ...(await snapshot.paymentParameters(input, freshMoment(now), fairnessKey)) };
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

const freshMoment = (now: Date): Moment => ({ now, nonce: randomUUID().replaceAll('-', '') });

const base64 = (data: Uint8Array): string =>
  Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');

const invalid = (field: string, message: string) =>
  new PaycertError('request-invalid', `${field} ${message}`, { field });

/** A refused signature. An answer that the platform never signs is no proof, and nobody's failure. */
const isUnverified = (error: unknown): error is PaycertError =>
  error instanceof PaycertError && error.kind === 'refused' && error.code !== 'response-unsigned';

function tellUnverified(error: unknown, { kind }: Received, { credential, observe }: Run): void {
  if (isUnverified(error)) observe({ type: 'unverified', credential, kind, error });
}

async function verifyAndCount(received: Received, run: Run) {
  try {
    return await run.snapshot.verify(received, run.now);
  } catch (error) {
    tellUnverified(error, received, run);
    throw error;
  }
}

type VerifyInput = Static<typeof schema.VerifyRequest>;

const responseFields = ['headers', 'body', 'bodyBase64', 'method', 'url', 'status', 'apiMethod'] as const;
const messageFields = ['message', 'messageBase64', 'signature', 'keyId'] as const;

/** An answer or a message, never half of each: what belongs to the other would be accepted without being verified. */
function readReceived(input: VerifyInput): Received {
  return input.kind === undefined ? readMessage(input) : readResponse(input, input.kind);
}

function readResponse(
  { kind: _, body: text, bodyBase64, ...input }: VerifyInput,
  kind: NonNullable<VerifyInput['kind']>,
): Received {
  const foreign = messageFields.find((field) => input[field] !== undefined);
  if (foreign !== undefined) throw invalid(foreign, 'and kind exclude each other');
  const body = optionalBytes({ body: text, bodyBase64 }, 'body', 'bodyBase64') ?? new Uint8Array();
  return { ...input, kind, body };
}

/** The signature is passed on as it came: one that is no base64 is wrong, not the caller's mistake. */
function readMessage({ signature, keyId, message, messageBase64, ...input }: VerifyInput): Received {
  const foreign = responseFields.find((field) => input[field] !== undefined);
  if (foreign !== undefined) throw invalid(foreign, 'needs kind beside it');
  if (signature === undefined || keyId === undefined) {
    throw invalid(signature === undefined ? 'signature' : 'keyId', 'is missing; or give kind, headers and body');
  }
  return { kind: 'message', message: bytes({ message, messageBase64 }, 'message', 'messageBase64'), signature, keyId };
}

function readCiphertext({ algorithm, ciphertext, nonce, associatedData }: Static<typeof schema.DecryptRequest>) {
  assertBase64(ciphertext, 'ciphertext');
  if (algorithm === undefined) {
    if (nonce === undefined && associatedData === undefined) return { ciphertext };
    throw invalid('algorithm', 'is missing beside nonce or associatedData');
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
  if (text !== undefined && encoded !== undefined) throw invalid(base64Field, `and ${textField} exclude each other`);
  if (encoded !== undefined) return assertBase64(encoded, base64Field);
  return text === undefined ? undefined : utf8(text, textField);
}

function bytes(input: Texts, textField: string, base64Field: string): Uint8Array {
  const found = optionalBytes(input, textField, base64Field);
  if (found === undefined) throw invalid(textField, `is missing, and so is ${base64Field}`);
  return found;
}

/** What is signed as text must be text; bytes are judged where they are read. */
function assertText({ bizContent = '', parameters = {} }: Static<typeof schema.PaymentParametersRequest>): void {
  utf8(bizContent, 'bizContent');
  for (const [name, value] of Object.entries(parameters)) utf8(value, `parameters.${name}`);
}

function utf8(text: string, field: string): Buffer {
  if (!text.isWellFormed()) throw invalid(field, 'holds half a surrogate pair, which no UTF-8 can carry');
  return Buffer.from(text);
}

/** Buffer.from takes anything for base64 and drops what it does not know. */
function assertBase64(text: string, field: string): Buffer {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw invalid(field, 'is not valid base64');
  return Buffer.from(text, 'base64');
}

function textOrBase64(data: Uint8Array, textField: string, base64Field: string): Record<string, string> {
  return isUtf8(data) ? { [textField]: Buffer.from(data).toString() } : { [base64Field]: base64(data) };
}
