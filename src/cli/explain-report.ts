// What `paycert explain` prints of what it found, for people and for programs.
import { type Cause, causes } from '../providers/causes.ts';
import { publicWords, type Refusal, type Refusals } from '../providers/refusal.ts';
import type { Comparison } from '../providers/shared/comparison.ts';
import type { Recollection } from '../providers/shared/recollection.ts';
import { paint } from './table.ts';

export type Recalled = Recollection & { readonly at: string; readonly keyId: string };

export interface Findings {
  readonly platform: Refusals;
  readonly refusal: Refusal;
  readonly comparison: Comparison | undefined;
  readonly causes: readonly Cause[];
  /** Whether there was something to compare with. */
  readonly isGiven: boolean;
  /** What the sidecar remembers of the request. */
  readonly recalled: Recalled | undefined;
}

export const report = (findings: Findings, isJson: boolean): string =>
  isJson ? JSON.stringify(toJson(findings), undefined, 2) : render(findings);

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
  const words = refusal.code === '' ? publicWords(refusal.words ?? '') : '';
  const said = `${platform.platform} refused the request${code}${words === '' ? '' : `: “${words}”`}`;
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
