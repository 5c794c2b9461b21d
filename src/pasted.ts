// What was pasted with a secret, or in its place: quotes, the name before it, a placeholder. Words for it, never the value.

const quotes = '"\'`“”‘’„«»「」『』＂＇';
const quoted = /^(?:(["'`])[^]*\1|[“‘„«「『＂＇][^]*[”’“»」』＂＇])[,;，；]?$/;

/** Longer than any secret of one word. */
const longest = 16_384;

/** Names that are written before a secret, in files of settings and in consoles. */
const names =
  '(?:access[-_ ]?key(?:[-_ ]?(?:id|secret))?|api[-_ ]?v?[23]?[-_ ]?key|aes[-_ ]?key|hmac[-_ ]?key|secret[-_ ]?(?:key|id)?|app[-_ ]?(?:secret|id)|mch[-_ ]?key|(?:security|sts|access|auth|bearer)?[-_ ]?token|authorization|password|passwd|pin|private[-_ ]?key|key)';

/** Beginning with a letter, so that padding of base64 is none. */
const assignment = new RegExp(
  `^(?:(?:export|set|const|let|var)\\s+)?(?:[A-Za-z0-9]{1,20}[-_.])*${names}\\s*(?:[:=]|：|＝)\\s*[^\\s=]`,
  'i',
);

/** Chinese names of secrets, as consoles show them. */
const chineseAssignment = /^[A-Za-z0-9 ]{0,10}(?:密钥|秘钥|私钥|密码|口令|令牌)[^:：=]{0,10}[:：=]\s*\S/;

const emptyWords =
  /^(?:null|nil|none|undefined|nan|n\/a|true|false|todo|tbd|changeme|change[-_ ]me|placeholder|redacted|example)$/i;

/** Whole values that stand where a value was to be written. */
const placeholders: readonly RegExp[] = [
  emptyWords,
  /^[<＜《][^]*[>＞》]$/,
  /^\$(?:\{[^]*\}|\([^]*\)|[A-Z_][A-Z0-9_]*)$/,
  /^(?:\{\{[^]*\}\}|%[A-Za-z_][A-Za-z0-9_]*%|#\{[^]*\}|@[A-Za-z_.-]+@|ENC\([^]*\)|!vault\b[^]*)$/,
  /^[*•●·.…_-]+$/,
  /^\[?redacted\]?$/i,
  /^(?:your|insert|enter|replace|put)[-_ ](?:[a-z]+[-_ ])*(?:access|api|key|secret|token|id|value|here|with|this|me|password)(?![A-Za-z])[^]*$/i,
  /^[a-z][a-z0-9+.-]{1,20}:\/\/[^]+$/i,
  /^(?:%!\w\(<nil>\)|\[object \w+\]|\((?:sensitive value|known after apply)\))$/,
  /^(?:请|填写|填入|输入|在此|此处|你的|您的)[^]*$/,
  /^[A-Za-z0-9 ]{0,10}(?:密钥|秘钥|私钥|密码|口令|令牌)$/,
];

/** What keeps the value, or says where it is kept. */
const elsewhere: readonly (readonly [RegExp, string])[] = [
  [
    /^(?:\$ANSIBLE_VAULT;|ENC\[AES256_GCM,|age-encryption\.org\/|-----BEGIN (?:AGE|PGP) )/,
    'is encrypted by the tool that keeps it: decrypt it first',
  ],
  [
    /^(?:arn:[a-z-]{3,12}:|vault:[\w/-]+#|ref\+[a-z]|@Microsoft\.KeyVault\(|projects\/[^/\s]+\/secrets\/|version https:\/\/git-lfs)/,
    'says where the value is kept: write the value',
  ],
  [
    /^(?:\.{0,2}\/|[A-Za-z]:\\)[^\s]{1,200}\.(?:txt|pem|key|json|ya?ml|secret)$/,
    'is the path of a file: write what that file holds',
  ],
];

/** How a secret is chosen. `issued`: by a platform, which writes no marks at its ends. `agreed`: by people, of whatever there is. */
export type Origin = 'issued' | 'agreed';

/**
 * What is wrong with a text as a secret of one word; undefined where it may be one. Only forms that no platform issues, and that
 * no generator of random text comes upon.
 */
export function saidOfPasted(text: string, origin: Origin): string | undefined {
  if (text.length > longest) return undefined;
  if (quoted.test(text)) return 'is in quotes: write it without them';
  if (isJson(text)) return 'is JSON: write the value alone';
  if (placeholders.some((one) => one.test(text))) return 'is a placeholder: the value has not been put in its place';
  const kept = elsewhere.find(([pattern]) => pattern.test(text))?.[1];
  if (kept !== undefined) return kept;
  if (assignment.test(text) || chineseAssignment.test(text) || /^(?:Bearer|Basic) +\S/.test(text))
    return 'has its name before it: write the value alone';
  if (/[\uff01-\uff5e\u3000]/.test(text))
    return 'holds full-width characters: write it in ASCII, as the platform shows it';
  if (/[\u00a0\u200b-\u200f\u2028-\u202e\u2060\ufeff]/.test(text)) return 'holds an invisible character: copy it again';
  if (text === '' || origin === 'agreed') return undefined;
  if (/^LTAI\w{12,30}[:,;\s]+\w/.test(text)) return 'has several values: write each in a file of its own';
  if (/\s/.test(text)) return 'has a blank or a line end in it: write the value alone';
  if (quotes.includes(text.slice(0, 1)) || quotes.includes(text.slice(-1)))
    return 'has a quote at one end: write it without';
  return /[,;:，；：。、]$/.test(text) ? 'ends with a punctuation mark: write the value alone' : undefined;
}

/** An object or an array; a number would be one too, and may be a secret. */
function isJson(text: string): boolean {
  if (!/^(?:\{[^]*\}|\[[^]*\])$/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Text that was read as UTF-8 and is UTF-16: two bytes of a byte order mark, or a zero beside each character. */
export const isUtf16 = (text: string): boolean => /^(?:\ufffd{2}|[^\0]?\0)/.test(text);

/** What is said of it, after its name. */
export const inUtf16 = 'is text in UTF-16: convert it with iconv -f UTF-16 -t UTF-8 FILE';
