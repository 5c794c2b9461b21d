// Completion scripts for shells, made from the table of commands.
import { type Command, usageError } from './command.ts';

type Commands = Readonly<Record<string, Command>>;

const flags = ({ options }: Command): string[] => [...Object.keys(options), 'help'].map((name) => `--${name}`);

function bash(commands: Commands): string {
  const cases = Object.entries(commands).map(
    ([name, command]) => `    ${name}) words="${flags(command).join(' ')}" ;;`,
  );
  return `# paycert completion for bash: eval "$(paycert completion bash)"
_paycert() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words="${Object.keys(commands).join(' ')}"
  if [ "$COMP_CWORD" -gt 1 ]; then
    case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
    *) words="" ;;
    esac
    case "$current" in -*) ;; *) words="" ;; esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _paycert paycert
`;
}

function zsh(commands: Commands): string {
  const names = Object.entries(commands).map(
    ([name, { summary }]) => `    '${name}:${summary.replaceAll("'", "'\\''")}'`,
  );
  const cases = Object.entries(commands).map(
    ([name, command]) => `      ${name}) compadd -- ${flags(command).join(' ')}; _files ;;`,
  );
  return `#compdef paycert
# paycert completion for zsh: eval "$(paycert completion zsh)"
_paycert() {
  local -a names=(
${names.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command names
  else
    case "$words[2]" in
${cases.join('\n')}
    esac
  fi
}
compdef _paycert paycert
`;
}

function fish(commands: Commands): string {
  const lines = Object.entries(commands).flatMap(([name, command]) => [
    `complete -c paycert -n __fish_use_subcommand -a ${name} -d '${command.summary.replaceAll("'", "\\'")}'`,
    ...Object.entries(command.options).map(
      ([option, { help }]) =>
        `complete -c paycert -n '__fish_seen_subcommand_from ${name}' -l ${option} -d '${help.replaceAll("'", "\\'")}'`,
    ),
  ]);
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
