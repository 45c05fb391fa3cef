/** What may follow an option: one of some words, with `commas` several of them in one word, or the name of a file; else nothing is offered. */
interface Values {
  readonly choices: readonly string[];
  readonly commas: boolean;
  readonly files: boolean;
}

/** A word that may follow, and what it is for; `values` are what may follow an option itself. */
export interface Word {
  readonly text: string;
  /** all its spellings, such as `--output` and `-o` */
  readonly flags: readonly string[];
  readonly description: string;
  readonly values?: Values;
}

/** A command with the words that may follow it; `filesToo`: so may the name of a file; `takesNames`: so may that of a publisher. */
export interface CommandWords {
  readonly path: readonly string[];
  readonly words: readonly Word[];
  readonly filesToo: boolean;
  readonly takesNames: boolean;
}

/** Makes the script of each shell, from the same table. */
export const SCRIPTS: Readonly<Record<string, (commands: readonly CommandWords[]) => string>> = {
  bash,
  zsh,
  fish,
  powershell,
};

/** What lists the names of those who are trusted: the folders of this moment, whatever the shell. */
const NAMES = 'trust list --names';

/** The words after which a value is expected, by command, those of the same values together. */
function valuesOf(
  commands: readonly CommandWords[],
): readonly (Values & { readonly at: readonly string[] })[] {
  const alike = new Map<string, Values & { readonly at: string[] }>();
  for (const { path, words } of commands) {
    for (const { flags, values } of words) {
      if (!values) continue;
      const key = [values.commas, values.files, ...values.choices].join(' ');
      const group = alike.get(key) ?? { ...values, at: [] };
      group.at.push(...flags.map((flag) => [...path, flag].join(' ')));
      alike.set(key, group);
    }
  }
  return [...alike.values()];
}

/** A word is a subcommand where it stands behind one, and not elsewhere. */
function pathsOf(commands: readonly CommandWords[]): readonly string[] {
  return commands.filter(({ path }) => path.length > 0).map(({ path }) => path.join(' '));
}

const single = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/**
 * Runs in the bash 3.2 of macOS, too: no mapfile, no associative arrays. Nor `compgen -W`, which runs what
 * stands in `$(…)` in a word. What is no file must not get the slash of a folder of that name, and is quoted here then, which
 * readline does of files alone; without `compopt` (bash 3.2) all are files to it.
 */
function bash(commands: readonly CommandWords[]): string {
  const list = (texts: readonly string[]): string => texts.join('\\n');
  const branches = commands.map(({ path, words, filesToo, takesNames }) => {
    const names = takesNames ? `"$("\${COMP_WORDS[0]}" ${NAMES} 2>/dev/null)"$'\\n'` : '';
    const offered = `offered=${names}$'${list(words.map(({ text }) => text))}'`;
    return `    '${path.join(' ')}') ${offered}; files=${filesToo ? 1 : ''} ;;`;
  });
  const values = valuesOf(commands).map(
    ({ at, choices, commas, files }) =>
      `    ${at.map(single).join('|')}) offered=$'${list(choices)}'; files=${files ? 1 : ''}; commas=${commas ? 1 : ''} ;;`,
  );
  return `_bulla() {
  local word command='' offered='' files='' commas='' lead='' IFS=$'\\n'
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  for word in "\${COMP_WORDS[@]:1:$((COMP_CWORD-1))}"; do
    case "\${command:+$command }$word" in
      ${pathsOf(commands).map(single).join('|')}) command="\${command:+$command }$word" ;;
    esac
  done
  case "$command" in
${branches.join('\n')}
  esac
  case "\${command:+$command }$previous" in
${values.join('\n')}
  esac
  [[ -n "$commas" ]] && lead="\${current%"\${current##*,}"}"
  COMPREPLY=()
  while read -r word; do
    [[ -n "$word" && "$lead$word" == "$current"* ]] && COMPREPLY+=("$lead$word")
  done <<< "$offered"
  if [[ -n "$files" && "$current" != -* ]]; then
    COMPREPLY=($(compgen -f -- "$current"))
  elif compopt +o filenames 2>/dev/null; then
    for word in "\${!COMPREPLY[@]}"; do
      [[ "\${COMPREPLY[word]}" == *[!A-Za-z0-9_.,:@%+=-]* ]] && COMPREPLY[word]=$(printf %q "\${COMPREPLY[word]}")
    done
  fi
}
complete -o filenames -F _bulla bulla`;
}

