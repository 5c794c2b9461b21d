// Tables and colours for people; colours only on a terminal that wants them.
import { styleText } from 'node:util';

export type Style = Parameters<typeof styleText>[0];

/** Coloured where the stream that it is written to is a terminal and NO_COLOR is not set. */
export function paint(style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return styleText(style, text, { stream });
}

/** error: what happened; hint: what to do. On standard error: standard output is for answers. */
export function printError(message: string, code: string, hint: string): void {
  const [error, what] = [paint('red', 'error:', process.stderr), paint('yellow', 'hint:', process.stderr)];
  process.stderr.write(`${error} ${message} (${code})\n${what} ${hint}\n`);
}

/** Columns as wide as their widest cell; two spaces between. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [paint('bold', line(header)), ...rows.map(line)].join('\n');
}

const day = 86_400_000;

export function daysLeft(notAfter: Date | undefined, now: Date): string {
  return notAfter === undefined ? 'does not expire' : String(Math.floor((notAfter.getTime() - now.getTime()) / day));
}

export const date = (time: Date | undefined): string => time?.toISOString().slice(0, 10) ?? '-';

const width = 100;

/** Words in lines of at most 100 characters, those after the first with a deeper indent; a longer word has a line of its own. */
export function wrap(text: string, indent: string, deeper = indent): string {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(' ')) {
    const isFirst = line.trim() === '';
    if (!isFirst && line.length + 1 + word.length > width) {
      lines.push(line);
      line = `${deeper}${word}`;
    } else line += isFirst ? word : ` ${word}`;
  }
  return [...lines, line].join('\n');
}

const shownIgnored = 8;

/** Names are as their writer chose them: one that holds anything unprintable is escaped. */
export const printable = (name: string): string =>
  /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]+$/u.test(name) ? name : JSON.stringify(name);

/** Parts of the material that nothing reads. */
export function listIgnored(names: readonly string[]): string {
  const more = names.length - shownIgnored;
  const shown = names.slice(0, shownIgnored).map(printable).join(', ');
  return `${shown}${more > 0 ? ` and ${String(more)} more` : ''} (no name that this platform’s material has)`;
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
