import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../../../src/cli/run.ts';
import { folderForTests } from '../../../factory/sandbox.ts';
import { MAIN } from '../../../factory/workbench.ts';
import { makeScreen } from '../../screen.ts';

const folder = folderForTests();
const env = {
  ...process.env,
  HOME: folder,
  ZDOTDIR: folder,
  TERM: 'xterm',
  BULLA_HOME: join(folder, 'home'),
  PATH: `${join(folder, 'bin')}:${process.env['PATH']}`,
};
beforeAll(async () => {
  mkdirSync(join(folder, 'home/publishers/acme-corp'), { recursive: true });
  mkdirSync(join(folder, 'home/timestamping/acme-stamps'), { recursive: true });
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'bin/bulla'), `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`);
  chmodSync(join(folder, 'bin/bulla'), 0o755);
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { context, out } = makeScreen();
    expect(await run(['completion', shell], context)).toBe(0);
    writeFileSync(join(folder, `bulla.${shell}`), `${out.join('\n')}\n`);
  }
  writeFileSync(join(folder, 'mydisk.qcow2'), '');
  mkdirSync(join(folder, 'acme-corp')); // a publisher's name is not this folder
});

function isMissing(shell: string): boolean {
  const missing = spawnSync(shell, ['-c', 'true']).status !== 0;
  if (missing) console.warn(`SKIPPED: ${shell} is not installed, so nothing is completed by it`);
  return missing;
}

/** Words, the last one unfinished, and what Tab offers then. */
const CASES: readonly (readonly [words: readonly string[], offered: readonly string[]])[] = [
  [['ver'], ['verify', 'version']],
  [['trust', 'show', 'acme-c'], ['acme-corp']],
  [
    ['trust', 'remove', 'acme'],
    ['acme-corp', 'acme-stamps'],
  ],
  [['glance', 'verify', '--sig'], []],
  [
    ['verify', '--tru'],
    ['--trust', '--trust-tsa'],
  ],
  [
    ['trust', 'add', '--s'],
    ['--scope', '--subject'],
  ],
  [
    ['pack', 'a.ovf', '--format', ''],
    ['ova', 'tar', 'tgz', 'zip'],
  ],
  [
    ['normalize', 'a.ova', '--format', ''],
    ['ova', 'tar', 'tgz'],
  ],
  [['pack', '--digest', 'sha3'], ['sha384']],
  [['help', 'ex'], ['exit-codes']],
  [['pack', 'my'], ['mydisk.qcow2']],
  [['pack', '--key', 'my'], ['mydisk.qcow2']],
  [['pack', '-o', 'my'], ['mydisk.qcow2']],
  [['verify', '--relax', 'fol'], ['folders']],
  [['verify', '--relax', 'dot-prefix,fol'], ['dot-prefix,folders']],
  [['import', 'a.ova', '--relax', 'folders,no-end-mark,g'], ['folders,no-end-mark,gnu-long-names']],
  [['inspect', 'a.ova', '--target', 'virt'], ['virtualbox']],
  [['repack', 'a.ova', '--set', 'my'], []],
  [['import', 'a.ova', '--owner', 'my'], []],
  [['import', 'a.ova', '--mode', 'my'], []],
];

/** A shell in a terminal of its own, to which each case is typed as a person would: the line, and Tab; then Ctrl-G says what the line is. */
const TYPED = (shell: string, setup: string): string => `
zmodload zsh/zpty
send() { zpty -w -n z "$1" }
await() {
  local part
  got=
  repeat 600; do
    if zpty -r -t z part; then got+=$part; else sleep 0.02; fi
    [[ $got == *"$1"* ]] && return
  done
}
zpty z ${shell} -i
zpty -w z "${setup}; stty cols 200 rows 90; echo REA''DY"
await READY
for line in "$@"; do
  send "$line"$'\\t\\a'
  await '>>'
  print -r -- "$got"
  print -r -- '=====
'
done
`;

const IN_ZSH = TYPED(
  'zsh -f',
  `PS1= RPS1=; bindkey -e; unset zle_bracketed_paste; autoload -Uz compinit && compinit -u -D; source ./bulla.zsh
  report() { zle -I; print -r -- \\"<<\\$BUFFER\\"'>>'; BUFFER= }; zle -N report; bindkey '^G' report; LISTMAX=0; unsetopt list_ambiguous`,
);
const IN_BASH = TYPED(
  'bash --norc',
  `PS1=; bind 'set enable-bracketed-paste off'; bind 'set show-all-if-ambiguous on'; source ./bulla.bash
  report() { printf '<<%s>>\\n' \\"\\$READLINE_LINE\\"; READLINE_LINE=; }; bind -x '\\"\\C-g\\": report'`,
);

function typeInto(code: string): void {
  const lines = CASES.map(([words]) => `bulla ${words.join(' ')}`);
  const { stdout } = zsh(code, lines);
  const screens = stdout.replaceAll(/\x1b\[[0-9;?]*[A-Za-z]|\r/g, '').split('=====\n');
  for (const [i, [words, offered]] of CASES.entries()) {
    const [screen = '', line = ''] = /^(.*)<<(.*?)>>/s.exec(screens[i] ?? '')?.slice(1) ?? [];
    const [only = ''] = offered;
    const before = ['bulla', ...words.slice(0, -1)].join(' ');
    if (offered.length === 0) expect(line).toBe(lines[i]);
    if (offered.length === 1) expect(line).toBe(`${before} ${only} `);
    for (const each of offered) expect(`${screen}${line}`, lines[i]).toContain(each);
  }
}

function zsh(code: string, words: readonly string[] = []): SpawnSyncReturns<string> {
  return spawnSync('zsh', ['-f', '-c', code, 'zsh', ...words], { cwd: folder, encoding: 'utf8', env });
}

describe.skipIf(isMissing('zsh'))('[cli.31] completed by zsh', () => {
  test('in a terminal, at Tab', () => typeInto(IN_ZSH));

  test('it brings the system of completions along where nobody has loaded that', () => {
    const { stdout, stderr } = zsh('source ./bulla.zsh; print -r -- $_comps[bulla]');
    expect(stderr).toBe('');
    expect(stdout).toContain('_bulla');
  });
});

// zsh has the terminal in which it is typed
test.skipIf(isMissing('zsh') || isMissing('bash'))('[cli.31] completed by bash in a terminal, at Tab', () =>
  typeInto(IN_BASH),
);

describe.skipIf(isMissing('fish'))('[cli.31] completed by fish', () => {
  test.each(CASES)('%j offers %j', (words, offered) => {
    const code = `source ./bulla.fish; complete -C "bulla ${words.join(' ')}"`;
    const { stdout, stderr } = spawnSync('fish', ['--no-config', '-c', code], {
      cwd: folder,
      encoding: 'utf8',
      env,
    });
    expect(stderr).toBe('');
    const names = stdout.split('\n').flatMap((row) => row.split('\t')[0] || []);
    expect([...new Set(names)].sort()).toEqual([...offered].sort());
  });
});
