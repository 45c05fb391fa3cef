import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { folderForTests } from '../factory/sandbox.ts';
import { hasPeer } from './peer.ts';

const ROOT = join(import.meta.dirname, '../..');
const BULLA = [process.execPath, join(ROOT, 'dist/cli/main.js')];
const TRUSTING = ['--trust', 'ca/ca.pem', '--at', '2026-12-01'];

const namespaces = hasPeer('unshare -rn true', 'that verify works where there is no network');
const tracing = hasPeer('strace -f -e trace=network true', 'that verify makes no network call');

describe('without a network', () => {
  const folder = folderForTests();
  beforeAll(() => {});

  const run = (...command: readonly string[]): number | null => {
    const [program = '', ...args] = command;
    const env = { ...process.env, HOME: folder, BULLA_HOME: join(folder, 'trust') };
    return spawnSync(program, args, { cwd: join(ROOT, 'samples'), env, stdio: 'ignore' }).status;
  };

  test.skipIf(!namespaces).for([
    ['appliance.ova', 0],
    ['appliance.tgz', 0],
    ['tampered/disk-changed.ova', 11],
    ['https://bundles.example/appliance.ova', 4],
  ] as const)('verify %s in an empty network namespace ends with %i', ([bundle, code]) => {
    expect(run('unshare', '-rn', ...BULLA, 'verify', bundle, ...TRUSTING)).toBe(code);
  });

  test.skipIf(!namespaces)('import works there too', () => {
    const to = join(folder, 'machine');
    expect(run('unshare', '-rn', ...BULLA, 'import', 'appliance.ova', '--to', to, ...TRUSTING)).toBe(0);
  });

  test.skipIf(!tracing)('verify of a file makes no socket and connects to nothing', () => {
    const trace = join(folder, 'trace');
    const strace = ['strace', '-f', '-e', 'trace=network', '-o', trace];
    expect(run(...strace, ...BULLA, 'verify', 'appliance.ova', ...TRUSTING)).toBe(0);
    const calls = readFileSync(trace, 'utf8');
    expect(calls).toContain('exited with 0');
    expect(calls).not.toMatch(/\b(socket|connect|bind|sendto|sendmsg)\(/);
  });
});
