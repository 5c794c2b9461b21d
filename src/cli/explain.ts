// paycert explain: why did the platform refuse the signature? What it built, beside what was signed. Never a value that may be secret.
import { isUtf8 } from 'node:buffer';
import Type from 'typebox';
import { PaycertError } from '../errors.ts';
import type { Refusals, Sent } from '../providers/refusal.ts';
import { compare } from '../providers/shared/comparison.ts';
import { compareRecollection, markOf } from '../providers/shared/recollection.ts';
import { validator } from '../validation.ts';
import { usageError } from './command.ts';
import { decodeResponse, recognize } from './explain-response.ts';
import { type Findings, type Recalled, report } from './explain-report.ts';
import { readInput } from './input.ts';
import { print } from './table.ts';

export interface ExplainOptions {
  /** Standard input where it is absent or `-`. */
  readonly file: string | undefined;
  readonly signed: string | undefined;
  readonly request: string | undefined;
  /** Asks a running sidecar what it signed with that nonce. */
  readonly recall?: ((nonce: string) => Promise<readonly Recalled[]>) | undefined;
  /** The nonce that was sent, where the response does not show it. */
  readonly nonce?: string | undefined;
  readonly isJson: boolean;
}

/** Of what the response is about, for scripts: the signature, something else, or nothing that is known. */
const exitCodes = { signature: 0, other: 1, unknown: 64 } as const;

/** Exit code 0: it is about the signature. 1: it is not. 64: nobody knows. What cannot be read is thrown. */
export async function explain({ file, signed, request, recall, nonce, isJson }: ExplainOptions): Promise<number> {
  if (signed !== undefined && request !== undefined) throw usageError('give --signed or --request, not both');
  if (recall && (signed ?? request) !== undefined)
    throw usageError('give --signed, --request or a sidecar, not two of them');
  if ([file ?? '-', signed, request].filter((path) => path === '-').length > 1)
    throw usageError('only one input can be -');
  const body = await readInput(file);
  const inputs = {
    body,
    ...(signed !== undefined && { signed: await readInput(signed) }),
    ...(request !== undefined && { request: await readInput(request) }),
    ...(recall && { recalled: await recall(nonce ?? nonceIn(body)) }),
  };
  const findings = find(inputs);
  print(report(findings, isJson));
  return exitCodes[findings.refusal.about];
}

export interface Inputs {
  /** What the platform answered. */
  readonly body: Buffer;
  readonly signed?: Buffer;
  readonly request?: Buffer;
  /** What a sidecar remembers, the youngest first. */
  readonly recalled?: readonly Recalled[];
}

/** What is printed. */
export function explainRefusal(inputs: Inputs, isJson: boolean): string {
  return report(find(inputs), isJson);
}

/** @throws PaycertError `usage` where the response does not show it */
function nonceIn(body: Buffer): string {
  const { platform, refusal } = read(body);
  for (const { text } of refusal.built) {
    const mark = markOf(platform.split(text));
    if (mark !== undefined) return mark;
  }
  throw usageError('the response does not show which request it is about: give --nonce, as it was sent');
}

/** Of several, which only a time can have, the one that is the most like what the platform built. */
function compareRecalled(
  recalled: readonly Recalled[],
  { platform, refusal }: Pick<Findings, 'platform' | 'refusal'>,
): Pick<Findings, 'comparison' | 'recalled'> {
  const all = recalled.map((one) => ({ recalled: one, comparison: compareRecollection(refusal.built, one, platform) }));
  const [youngest] = all;
  const best = all.find(({ comparison }) => comparison.difference === undefined) ?? youngest;
  return { comparison: refusal.built.length > 0 ? best?.comparison : undefined, recalled: best?.recalled };
}

function find({ body, signed, request, recalled }: Inputs): Findings {
  const { platform, refusal } = read(body);
  const ours = signed && readText(signed, '--signed');
  const text = request ? rebuild(platform, readSent(request)) : ours;
  const isComparable = text !== undefined && refusal.built.length > 0;
  const found = recalled && compareRecalled(recalled, { platform, refusal });
  const comparison = isComparable ? compare(refusal.built, text, platform) : found?.comparison;
  const names = new Set([...refusal.certain, ...(comparison?.causes ?? refusal.possible)]);
  const isGiven = text !== undefined || found !== undefined;
  return { platform, refusal, comparison, causes: [...names], isGiven, recalled: found?.recalled };
}

/** @throws PaycertError `request-malformed`, `refusal-unknown` */
function read(body: Buffer) {
  const text = decodeResponse(body);
  if (text.trim() === '') throw new PaycertError('request-malformed', 'the body is empty');
  const recognized = recognize(text);
  if (recognized !== undefined) return recognized;
  const message = 'the input holds no refusal of WeChat Pay, Alipay or Aliyun that is known';
  throw new PaycertError('refusal-unknown', message);
}

function readText(bytes: Buffer, what: string): string {
  if (bytes.byteLength === 0) throw new PaycertError('request-malformed', `${what} is empty`);
  if (!isUtf8(bytes)) throw new PaycertError('request-malformed', `${what} is not UTF-8`);
  return bytes.toString();
}

function readObject(bytes: Buffer, what: string): object {
  const value = parse(readText(bytes, what), what);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new PaycertError('request-malformed', `${what} is no JSON object`);
}

function parse(text: string, what: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    throw new PaycertError('request-malformed', `${what} is not JSON`);
  }
}

/** Of what `authorize` was given and answered; the other members say nothing about the request that was sent. */
const validateSent = validator(
  Type.Object({
    method: Type.String({ minLength: 1 }),
    url: Type.String({ minLength: 1 }),
    headers: Type.Optional(Type.Record(Type.String(), Type.String())),
    body: Type.Optional(Type.String()),
    bodyBase64: Type.Optional(Type.String()),
  }),
  'request-invalid',
);

function readSent(bytes: Buffer): Sent {
  const given = readObject(bytes, '--request');
  const { method, url, headers = {}, body = '', bodyBase64 } = validateSent(given);
  if (/^(?:POST|PUT|PATCH)$/i.test(method) && !('body' in given) && !('bodyBase64' in given)) throw halfOf('body');
  const sent = bodyBase64 === undefined ? Buffer.from(body) : Buffer.from(bodyBase64, 'base64');
  return { method: method.toUpperCase(), url, headers, body: sent };
}

/** Without it, what is missing would pass for what was sent empty. */
const halfOf = (field: string) =>
  new PaycertError(
    'request-invalid',
    `--request has no ${field}: it is only half of the request; give what authorize was given and what it answered, together (an empty body is "")`,
    { field },
  );

function rebuild(platform: Refusals, sent: Sent): string {
  const text = orInvalid(() => platform.rebuild(sent));
  if (text !== undefined) return text;
  const message = `--request carries no signature of ${platform.platform}: it is only half of the request, or that of another platform; give what authorize was given and what it answered, together`;
  throw new PaycertError('request-invalid', message, { field: 'headers' });
}

/** A malformed form from a platform is a forgery; here it is a user error. */
function orInvalid<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof PaycertError) || error.code !== 'message-malformed') throw error;
    throw new PaycertError('request-invalid', error.message, { field: error.field ?? 'body' });
  }
}
