// docs/errors.md: one section per code, in the order of the table. Its facts come from src/errors.ts; the story below them is written by hand.
import { type ErrorCode, errorTable } from '../src/errors.ts';

const codes = Object.keys(errorTable) as ErrorCode[];

/** The heading that a code belongs under. */
const groupOf = (code: ErrorCode): string => {
  const { kind, isWarning = false } = errorTable[code];
  return isWarning ? 'Warnings about material' : kind;
};

const isFact = (paragraph: string): boolean =>
  paragraph.startsWith('**Do:**') || /^HTTP \d{3}\. \*\*Do:\*\*/.test(paragraph);

function factOf(code: ErrorCode): string {
  const { hint, status } = errorTable[code];
  return `${status === undefined ? '' : `HTTP ${String(status)}. `}**Do:** ${hint}`;
}

/** What people wrote about a code: everything below its heading but the generated line. */
function storyOf(body: string): string {
  const [first = '', ...rest] = body.trim().split('\n\n');
  return (isFact(first) ? rest : [first, ...rest]).join('\n\n');
}

/** The page with a section for every code, each under its kind, and none for any other. */
export function errorsPage(text: string): string {
  const [before = '', ...groups] = text.split(/^## /m);
  const stories = new Map<string, string>();
  const heads = groups.map((group) => {
    const [head = '', ...sections] = group.split(/^### /m);
    for (const section of sections) {
      const end = section.indexOf('\n');
      stories.set(section.slice(0, end).trim(), storyOf(section.slice(end)));
    }
    return head.trim();
  });
  const filled = heads.map((head) => {
    const title = head.split('\n', 1)[0] ?? '';
    const sections = codes
      .filter((code) => groupOf(code) === title)
      .map((code) => [`### ${code}`, factOf(code), stories.get(code) ?? ''].filter((part) => part !== '').join('\n\n'));
    return [`## ${head}`, ...sections].join('\n\n');
  });
  return `${[before.trim(), ...filled].join('\n\n')}\n`;
}