/** May be sourced, or be the file \`_bulla\` in a folder of \$fpath. */
function zsh(commands: readonly CommandWords[]): string {
  const described = ({ text, description }: Word): string => {
    const shown = text.replaceAll(':', '\\:');
    return single(description === '' ? shown : `${shown}:${description}`);
  };
  const branches = commands.map(({ path, words, filesToo, takesNames }) => {
    const names = takesNames ? `\${(f)"$(_call_program names \${words[1]} ${NAMES} 2>/dev/null)"} ` : '';
    return `    (${single(path.join(' '))}) offered=(${names}${words.map(described).join(' ')}); files=${filesToo ? 1 : ''} ;;`;
  });
  const values = valuesOf(commands).map(
    ({ at, choices, commas, files }) =>
      `    (${at.map(single).join('|')}) offered=(${choices.map(single).join(' ')}); files=${files ? 1 : ''}; commas=${commas ? 1 : ''} ;;`,
  );
  return `#compdef bulla
_bulla() {
  local word command='' files='' commas='' previous=\${words[CURRENT-1]}
  local -a offered
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "\${command:+$command }$word" in
      (${pathsOf(commands).map(single).join('|')}) command="\${command:+$command }$word" ;;
    esac
  done
  case "$command" in
${branches.join('\n')}
  esac
  case "\${command:+$command }$previous" in
${values.join('\n')}
  esac
  if [[ -n "$files" && "$PREFIX" != -* ]]; then
    _files
  else
    [[ -n "$commas" ]] && compset -P '*,'
    _describe word offered
  fi
}
if [[ "$funcstack[1]" == _bulla ]]; then
  _bulla "$@"
else
  whence compdef >/dev/null || { autoload -Uz compinit && compinit; }
  compdef _bulla bulla
fi`;
}

function fish(commands: readonly CommandWords[]): string {
  const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const valueFlags = (values?: Values): string => {
    if (!values) return '';
    if (values.files) return ' -rF';
    const choices = values.choices.join(' ');
    return choices === '' ? ' -x' : ` -xa ${quoted(values.commas ? `(__bulla_list ${choices})` : choices)}`;
  };
  const lines = commands.flatMap(({ path, words, filesToo, takesNames }) => {
    const line = (rest: string): string => `complete -c bulla -n "__bulla_at '${path.join(' ')}'" ${rest}`;
    return [
      ...(filesToo ? [] : [line('-f')]),
      ...(takesNames ? [line(`-a '(bulla ${NAMES} 2>/dev/null)' -d 'who is trusted'`)] : []),
      ...words.map(({ text, description, values }) => {
        const what = text.startsWith('--') ? `-l ${text.slice(2)}` : `-a ${text}`;
        return line(`${what}${valueFlags(values)} -d ${quoted(description)}`);
      }),
    ];
  });
  return `function __bulla_at
  set -l command ''
  for word in (commandline -opc)[2..-1]
    set -l longer (string trim -- "$command $word")
    if contains -- $longer ${pathsOf(commands).map(quoted).join(' ')}
      set command $longer
    end
  end
  test "$command" = "$argv[1]"
end
function __bulla_list
  set -l word (commandline -ct)
  set -l lead (string replace -r '^--[^=]*=' '' -- "$word" | string replace -r '[^,]*$' '')
  printf '%s\\n' "$lead"$argv
end
${lines.join('\n')}`;
}

/** For Windows PowerShell 5 and later; where nothing is offered, PowerShell itself completes the names of files, unless it gets an empty word. */
function powershell(commands: readonly CommandWords[]): string {
  const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
  const list = (texts: readonly string[]): string => `@(${texts.map(quoted).join(', ')})`;
  const branches = commands.map(({ path, words, takesNames }) => {
    const names = takesNames ? `@(& $name ${NAMES} 2>$null) + ` : '';
    return `      ${quoted(path.join(' '))} { ${names}${list(words.map(({ text }) => text))} }`;
  });
  const files = commands.filter(({ filesToo }) => filesToo).map(({ path }) => path.join(' '));
  const values = valuesOf(commands);
  const rows = values
    .filter((one) => !one.files)
    .flatMap(({ at, choices }) => at.map((words) => `    ${quoted(words)} = ${list(choices)}`));
  const named = (test: (one: Values) => boolean): string => list(values.filter(test).flatMap(({ at }) => at));
  return `Register-ArgumentCompleter -Native -CommandName bulla -ScriptBlock {
  param($current, $line, $cursor)
  $name = "$($line.CommandElements[0])"
  $words = @($line.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursor } | Select-Object -Skip 1 | ForEach-Object { "$_" })
  $known = ${list(pathsOf(commands))}
  $command = ''
  foreach ($word in $words) {
    $longer = "$command $word".Trim()
    if ($known -ccontains $longer) { $command = $longer }
  }
  $last = if ($words.Count -gt 0) { $words[-1] } else { '' }
  $previous = "$command $last".Trim()
  $values = @{
${rows.join('\n')}
  }
  $lead = ''
  if (${named(({ commas }) => commas)} -ccontains $previous) { $lead = $current -replace '[^,]*$', '' }
  if (-not $current.StartsWith('-') -and (${named(({ files }) => files)} -ccontains $previous -or
      (-not $values.ContainsKey($previous) -and ${list(files)} -ccontains $command))) { return }
  $offered = if ($values.ContainsKey($previous)) {
    $values[$previous]
  } else {
    switch -CaseSensitive ($command) {
${branches.join('\n')}
    }
  }
  $found = @($offered | ForEach-Object { "$lead$_" } | Where-Object { $_ -clike "$current*" })
  if ($found.Count -eq 0) { return '' }
  $found | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
  }
}`;
}
