// paycert explain: why did the platform refuse the signature? What it built, beside what was signed. Never a value that may be secret.
import { PaycertError } from '../errors.ts';
import { compare } from '../providers/shared/comparison.ts';
import { compareRecollection, markOf } from '../providers/shared/recollection.ts';
import { usageError } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { readSent, readSigned, rebuild } from './explain-request.ts';
import { recognize } from './explain-response.ts';
import { decodeResponse } from './explain-wrapping.ts';
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
const codeOf = { signature: 0, other: exitCodes.refused, unknown: exitCodes.request } as const;

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
  return codeOf[findings.refusal.about];
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
  const ours = signed && readSigned(signed);
  const text = request ? rebuild(platform, readSent(request)) : ours;
  const isComparable = text !== undefined && refusal.built.length > 0;
  const found = recalled && compareRecalled(recalled, { platform, refusal });
  const comparison = isComparable ? compare(refusal.built, text, platform) : found?.comparison;
  const names = new Set([...refusal.certain, ...(comparison?.causes ?? refusal.possible)]);
  const isGiven = text !== undefined || found !== undefined;
  return { platform, refusal, comparison, causes: [...names], isGiven, recalled: found?.recalled };
}

/** @throws PaycertError `usage`, `refusal-unknown` */
function read(body: Buffer) {
  const text = decodeResponse(body);
  if (text.trim() === '')
    throw usageError('the body is empty: give what the platform answered, as a file or on standard input');
  const recognized = recognize(text);
  if (recognized !== undefined) return recognized;
  const message = 'the input holds no refusal of WeChat Pay, Alipay or Aliyun that is known';
  throw new PaycertError('refusal-unknown', message);
}
