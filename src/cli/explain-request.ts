// What `paycert explain` compares a refusal with: the text that was signed, or the request that was sent.
import { isUtf8 } from 'node:buffer';
import Type from 'typebox';
import { PaycertError } from '../errors.ts';
import { anyName } from '../json-schema.ts';
import type { Refusals, Sent } from '../providers/refusal.ts';
import { validator } from '../validation.ts';
import { usageError } from './command.ts';
import { recognize } from './explain-response.ts';

/** @throws PaycertError `usage` */
export function readSigned(bytes: Buffer): string {
  return readText(bytes, '--signed', 'the text that was signed, byte for byte');
}

const together = 'give what authorize was given and what it answered, together, as one JSON object';

/** Of what `authorize` was given and answered; the other members say nothing about the request that was sent. */
const validateSent = validator(
  Type.Object({
    method: Type.String({ minLength: 1 }),
    url: Type.String({ minLength: 1 }),
    headers: Type.Optional(Type.Record(Type.String(anyName), Type.String())),
    body: Type.Optional(Type.String()),
    bodyBase64: Type.Optional(Type.String()),
  }),
  'usage',
  'few',
);

/** @throws PaycertError `usage` */
export function readSent(bytes: Buffer): Sent {
  const text = readText(bytes, '--request', 'the request that was sent');
  const given = parse(text);
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw usageError(`--request is no JSON object: ${together}`);
  if (!('headers' in given) && !('url' in given) && recognize(text))
    throw usageError(`--request is what the platform answered: give that as FILE; for --request, ${together}`);
  for (const field of ['method', 'url']) if (!(field in given)) throw halfOf(field);
  const { method, url, headers = {}, body = '', bodyBase64 } = validateSent(given);
  if (/^(?:POST|PUT|PATCH)$/i.test(method) && !('body' in given) && !('bodyBase64' in given)) throw halfOf('body');
  const sent = bodyBase64 === undefined ? Buffer.from(body) : Buffer.from(bodyBase64, 'base64');
  return { method: method.toUpperCase(), url, headers, body: sent };
}

/** Without it, what is missing would pass for what was sent empty. */
const halfOf = (field: string) =>
  usageError(
    `--request has no ${field}: it is only half of the request; ${together}${field === 'body' ? ' (an empty body is "")' : ''}`,
  );

/**
 * The text that was signed for this request.
 * @throws PaycertError `usage` where it carries no signature of that platform
 */
export function rebuild(platform: Refusals, sent: Sent): string {
  const text = orUsage(() => platform.rebuild(sent));
  if (text !== undefined) return text;
  throw usageError(
    `--request carries no signature of ${platform.platform}: it is only half of the request, or that of another platform; ${together}`,
  );
}

function readText(bytes: Buffer, what: string, wanted: string): string {
  if (bytes.byteLength === 0) throw usageError(`${what} is empty: give ${wanted}`);
  if (!isUtf8(bytes)) throw usageError(`${what} is not UTF-8: give ${wanted}`);
  return bytes.toString();
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    throw usageError(`--request is not JSON: ${together}`);
  }
}

/** A malformed form from a platform is a forgery; here it is a mistake in the command. */
function orUsage<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof PaycertError) || error.code !== 'message-malformed') throw error;
    throw usageError(`--request: ${error.message}`);
  }
}
