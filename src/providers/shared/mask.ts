// Shows what a value looks like and not what it is: every character stands for its kind, and keeps its place.

/** Names of JSON members: structure, not content. */
const memberNames = /(?<=[{,]\s{0,8}")[A-Za-z_]{1,24}(?="\s{0,8}:)/g;

/** Escapes of what is neither letter nor digit: mistakes with encodings must be seen. */
const escapes =
  /%(?:2[0-9A-Fa-f]|3[AaB-Fb-f]|40|5[B-Fb-f]|60|7[B-Eb-e])|%25(?=[0-9A-F]{2})|\\[nrtbfu"/\\]|&(?:amp|quot|lt|gt|#39);/g;

/** a: a lower-case letter, A: an upper-case one, 9: a digit, 字: anything beyond ASCII. */
function kind(unit: string): string {
  if (/[a-z]/.test(unit)) return 'a';
  if (/[A-Z]/.test(unit)) return 'A';
  if (/\d/.test(unit)) return '9';
  if (unit === '\n') return '⏎';
  if (unit === '\r') return '␍';
  if (unit < ' ' || unit === '\x7f') return '␣';
  return unit > '\x7f' ? '字' : unit;
}

/** As long as the text (in UTF-16 units), so that places in one are places in the other. */
export function maskText(text: string, words?: RegExp): string {
  let masked = '';
  let at = 0;
  const kept = [memberNames, escapes, ...(words === undefined ? [] : [words])]
    .flatMap((pattern) => [...text.matchAll(pattern)])
    .sort((a, b) => a.index - b.index);
  const hide = (until: number) => text.slice(at, until).replace(/[^]/g, kind);
  for (const { 0: word, index } of kept) {
    if (index < at) continue;
    masked += hide(index) + word;
    at = index + word.length;
  }
  return masked + hide(text.length);
}

/** Names of parameters and headers are words; anything else may be a secret in the wrong place. */
export function maskName(name: string): string {
  return /^[A-Za-z][A-Za-z_ ]{0,31}(?:[.-](?:\d{1,3}|sha256|[A-Za-z_]{1,24})){0,6}$/.test(name) ? name : maskText(name);
}
