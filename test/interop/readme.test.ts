import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeSandbox, type Sandbox } from '../factory/sandbox.ts';
import { hasPeer } from './peer.ts';

const README = readFileSync('README.md', 'utf8');
const PASSPHRASE = 'correct horse';
/** What needs a server, a cloud or a second machine that only the reader has. */
const ELSEWHERE = /\.example|openstack|UUID|^npm |certs --compat/;
const WALK = 'the commands of README.md, one after the other';
const here = [
  hasPeer('openssl version', WALK),
  hasPeer('jq --version', WALK),
  hasPeer('setsid --version', WALK),
].every(Boolean);

describe('the commands of README.md', () => {
  test.runIf(here)('work as they stand, one after the other, in an empty home', { timeout: 120_000 }, () => {
    using sandbox = makeSandbox();
    const { status, stdout, stderr } = walk(sandbox, commands());
    expect(status, `${stdout}\n${stderr}`).toBe(0);

    const samples = [...README.matchAll(/`(bulla [^`]+)` prints:\n\n```text\n(.*?)```/gs)];
    expect(samples.length).toBeGreaterThan(0);
    for (const [, command = '', shown] of samples) {
      expect(steady(stdout)).toContain(`$ ${command}\n${steady(shown)}`);
    }
  });
});

/** The lines of all blocks without a language, those that are continued as one. */
function commands(): readonly string[] {
  const blocks = [...README.matchAll(/^```(\w*)\n(.*?)^```$/gms)].flatMap(([, language, block = '']) =>
    language === '' ? [block] : [],
  );
  const lines = blocks.flatMap((block) =>
    block.startsWith('bulla verify web.ova --trust acme-ca.pem --json')
      ? [block]
      : block.replaceAll('\\\n', ' ').split('\n'),
  );
  const kept = lines.filter((line) => line.trim() !== '' && !line.startsWith('#') && !ELSEWHERE.test(line));
  expect(kept.length).toBeGreaterThan(30);
  return kept;
}

/** Runs them in one shell beside a clone, as somebody would who has nothing but what the README asks for. */
function walk({ folder, write }: Sandbox, lines: readonly string[]) {
  for (const made of ['home', 'try']) mkdirSync(join(folder, made));
  symlinkSync(resolve('samples'), join(folder, 'samples'));
  chmodSync(
    write('bin/bulla', `#!/bin/sh\nexec '${process.execPath}' '${resolve('dist/cli/main.js')}' "$@"\n`),
    0o755,
  );
  const passphrase = write('passphrase', `${PASSPHRASE}\n`);
  const answers = write('answers', `${PASSPHRASE}\n`.repeat(2));
  const script = lines.map((line) => `${said(line)}\n${answered(line, answers)}`).join('\n');
  const all = write('walk.sh', `set -eE\ntrap 'echo "FAILED: $BASH_COMMAND" >&2' ERR\n${script}\n`);
  return spawnSync('setsid', ['-w', 'bash', all], {
    cwd: join(folder, 'try'),
    encoding: 'utf8',
    env: {
      PATH: `${join(folder, 'bin')}:${process.env['PATH']}`,
      HOME: join(folder, 'home'),
      LANG: 'C.UTF-8',
      BULLA_PASSPHRASE_FILE: passphrase,
    },
  });
}

function said(line: string): string {
  return `echo '$ ${line.replace(/ +#.*/s, '').replaceAll("'", "'\\''")}'`;
}

/** openssl asks twice for a new passphrase, and reads it from standard input where there is no terminal; a refusal that README speaks of has to come. */
function answered(line: string, passphrase: string): string {
  const [, code] = /# refused: exit (\d+)$/.exec(line) ?? [];
  if (code !== undefined) return `code=0; { ${line}\n} || code=$?; test $code = ${code}`;
  return line.startsWith('openssl ') ? `${line} < ${passphrase}` : line;
}

/** Dates and fingerprints are other ones each time. */
function steady(text = ''): string {
  return text.replace(/\d{4}-\d\d-\d\d/g, 'DATE').replace(/sha256:[0-9a-f]+…?/g, 'sha256:HEX');
}
