import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../../src/cli/run.ts';
import { folderForTests } from '../../factory/sandbox.ts';
import { makeScreen } from '../screen.ts';

const folder = folderForTests();
beforeAll(async () => {
  for (const shell of ['zsh', 'fish']) {
    const { context, out } = makeScreen();
    expect(await run(['completion', shell], context)).toBe(0);
    writeFileSync(join(folder, `bulla.${shell}`), `${out.join('\n')}\n`);
  }
  writeFileSync(join(folder, 'mydisk.qcow2'), '');
});

function isMissing(shell: string): boolean {
  const missing = spawnSync(shell, ['-c', 'true']).status !== 0;
  if (missing) console.warn(`SKIPPED: ${shell} is not installed, so nothing is completed by it`);
  return missing;
}

/** Words, the last one unfinished, and what Tab offers then. */
const CASES: readonly (readonly [words: readonly string[], offered: readonly string[]])[] = [
  [['ver'], ['verify', 'version']],
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
];

/** The script run as zsh runs it at Tab: `compadd` prints what it is given, as far as it begins as the last word does. */
const ZSH = `
compdef() { handler=$1 }
compset() { return 1 }
compadd() {
  while [[ $1 == -f || $1 == -S ]]; do [[ $1 == -S ]] && shift; shift; done
  local -a given
  if [[ $1 == -a ]]; then given=("\${(@P)2}"); else shift; given=("$@"); fi
  print -rl -- \${(M)given:#$PREFIX*}
}
source ./bulla.zsh
words=(bulla "$@"); CURRENT=$#words; PREFIX=$words[CURRENT]; IPREFIX= SUFFIX= ISUFFIX= QIPREFIX=
eval $handler
`;

describe.skipIf(isMissing('zsh'))('completed by zsh', () => {
  const zsh = (code: string, words: readonly string[] = []) =>
    spawnSync('zsh', ['-f', '-c', code, 'zsh', ...words], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, HOME: folder, ZDOTDIR: folder },
    });

  test.each(CASES)('%j offers %j', (words, offered) => {
    const { stdout, stderr } = zsh(ZSH, words);
    expect(stderr).toBe('');
    expect([...new Set(stdout.split('\n').filter(Boolean))].sort()).toEqual([...offered].sort());
  });

  test('it brings the system of completions along where nobody has loaded that', () => {
    const { stdout, stderr } = zsh('source ./bulla.zsh; print -r -- $_comps[bulla]');
    expect(stderr).toBe('');
    expect(stdout).toContain('_bulla');
  });
});

describe.skipIf(isMissing('fish'))('completed by fish', () => {
  test.each(CASES)('%j offers %j', (words, offered) => {
    const code = `source ./bulla.fish; complete -C "bulla ${words.join(' ')}"`;
    const { stdout, stderr } = spawnSync('fish', ['--no-config', '-c', code], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, HOME: folder },
    });
    expect(stderr).toBe('');
    const names = stdout.split('\n').flatMap((row) => row.split('\t')[0] || []);
    expect([...new Set(names)].sort()).toEqual([...offered].sort());
  });
});
