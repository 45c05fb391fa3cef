import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { runHere } from '../factory/command-line.ts';
import {
  available,
  contentOf,
  launch,
  moments,
  partialsIn,
  provenPartialsIn,
  RUNS,
  type Started,
  start,
  until,
} from '../factory/faults.ts';
import { type Desk, MAIN, makeWorkbench, type Workbench } from '../factory/workbench.ts';

/** Many small members, which are stored without waiting for each. */
const MEMBERS = 400;
const WORDS = [
  'import',
  'many.ova',
  '--to',
  'machine',
  '--trust',
  'ca.pem',
  '--max-members',
  '1000',
] as const;

let workbench: Workbench;
let desk: Desk;
let machine: ReturnType<typeof contentOf>;

beforeAll(async () => {
  workbench = await makeWorkbench();
  desk = workbench.desk('keys');
  const names = Array.from({ length: MEMBERS }, (_, i) => `m${i}.txt`);
  for (const [i, name] of names.entries()) writeFileSync(at(name), `member ${i}\n`.repeat((i * 37) % 900));
  const signed = '-o many.ova --key signer.key --cert signer.pem --max-members 1000 --quiet';
  const packed = await runHere(desk, 'pack', '--plain', ...names.sort(), ...signed.split(' '));
  expect([packed.code, packed.stderr]).toEqual([0, '']);
  for (const name of names) rmSync(at(name));
  expect((await runHere(desk, ...WORDS)).code).toBe(0);
  machine = contentOf(at('machine'));
  clear();
});
afterAll(() => {
  desk[Symbol.dispose]();
  workbench[Symbol.dispose]();
});

afterEach(clear);

function at(name: string): string {
  return join(desk.folder, name);
}

function clear(): void {
  rmSync(at('machine'), { recursive: true, force: true });
}

function expectWholeOrAbsent(): void {
  const content = contentOf(at('machine'));
  if (content) expect(content).toEqual(machine);
}

/** With a disk that takes its time, files are put on it several at a time. */
const SLOW_DISK = ['-e', 'inject=fsync:delay_exit=3000'];
/** The same for whoever measures, and leaves the call itself to another fault. */
const SLOW_CLOSE = ['-e', 'inject=close:delay_exit=2000'];

function traced(...options: readonly string[]): Started {
  return launch(desk, [
    'strace',
    '-f',
    '--seccomp-bpf',
    '-qq',
    '-o',
    'trace',
    ...options,
    process.execPath,
    MAIN,
    ...WORDS,
  ]);
}

describe('an import of many small members', () => {
  test('[import.3] [import.8] killed at a random moment: absent, or complete and right', {
    timeout: 600_000,
  }, async () => {
    for (const moment of moments(RUNS * 2)) {
      const { child, ended } = start(desk, ...WORDS);
      await setTimeout(100 + moment * 300);
      child.kill('SIGKILL');
      await ended;
      expectWholeOrAbsent();
      clear();
    }
    expect((await start(desk, ...WORDS).ended).code).toBe(0);
    expect([provenPartialsIn(desk.folder), contentOf(at('machine'))]).toEqual([[], machine]);
  });
});

const works = available('answers of the system', 'strace -f -e inject=fsync:error=EIO -e trace=fsync true');

describe.skipIf(!works)('an import of many small members', () => {
  test.each([
    ['a fast disk', []],
    ['a slow disk', SLOW_DISK],
  ])('[import.4] on %s: every file is on it before the rename', async (_, options) => {
    const { code } = await traced('-y', '-e', 'trace=fsync,rename', ...options).ended;
    const calls = readFileSync(at('trace'), 'utf8').split('\n');
    const rename = calls.findIndex((call) => call.includes('rename('));
    const synced = calls.slice(0, rename).flatMap((call) => /fsync\(\d+<([^>]*)>/.exec(call)?.[1] ?? []);
    const folders = synced.filter((path) => /\.partial-[^/]*\/content$/.test(path));
    const [folder = ''] = folders;
    const files = Object.keys(machine ?? {}).map((name) => join(folder, name));
    const marker = join(dirname(folder), 'bulla.partial');
    expect([code, folders.length, [...synced].sort()]).toEqual([0, 1, [marker, folder, ...files].sort()]);
    expect(calls.slice(rename).some((call) => call.includes(`<${desk.folder}>`))).toBe(true);
  });

  test.each([
    ['a fast disk', 'fsync', 'EIO', 'STORAGE_FAILED'],
    ['a slow disk', 'fsync', 'EIO', 'STORAGE_FAILED'],
    ['a slow disk', 'fsync', 'ENOSPC', 'STORAGE_FULL'],
    ['a fast disk', 'pwrite64', 'ENOSPC', 'STORAGE_FULL'],
    ['a fast disk', 'pwrite64', 'EDQUOT', 'STORAGE_FULL'],
    ['a slow disk', 'pwrite64', 'ENOSPC', 'STORAGE_FULL'],
  ] as const)(
    '[import.3] [import.4] on %s, %s answers %s: %s, and nothing is left',
    { timeout: 600_000 },
    async (disk, call, answer, said) => {
      // strace counts for each thread: the second is met by the main thread, or by one that waits for the slow disk.
      for (const nth of [1, 60]) {
        const before = readdirSync(desk.folder);
        const inject = `inject=${call}:error=${answer}:when=${nth}+`;
        const slow = disk === 'a slow disk' ? SLOW_CLOSE : [];
        const { code, stderr } = await traced('-e', `trace=${call},close`, ...slow, '-e', inject).ended;
        const left = readdirSync(desk.folder).filter((name) => !before.includes(name) && name !== 'trace');
        expect([code, stderr], `${nth}`).toEqual([3, expect.stringContaining(`[${said}, exit 3]`)]);
        expect(left, `${nth}`).toEqual([]);
      }
    },
  );

  test('[import.3] [cli.9] SIGINT while the disk is slow: exit 130, and nothing is left', async () => {
    const before = readdirSync(desk.folder);
    // -D: what was started is the program, and strace another process beside it.
    const { child, ended } = traced('-D', '-e', 'trace=fsync', '-e', 'inject=fsync:delay_exit=20000');
    await until(() => partialsIn(desk.folder).length > 0);
    child.kill('SIGINT');
    const { code } = await ended;
    const left = readdirSync(desk.folder).filter((name) => !before.includes(name) && name !== 'trace');
    expect([code, left]).toEqual([130, []]);
  });
});
