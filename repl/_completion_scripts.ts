/** Shells that have a completion script. */
export const SHELLS = ["bash", "zsh", "fish", "powershell"] as const;
type Shell = typeof SHELLS[number];

/** The script that makes a shell ask `pryx __complete`. */
export function completionScript(shell: Shell): string {
  return SCRIPTS[shell];
}

/*
 * Bash splits words at `=` and `:` too, so the words are put together again from where COMP_LINE has no space, and what
 * stands before the last such character is taken off the answers, because bash keeps it.
 */
const BASH = String.raw`# bash completion for pryx
_pryx() {
  local cur words=() line=$COMP_LINE word i piece values=() more= value
  for ((i = 1; i <= COMP_CWORD; i++)); do
    piece=\${COMP_WORDS[i]}
    line=\${line#*"\${COMP_WORDS[i - 1]}"}
    if ((i > 1)) && [[ $line != [[:space:]]* && -n $line ]] &&
      [[ $piece == [=:]* || \${COMP_WORDS[i - 1]} == *[=:] ]]; then
      words[\${#words[@]} - 1]+=$piece
    else
      words+=("$piece")
    fi
  done
  cur=\${words[\${#words[@]} - 1]}
  while IFS= read -r value; do
    case $value in
      :*) more=\${value#:} ;;
      *) values+=("\${value%%$'\t'*}") ;;
    esac
  done < <("\${COMP_WORDS[0]}" __complete -- "\${words[@]}" 2>/dev/null)
  COMPREPLY=()
  local cut=
  [[ $cur == *[=:]* && $COMP_WORDBREAKS == *[=:]* ]] && cut=\${cur%"\${cur##*[=:]}"}
  for value in "\${values[@]}"; do
    value=\${value#"$cut"}
    printf -v value '%q' "$value"
    COMPREPLY+=("$value")
  done
  case $more in
    files) compopt -o default 2>/dev/null ;;
    folders) compopt -o dirnames 2>/dev/null ;;
  esac
  [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == */ ]] && compopt -o nospace 2>/dev/null
}
complete -F _pryx pryx
`.replaceAll("\\$", "$");

const ZSH = String.raw`#compdef pryx
_pryx() {
  local line more
  local -a values shown
  while IFS= read -r line; do
    case $line in
      :*) more=\${line#:} ;;
      *)
        values+=("\${line%%$'\t'*}")
        if [[ -n \${line#*$'\t'} ]]; then
          shown+=("\${line%%$'\t'*}  -- \${line#*$'\t'}")
        else
          shown+=("\${line%%$'\t'*}")
        fi
        ;;
    esac
  done < <("\${words[1]}" __complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#values} )); then
    local -a ends
    [[ \${#values} -eq 1 && \${values[1]} == */ ]] && ends=(-S '')
    compadd -l -d shown $ends -a values
  fi
  case $more in
    files) _files ;;
    folders) _files -/ ;;
  esac
}
(( $+functions[compdef] )) && compdef _pryx pryx
`.replaceAll("\\$", "$");

const FISH = String.raw`# fish completion for pryx
function __pryx_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in (command $words[1] __complete -- $words[2..-1] "$current" 2>/dev/null)
        switch $line
            case ':files'
                __fish_complete_path "$current"
            case ':folders'
                __fish_complete_directories "$current" ''
            case ':*'
            case '*'
                printf '%s\n' $line
        end
    end
end
complete -c pryx -f -a '(__pryx_complete)'
`;

const POWERSHELL = String.raw`# PowerShell completion for pryx
Register-ArgumentCompleter -Native -CommandName 'pryx' -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $words = @($commandAst.CommandElements |
    Where-Object { $_.Extent.StartOffset -lt $cursorPosition } |
    ForEach-Object { $_.Extent.Text.Trim('"', "'") })
  $program = $words[0]
  $rest = @($words | Select-Object -Skip 1)
  if ($wordToComplete -eq '') { $rest += '""' }
  & $program __complete -- @rest 2>$null | ForEach-Object {
    if ($_ -eq ':files' -or $_ -eq ':folders') {
      [System.Management.Automation.CompletionCompleters]::CompleteFilename($wordToComplete)
    } elseif (-not $_.StartsWith(':')) {
      $value, $note = $_ -split "${"`"}t", 2
      if (-not $note) { $note = $value }
      [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $note)
    }
  }
}
`;

const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH, powershell: POWERSHELL };
