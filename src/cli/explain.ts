// paycert explain: why did the platform refuse the signature? What it built, beside what was signed. Never a value that may be secret.
import { isUtf8 } from 'node:buffer';
import Type from 'typebox';
import { PaycertError } from '../errors.ts';
import { type Cause, causes } from '../providers/causes.ts';
import type { Refusal, Refusals, Sent } from '../providers/refusal.ts';
import { type Comparison, compare } from '../providers/shared/comparison.ts';
import { compareRecollection, markOf, type Recollection } from '../providers/shared/recollection.ts';
import { validator } from '../validation.ts';
import { usageError } from './command.ts';
import { decodeResponse, recognize } from './explain-response.ts';
import { readInput } from './input.ts';
import { paint, print } from './table.ts';

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

export type Recalled = Recollection & { readonly at: string; readonly keyId: string };

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
  print(isJson ? JSON.stringify(toJson(findings), undefined, 2) : render(findings));
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
  const findings = find(inputs);
  return isJson ? JSON.stringify(toJson(findings), undefined, 2) : render(findings);
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

interface Findings {
  readonly platform: Refusals;
  readonly refusal: Refusal;
  readonly comparison: Comparison | undefined;
  readonly causes: readonly Cause[];
  /** Whether there was something to compare with. */
  readonly isGiven: boolean;
  /** What the sidecar remembers of the request. */
  readonly recalled: Recalled | undefined;
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

const toJson = ({ platform, refusal, comparison, causes: names, recalled }: Findings) => ({
  platform: platform.platform,
  code: refusal.code,
  about: refusal.about,
  ...(refusal.about === 'unknown' && { lookUp: platform.codesAt(refusal.code) }),
  compared: comparison !== undefined,
  ...(recalled && { signed: recalled }),
  ...(comparison?.difference && { difference: comparison.difference }),
  causes: names.map((cause) => ({ cause, ...causes[cause] })),
});

const legend =
  'Values are hidden: a is a lower-case letter, A an upper-case one, 9 a digit, 字 anything beyond ASCII, ⏎ a line end.';

function render({ platform, refusal, comparison, causes: names, isGiven, recalled }: Findings): string {
  const code = refusal.code === '' ? '' : ` with ${paint('bold', refusal.code)}`;
  const said = `${platform.platform} refused the request${code}`;
  const reasons = names.flatMap((cause, index) => [
    `${index + 1}. ${causes[cause].why}`,
    `   ${paint('dim', causes[cause].remedy)}`,
  ]);
  if (refusal.about === 'unknown') {
    const where = platform.codesAt(refusal.code);
    return [said, '', `This code is unknown here: it may be about the signature or not. Look it up: ${where}`].join(
      '\n',
    );
  }
  if (refusal.about === 'other') {
    const told = 'This is not about the signature: the request was refused for another reason.';
    return [said, '', told, ...(reasons.length > 0 ? ['', ...reasons] : [])].join('\n');
  }
  const title = comparison === undefined && refusal.certain.length === 0 ? checkList : likely;
  const list = reasons.length > 0 ? ['', title, ...reasons] : [];
  const remembered = recalled ? [showRecalled(recalled), ''] : [];
  return [said, '', ...remembered, ...showComparison(comparison, refusal, isGiven), ...list].join('\n');
}

const showRecalled = ({ at, method, path, keyId, parts, byteLength }: Recalled): string =>
  `The sidecar signed ${method} ${path} at ${at} with key ${keyId}: ${byteLength} bytes, ${parts.map(({ name, byteLength: length }) => `${name} ${length}`).join(', ')}.`;

const likely = 'Likely causes, the likeliest first:';
const checkList = 'Check in this order:';

function showComparison(comparison: Comparison | undefined, { built }: Refusal, isGiven: boolean): readonly string[] {
  if (comparison === undefined) {
    if (built.length === 0) return ['The response does not show what the platform built: there is no text to compare.'];
    return isGiven
      ? []
      : [
          'The response shows what the platform built: give --signed or --request to compare it, or --socket for what the sidecar remembers.',
        ];
  }
  const { difference } = comparison;
  if (difference === undefined) return ['What was signed is what the platform built, as far as it shows it.'];
  if (difference.part === '') return ['The texts have the same names and lengths, and differ in a value.'];
  const { part, character, platform: theirs, signed: ours, offset, byteLengths } = difference;
  if (byteLengths !== undefined) {
    const { platform, signed } = byteLengths;
    return [`The texts differ in ${paint('bold', part)}: ${platform} bytes at the platform, ${signed} signed.`];
  }
  if (theirs === undefined && ours === undefined) return [`The texts differ in the place of ${paint('bold', part)}.`];
  const place = character === undefined ? '' : `, character ${character}`;
  return [
    `The first difference is in ${paint('bold', part)}${place}:`,
    `  platform  ${theirs ?? '(nothing)'}`,
    `  signed    ${ours ?? '(nothing)'}`,
    ...(offset === undefined ? [] : [`            ${' '.repeat(columns(ours?.slice(0, offset) ?? ''))}^`]),
    legend,
  ];
}

/** How wide a terminal shows it: 字 takes two columns. */
const columns = (text: string): number => text.length + text.replace(/[^字]/g, '').length;
