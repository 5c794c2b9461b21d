// Reads the documents as tests need them: sections, tables, code blocks, anchors.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const root = new URL('../../', import.meta.url);
export const rootPath = fileURLToPath(root);

export const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

export interface Section {
  readonly level: number;
  readonly title: string;
  /** Without the title, up to the next heading of any level. */
  readonly body: string;
}

const withoutCode = (text: string): string => text.replace(/^```[\s\S]*?^```$/gm, '');

export function sections(path: string): Section[] {
  const text = withoutCode(read(path));
  const headings = [...text.matchAll(/^(#{1,6}) (.+)$/gm)];
  return headings.map((heading, index) => ({
    level: heading[1]?.length ?? 0,
    title: heading[2] ?? '',
    body: text.slice(heading.index + heading[0].length, headings[index + 1]?.index ?? text.length),
  }));
}

/** The sections under a heading, each with the heading of that level it stands under. */
export function grouped(path: string, level: number): { group: string; title: string; body: string }[] {
  let group = '';
  return sections(path).flatMap((section) => {
    if (section.level < level) group = section.title;
    return section.level === level ? [{ group, title: section.title, body: section.body }] : [];
  });
}

/** The body rows of every table in a text, as cells. */
export function tableRows(text: string): string[][] {
  const lines = text.split('\n');
  return lines
    .filter(
      (line, index) => line.startsWith('|') && !line.startsWith('| ---') && !lines[index + 1]?.startsWith('| ---'),
    )
    .map((line) =>
      line
        .replace(/^\| ?| ?\|$/g, '')
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim().replaceAll('\\|', '|')),
    );
}

/** The words in backticks. */
export const quoted = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word);

export interface Block {
  /** What stands after the three backticks. */
  readonly info: string;
  readonly text: string;
}

const blocksIn = (text: string): Block[] =>
  [...text.matchAll(/^```(\S.*)\n([\s\S]*?)^```$/gm)].map(([, info = '', code = '']) => ({ info, text: code }));

export const codeBlocks = (path: string): Block[] => blocksIn(read(path));

/** The blocks between a heading and the next one of its level or above. */
export function blocksUnder(path: string, title: string): Block[] {
  const text = read(path);
  // A comment in a shell's block begins as a heading does.
  const prose = text.replace(/^```[\s\S]*?^```$/gm, (code) => code.replace(/^#/gm, ' '));
  const heading = new RegExp(`^(#+) ${title}$`, 'm').exec(prose);
  if (heading === null) return [];
  const start = heading.index + heading[0].length;
  const length = prose.slice(start).search(new RegExp(`^#{1,${heading[1]?.length ?? 0}} `, 'm'));
  return blocksIn(text.slice(start, length === -1 ? undefined : start + length));
}

/** The page of a provider, by its id. */
export const pageOf = (id: string): string => `docs/providers/${kebabCase(id)}.md`;

/** `wechatpayV2` → `wechatpay-v2`: what a provider's folder and page are called. */
export const kebabCase = (id: string): string => id.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** The fragments that GitHub makes of a document's headings. */
export function anchors(path: string): Set<string> {
  return new Set(
    sections(path).map(({ title }) =>
      title
        .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\p{M} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** Every document of the repository that people read, by its path. */
export function documentPaths(): string[] {
  const all = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isFile());
  const inDocs = readdirSync(new URL('docs/', root), { recursive: true }).map((name) => `docs/${String(name)}`);
  return [...all.map(({ name }) => name), ...inDocs].filter((path) => path.endsWith('.md'));
}

/** Every source file, relative to the root. */
export function sourceFiles(): string[] {
  const names = readdirSync(new URL('src/', root), { recursive: true });
  return names
    .map((name) => `src/${String(name)}`)
    .filter((path) => /\.[jt]s$/.test(path))
    .sort();
}
