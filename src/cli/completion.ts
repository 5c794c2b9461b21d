// Completion scripts for shells, made from the table of commands.
import { type Command, usageError } from './command.ts';

type Commands = Readonly<Record<string, Command>>;

const flags = ({ options }: Command): string[] => [...Object.keys(options), 'help'].map((name) => `--${name}`);

/** Options with a closed set of values, over all commands; equal names have equal values. */
function choices(commands: Commands): [option: string, values: string][] {
  const found = new Map<string, string>();
  for (const { options } of Object.values(commands))
    for (const [name, { choices: values }] of Object.entries(options)) if (values) found.set(name, values.join(' '));
  return [...found];
}

function bash(commands: Commands): string {
  const cases = Object.entries(commands).map(
    ([name, command]) =>
      `    ${name}) words="${flags(command).join(' ')}" arguments="${(command.words ?? []).join(' ')}" ;;`,
  );
  const values = choices(commands).map(
    ([option, words]) => `    --${option}) words="${words}" arguments="${words}" ;;`,
  );
  return `# paycert completion for bash: eval "$(paycert completion bash)"
_paycert() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words="${Object.keys(commands).join(' ')}" arguments
  if [ "$COMP_CWORD" -gt 1 ]; then
    case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
    *) words="" ;;
    esac
    case "\${COMP_WORDS[COMP_CWORD-1]}" in
${values.join('\n')}
    esac
    case "$current" in -*) ;; *) words="$arguments" ;; esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _paycert paycert
`;
}

const quoteZsh = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

function zsh(commands: Commands): string {
  const names = Object.entries(commands).map(([name, { summary }]) => `    ${quoteZsh(`${name}:${summary}`)}`);
  const values = choices(commands).map(([option, words]) => `      --${option}) compadd -- ${words}; return ;;`);
  const cases = Object.entries(commands).map(([name, command]) => {
    const positional = command.words ? `compadd -- ${command.words.join(' ')}` : '_files';
    return `      ${name}) compadd -- ${flags(command).join(' ')}; ${positional} ;;`;
  });
  return `#compdef paycert
# paycert completion for zsh: eval "$(paycert completion zsh)"
_paycert() {
  local -a names=(
${names.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command names
  else
    case "$words[CURRENT-1]" in
${values.join('\n')}
    esac
    case "$words[2]" in
${cases.join('\n')}
    esac
  fi
}
compdef _paycert paycert
`;
}

const quoteFish = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

function fish(commands: Commands): string {
  const lines = Object.entries(commands).flatMap(([name, { summary, options, words }]) => {
    const inside = `complete -c paycert -n '__fish_seen_subcommand_from ${name}'`;
    return [
      `complete -c paycert -n __fish_use_subcommand -a ${name} -d ${quoteFish(summary)}`,
      ...(words ? [`${inside} -f -a ${quoteFish(words.join(' '))}`] : []),
      ...Object.entries(options).map(([option, { type, short, choices: values, help }]) =>
        [
          `${inside} -l ${option}`,
          ...(short === undefined ? [] : [`-s ${short}`]),
          ...(type === 'string' ? ['-r'] : []),
          ...(values ? [`-f -a ${quoteFish(values.join(' '))}`] : []),
          `-d ${quoteFish(help)}`,
        ].join(' '),
      ),
      `${inside} -l help -s h -d 'This text'`,
    ];
  });
  return `# paycert completion for fish: paycert completion fish | source\n${lines.join('\n')}\n`;
}

const scripts: Readonly<Record<string, (commands: Commands) => string>> = { bash, zsh, fish };

export const shells = Object.keys(scripts);

/** @throws PaycertError `usage` */
export function completionScript(shell: string, commands: Commands): string {
  const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined;
  if (script === undefined)
    throw usageError(`there is no completion for this shell; there is for ${shells.join(', ')}`);
  return script(commands);
}
