// HTTP ↔ the snapshot's operations: one row per call. A row never sees a connection.
import type { Static, TSchema } from 'typebox';
import type { CredentialOperations } from '../store/use.ts';
import { validator } from '../validation.ts';
import {
  assertText,
  base64,
  bytes,
  readCiphertext,
  readReceived,
  readRequest,
  textOrBase64,
  utf8,
} from './operation-input.ts';
import * as schema from './schema.ts';

/** One use of a credential: its operations, on one snapshot. */
export interface Use extends CredentialOperations {
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
  return { ...row, name, run: (input, use) => row.run(validate(input), use) };
}

/** Seconds have eleven digits until the year 5138. */
const timeOf = (timestamp: number): Date => new Date(timestamp > 99_999_999_999 ? timestamp : timestamp * 1000);

const authorize = operation('authorize', {
  summary: 'The request to send, with its Authorization header.',
  request: schema.AuthorizeRequest,
  result: schema.AuthorizeResult,
  isBatchable: true,
  async run({ timestamp, nonce, ...members }, use) {
    const request = readRequest(members);
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

const report = operation('report', {
  summary: 'What the platform said of a signature: accepted, or refused.',
  request: schema.ReportRequest,
  result: schema.ReportResult,
  isBatchable: false,
  async run(judgement, use) {
    await use.report(judgement);
    return { generation: use.generation };
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
  report,
];
