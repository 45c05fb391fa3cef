import { spawnSync } from 'node:child_process';
import { existsSync, openSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { makeSandbox } from '../factory/sandbox.ts';

const FULL = '/dev/full';
if (!existsSync(FULL)) console.warn(`SKIPPED: there is no ${FULL} to write to`);

describe('an answer that nobody gets', () => {
  it.skipIf(!existsSync(FULL))('[cli.14] ends with 3 on a full disk, and says so', () => {
    for (const words of [
      ['help', 'formats'],
      ['trust', 'list', '--json'],
    ]) {
      const full = openSync(FULL, 'w');
      const { status, stderr } = spawnSync(process.execPath, ['dist/cli/main.js', ...words], {
        stdio: ['ignore', full, 'pipe'],
      });
      expect([status, stderr.toString()]).toEqual([3, expect.stringContaining('STORAGE_FULL')]);
    }
  });

  it.skipIf(!existsSync(FULL))(
    '[cli.14] is all that is lost: what was made stands, and is not called gone',
    () => {
      using sandbox = makeSandbox();
      const full = openSync(FULL, 'w');
      const made = sandbox.path('keys');
      const { status, stderr } = spawnSync(process.execPath, ['dist/cli/main.js', 'dev-certs', made], {
        stdio: ['ignore', full, 'pipe'],
      });
      expect(existsSync(`${made}/ca.pem`)).toBe(true);
      expect(status).toBe(3);
      expect(stderr.toString()).toContain('the answer could not be written');
      expect(stderr.toString()).toContain('stands');
      expect(stderr.toString()).not.toContain('none of');
    },
  );

  it.skipIf(!existsSync(FULL))('[cli.14] is a bundle that is not whole, and said to be that', () => {
    using sandbox = makeSandbox();
    const full = openSync(FULL, 'w');
    const words = ['pack', '--plain', sandbox.write('notes.txt', 'x'), '--format', 'tar', '-o', '-'];
    const { status, stderr } = spawnSync(process.execPath, ['dist/cli/main.js', ...words], {
      stdio: ['ignore', full, 'pipe'],
    });
    expect([status, stderr.toString()]).toEqual([3, expect.stringContaining('is not whole')]);
    expect(stderr.toString()).not.toContain('none of');
  });

  it.skipIf(!existsSync('/proc/self/fdinfo'))('[cli.14] is a bundle for an output that is closed', () => {
    using sandbox = makeSandbox();
    const program = `'${process.execPath}' dist/cli/main.js`;
    const pack = `${program} pack --plain ${sandbox.write('notes.txt', 'x')} --format tar -o -`;
    const closed = spawnSync('sh', ['-c', `${pack} >&-`]);
    expect([closed.status, closed.stderr.toString()]).toEqual([
      3,
      expect.stringMatching(/standard output is closed +\[STORAGE_FAILED, exit 3\]/),
    ]);
    expect(spawnSync('sh', ['-c', `${pack} > /dev/null`]).status).toBe(0);
  });

  it.each([
    'verify x.ova --trust -',
    'verify x.ova --trust-tsa - --trust package.json',
    'verify package.json --signature -',
    'verify x.ova --crl -',
    'sign package.json --detached -o OUT/x.p7s --key - --cert package.json',
    'join - --check',
    'trust add acme -',
  ])('[cli.24] the name - is nothing but standard input: %s', (line) => {
    using sandbox = makeSandbox();
    const words = line.replace('OUT', sandbox.folder).split(/ +/);
    const { status, stderr } = spawnSync(process.execPath, ['dist/cli/main.js', ...words], {
      input: '',
      env: { ...process.env, BULLA_HOME: sandbox.path('home') },
    });
    expect([status, stderr.toString()]).toEqual([2, expect.stringContaining('"-" is not read here')]);
  });

  it('[cli.14] is not asked for with an empty argument', () => {
    const words = ['verify', 'x.ova', '--trust', ''];
    const { status, stderr } = spawnSync(process.execPath, ['dist/cli/main.js', ...words]);
    expect([status, stderr.toString()]).toEqual([
      2,
      expect.stringContaining('the value of --trust is empty'),
    ]);
  });
});
