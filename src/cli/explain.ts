// paycert explain: why did the platform refuse the signature? What it built, beside what was signed. Never a value that may be secret.
import { isUtf8 } from 'node:buffer';
import Type from 'typebox';
import { PaycertError } from '../errors.ts';
import { type Comparison, compare } from '../providers/shared/comparison.ts';
import { type Cause, causes, type Refusal, type Refusals, type Sent } from '../providers/refusal.ts';
import type { Platform } from '../providers/platform.ts';
import { platforms } from '../providers/registry.ts';
import { validator } from '../validation.ts';
import { usageError } from './command.ts';
import { readInput } from './input.ts';
import { paint, print } from './table.ts';

export interface ExplainOptions {
  /** Standard input where it is absent or `-`. */
  readonly file: string | undefined;
  readonly signed: string | undefined;
  readonly request: string | undefined;
  readonly isJson: boolean;
}

/** The platforms that say what is wrong with a signature, told apart by the shape of what they answer. */
const explaining: readonly Refusals[] = Object.values<Platform>(platforms).flatMap(({ refusals }) => refusals ?? []);

/** Exit code 0: there is an explanation, however short. What cannot be read is thrown. */
export async function explain({ file, signed, request, isJson }: ExplainOptions): Promise<number> {
  if (signed !== undefined && request !== undefined) throw usageError('give --signed or --request, not both');
  if ([file ?? '-', signed, request].filter((path) => path === '-').length > 1)
    throw usageError('only one input can be -');
  const body = await readInput(file);
  const inputs = {
    body,
    ...(signed !== undefined && { signed: await readInput(signed) }),
    ...(request !== undefined && { request: await readInput(request) }),
  };
  print(explainRefusal(inputs, isJson));
  return 0;
}

export interface Inputs {
  /** What the platform answered. */
  readonly body: Buffer;
  readonly signed?: Buffer;
  readonly request?: Buffer;
}

/** What is printed. */
export function explainRefusal({ body, signed, request }: Inputs, isJson: boolean): string {
  const { platform, refusal } = recognize(readObject(body, 'the body'));
  const ours = signed && readText(signed, '--signed');
  const text = request ? rebuild(platform, readSent(request)) : ours;
  const isComparable = text !== undefined && refusal.built.length > 0;
  const comparison = isComparable ? compare(refusal.built, text, platform.split) : undefined;
  const names = new Set([...refusal.certain, ...(comparison?.causes ?? refusal.possible)]);
  const findings = {
    platform: platform.platform,
    refusal,
    comparison,
    causes: [...names],
    isGiven: text !== undefined,
  };
  return isJson ? JSON.stringify(toJson(findings), undefined, 2) : render(findings);
}

interface Findings {
  readonly platform: string;
  readonly refusal: Refusal;
  readonly comparison: Comparison | undefined;
  readonly causes: readonly Cause[];
  /** Whether there was something to compare with. */
  readonly isGiven: boolean;
}

function recognize(body: object): { platform: Refusals; refusal: Refusal } {
  for (const platform of explaining) {
    const refusal = platform.read(body);
    if (refusal !== undefined) return { platform, refusal };
  }
  throw new PaycertError('refusal-unknown', 'the body is no error of WeChat Pay APIv3, Alipay or Aliyun OpenAPI');
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
  const { method, url, headers = {}, body = '', bodyBase64 } = validateSent(readObject(bytes, '--request'));
  const sent = bodyBase64 === undefined ? Buffer.from(body) : Buffer.from(bodyBase64, 'base64');
  return { method: method.toUpperCase(), url, headers, body: sent };
}

function rebuild(platform: Refusals, sent: Sent): string {
  const text = orInvalid(() => platform.rebuild(sent));
  if (text !== undefined) return text;
  const message = `--request carries no signature of ${platform.platform}; it must hold what authorize answered`;
  throw new PaycertError('request-invalid', message, { field: 'headers' });
}

/** To whoever reads what a platform sends, a form that is none is forged; here it is a mistake of whoever asks. */
function orInvalid<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof PaycertError) || error.code !== 'message-malformed') throw error;
    throw new PaycertError('request-invalid', error.message, { field: error.field ?? 'body' });
  }
}

const toJson = ({ platform, refusal, comparison, causes: names }: Findings) => ({
  platform,
  code: refusal.code,
  compared: comparison !== undefined,
  ...(comparison?.difference && { difference: comparison.difference }),
  causes: names.map((cause) => ({ cause, ...causes[cause] })),
});

const legend =
  'Values are hidden: a is a lower-case letter, A an upper-case one, 9 a digit, 字 anything beyond ASCII, ⏎ a line end.';

function render({ platform, refusal, comparison, causes: names, isGiven }: Findings): string {
  const said = `${platform} refused the request${refusal.code === '' ? '' : ` with ${paint('bold', refusal.code)}`}`;
  const reasons = names.flatMap((cause, index) => [
    `${index + 1}. ${causes[cause].why}`,
    `   ${paint('dim', causes[cause].remedy)}`,
  ]);
  const list = reasons.length > 0 ? ['', 'Likely causes, the likeliest first:', ...reasons] : [];
  return [said, '', ...showComparison(comparison, refusal, isGiven), ...list].join('\n');
}

function showComparison(comparison: Comparison | undefined, { built }: Refusal, isGiven: boolean): readonly string[] {
  if (comparison === undefined) {
    if (built.length === 0) return ['The answer does not show what the platform built: there is nothing to compare.'];
    return isGiven ? [] : ['The answer shows what the platform built: give --signed or --request to compare it.'];
  }
  const { difference } = comparison;
  if (difference === undefined) return ['What was signed is what the platform built, as far as it shows it.'];
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
