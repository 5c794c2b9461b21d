// The help texts, made from the table of commands.
import type { Command, Option } from './command.ts';

const left = (name: string, { short, value }: Option): string =>
  `${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`;

const columns = (rows: readonly (readonly [string, string])[]): string => {
  const width = Math.max(...rows.map(([first]) => first.length));
  return rows.map(([first, second]) => `  ${first.padEnd(width)}  ${second}\n`).join('');
};

export function overview(commands: Readonly<Record<string, Command>>): string {
  const rows = Object.entries(commands).map(([name, { summary }]) => [name, summary] as const);
  return `paycert: hot reload for payment certificates and keys\n\nUsage: paycert COMMAND [options]\n\nCommands:\n${columns(rows)}\nRun paycert COMMAND --help for its options, paycert --version for the version.\n`;
}

export function helpOf(name: string, { summary, usage, options }: Command): string {
  const rows = [
    ...Object.entries(options).map(([option, row]) => [left(option, row), row.help] as const),
    ['-h, --help', 'This text'] as const,
  ];
  return `${summary}\n\nUsage: paycert ${name}${usage === '' ? '' : ` ${usage}`} [options]\n\nOptions:\n${columns(rows)}`;
}
