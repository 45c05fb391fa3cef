import { spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { beforeAll, describe, expect, test } from 'vitest';
import { createProgram } from '../../../../src/cli/program.ts';
import { run } from '../../../../src/cli/run.ts';
import { folderForTests, makeSandbox } from '../../../factory/sandbox.ts';
import { makeScreen } from '../../screen.ts';

const { context } = makeScreen();
const program = createProgram(context, () => {});
const SHELLS = ['bash', 'zsh', 'fish', 'powershell'];

async function scriptFor(shell: string): Promise<string> {
  const screen = makeScreen();
  expect(await run(['completion', shell], screen.context)).toBe(0);
  return `${screen.out.join('\n')}\n`;
}

function below(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(below)];
}

describe.each(SHELLS)('%s', (shell) => {
  test('knows every command and every option', async () => {
    const script = await scriptFor(shell);
    for (const command of below(program)) {
      if (command !== program) expect(script).toMatch(new RegExp(`\\b${command.name()}\\b`));
      for (const { long, hidden } of command.options) {
        if (hidden) continue;
        expect(script).toContain(shell === 'fish' ? `-l ${long?.slice(2)} ` : `${long}`);
      }
    }
  });

  test('asks for the names of those who are trusted', async () =>
    expect(await scriptFor(shell)).toContain('trust list --names'));

  const absent = shell === 'powershell' || spawnSync(shell, ['-c', 'true']).status !== 0;
  if (absent) console.warn(`SKIPPED: ${shell} is not installed, so its completion script is not parsed`);
  test.skipIf(absent)('parses it', async () => {
    using sandbox = makeSandbox();
    const file = sandbox.write('script', await scriptFor(shell)); // fish reads none from a pipe or socket of Node
    const { status, stderr } = spawnSync(shell, ['-n', file], { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });
});

describe('[cli.31] completed by bash', () => {
  const folder = folderForTests();
  beforeAll(async () => {
    writeFileSync(join(folder, 'script'), await scriptFor('bash'));
    writeFileSync(join(folder, 'my disk.qcow2'), '');
  });

  /** What Tab offers behind these words, the last one unfinished. */
  function complete(...words: readonly string[]): readonly string[] {
    const code = `bulla() { [[ "$1 $2 $3" == 'trust list --names' ]] && printf '%s\\n' acme-corp '$(touch made) \`touch made\`'; }; source ./script; COMP_WORDS=(bulla "$@"); COMP_CWORD=$#; _bulla; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout } = spawnSync('bash', ['-c', code, 'bash', ...words], { cwd: folder, encoding: 'utf8' });
    return stdout.trim().split('\n');
  }

  test.each([
    [['ver'], ['verify', 'version']],
    [['glance', 'verify', '--sig'], ['']],
    [['trust', 'show', 'acme'], ['acme-corp']],
    [['verify', 'trust', '--na'], ['']],
    [
      ['verify', '--tr'],
      ['--trust', '--trust-tsa'],
    ],
    [
      ['trust', ''],
      ['add', 'list', 'show', 'remove', 'check', '--help'],
    ],
    [
      ['trust', 'add', '--s'],
      ['--scope', '--subject'],
    ],
    [
      ['verify', '--progress', ''],
      ['auto', 'json', 'none'],
    ],
    [['pack', '--digest', 'sha3'], ['sha384']],
    [['help', 'ex'], ['exit-codes']],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish', 'powershell', '--help'],
    ],
    [['trust', 'remove', '$'], ['$(touch made) `touch made`']],
    [['pack', 'my'], ['my disk.qcow2']],
    [['pack', '--key', 'my'], ['my disk.qcow2']],
    [['pack', '-o', 'my'], ['my disk.qcow2']],
  ])('%j offers %j', (words, offered) => {
    expect(complete(...words)).toEqual(offered);
    expect(readdirSync(folder)).not.toContain('made'); // nothing that stands in a name is run
  });
});
