import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MAIN, makeWorkbench, type Workbench } from '../factory/workbench.ts';

let workbench: Workbench;
beforeAll(async () => {
  workbench = await makeWorkbench();
});
afterAll(() => workbench[Symbol.dispose]());

describe('[out.1] standard output and standard error are outputs of every command', () => {
  test.each([
    ['verify web.ova --trust ca.pem >> web.ova', 'web.ova', /standard output has been sent there/],
    [
      'verify web.ova --trust ca.pem --json >> web.ova',
      'web.ova',
      /"where":\s*\{\s*"file": "standard output"/,
    ],
    ['verify web.ova --trust ca.pem 2>> web.ova', 'web.ova', /standard error has been sent there/],
    ['verify web.ova --trust ca.pem --json 2>> web.ova', 'web.ova', /standard error has been sent there/],
    ['verify web.ova --trust ca.pem >> web.ova 2>&1', 'web.ova', /^$/],
    ['verify web.ova --trust ca.pem >> ca.pem', 'ca.pem', /"ca.pem"/],
    ['inspect - < web.ova >> web.ova', 'web.ova', /"-"|standard input/],
    [
      'sign web.ova -o new.ova --key signer.key --cert signer.pem >> signer.key',
      'signer.key',
      /"signer.key"/,
    ],
    [
      'glance sign disk.qcow2 --key signer.key --cert-uuid 5bf1dc08-5b9a-4b61-8b0e-7d4a1c7c2b0d >> disk.qcow2',
      'disk.qcow2',
      /where +standard output/,
    ],
    ['pack web.ovf -o y.ova >> web-disk1.qcow2', 'web-disk1.qcow2', /where +standard output/],
    ['pack web.ovf -o y.ova --quiet 2>> web-disk1.qcow2', 'web-disk1.qcow2', /where +standard error/],
    ['pack ./web.ovf -o - --format tar >> web-disk1.qcow2', 'web-disk1.qcow2', /where +standard output/],
    ['pack disk.qcow2 -o - >> disk.qcow2', 'disk.qcow2', /where +standard output/],
    // what the parser refuses, or answers itself
    ['verify web.ova --bogus 2>> web.ova', 'web.ova', /unknown option '--bogus'/],
    ['verify web.ova --bogus --json >> web.ova', 'web.ova', /unknown option '--bogus'/],
    ['verify --bogus web.ova 2>> web.ova', 'web.ova', /unknown option '--bogus'/],
    ['verify web.ova --deadline abc 2>> web.ova', 'web.ova', /'abc' is invalid/],
    ['verify web.ova --trust "" 2>> web.ova', 'web.ova', /the value of --trust is empty/],
    ['verify web.ova --help >> web.ova', 'web.ova', /"web.ova", which the command names/],
    ['--version web.ova >> web.ova', 'web.ova', /which the command names/],
    ['verify web.ova --trust=ca.pem --bogus 2>> ca.pem', 'ca.pem', /unknown option '--bogus'/],
    ['verify web.ova --bogus --trust . 2>> ca.pem', 'ca.pem', /unknown option '--bogus'/],
    ['sign web.ova -fosigner.key --bogus 2>> signer.key', 'signer.key', /unknown option/],
    ['pack web.ovf 2>> web-disk1.qcow2', 'web-disk1.qcow2', /required option/],
    ['nonsense -- web.ova 2>> web.ova', 'web.ova', /unknown command 'nonsense'/],
    ['verify - --bogus < web.ova 2>> web.ova', 'web.ova', /unknown option '--bogus'/],
    ['verify web.ova --trust "$(printf \'\\377\')" 2>> web.ova', 'web.ova', /is not UTF-8/],
    ['verify web.ova --bogus >> web.ova 2>&1', 'web.ova', /^$/],
  ])('bulla %s', (line, file, told) => {
    using desk = workbench.desk('bundle', 'keys', 'disk', 'appliance');
    const before = readFileSync(join(desk.folder, file));
    const { status, stdout, stderr } = spawnSync(
      'sh',
      ['-c', `"$1" "$2" ${line}`, 'sh', process.execPath, MAIN],
      {
        cwd: desk.folder,
        env: { ...process.env, HOME: desk.home },
        encoding: 'utf8',
      },
    );
    expect(`${stdout}${stderr}`).toMatch(told);
    expect(status).toBe(2);
    expect(existsSync(join(desk.folder, 'y.ova'))).toBe(false);
    expect(readFileSync(join(desk.folder, file)).equals(before)).toBe(true);
  });

  test('a file that the descriptor names and the shell has emptied is written to no more', () => {
    using desk = workbench.desk('appliance');
    const line = 'pack web.ovf -o y.ova > web-disk1.qcow2';
    const { status, stderr } = spawnSync('sh', ['-c', `"$1" "$2" ${line}`, 'sh', process.execPath, MAIN], {
      cwd: desk.folder,
      env: { ...process.env, HOME: desk.home },
      encoding: 'utf8',
    });
    expect(stderr).toMatch(/standard output has been sent there/);
    expect(status).toBe(2);
    expect(readFileSync(join(desk.folder, 'web-disk1.qcow2')).byteLength).toBe(0);
    expect(existsSync(join(desk.folder, 'y.ova'))).toBe(false);
  });

  test('what is not read may take them', () => {
    using desk = workbench.desk('bundle', 'keys');
    writeFileSync(join(desk.folder, 'log'), '');
    const line = 'verify web.ova --trust ca.pem >> log 2>&1';
    const { status } = spawnSync('sh', ['-c', `"$1" "$2" ${line}`, 'sh', process.execPath, MAIN], {
      cwd: desk.folder,
      env: { ...process.env, HOME: desk.home },
    });
    expect(status).toBe(0);
    expect(readFileSync(join(desk.folder, 'log'), 'utf8')).toContain('trusted');
  });

  test.each([
    ['verify web.ova --bogus > verify 2>&1', 'verify', 2, /unknown option '--bogus'/],
    ['verify --help > verify', 'verify', 0, /Usage: bulla verify/],
    ['--version > log', 'log', 0, /^\d+\.\d+/],
  ])('what no word names may take what the parser says: bulla %s', (line, file, code, told) => {
    using desk = workbench.desk('bundle');
    const { status } = spawnSync('sh', ['-c', `"$1" "$2" ${line}`, 'sh', process.execPath, MAIN], {
      cwd: desk.folder,
      env: { ...process.env, HOME: desk.home },
    });
    expect(readFileSync(join(desk.folder, file), 'utf8')).toMatch(told);
    expect(status).toBe(code);
  });
});
