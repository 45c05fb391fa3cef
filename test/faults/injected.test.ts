import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runHere } from '../factory/command-line.ts';
import { available, contentOf, digestOf, layOut, partialsIn, RUNS } from '../factory/faults.ts';
import { type Desk, MAIN, makeWorkbench, type Workbench } from '../factory/workbench.ts';

let workbench: Workbench;
let desk: Desk;
let machine: ReturnType<typeof contentOf>;

beforeAll(async () => {
  workbench = await makeWorkbench();
  desk = workbench.desk('keys');
  await layOut(desk, 3_000_000);
  expect((await runHere(desk, 'import', 'big.ova', '--to', 'reference', '--trust', 'ca.pem')).code).toBe(0);
  machine = contentOf(at('reference'));
});
afterAll(() => {
  desk[Symbol.dispose]();
  workbench[Symbol.dispose]();
});

function at(name: string): string {
  return join(desk.folder, name);
}

const PACK = `pack big.img --vendor Acme --name big --key signer.key --cert signer.pem`;

const IMPORT = 'import big.ova --to machine --trust ca.pem';

/** What the system may answer, and what must come of it; `when` counts calls of the whole program. */
const ANSWERS: readonly (readonly [call: string, answer: string, said: string])[] = [
  ['pwrite64', 'ENOSPC', 'STORAGE_FULL'],
  ['pwrite64', 'EDQUOT', 'STORAGE_FULL'],
  ['pwrite64', 'EFBIG', 'STORAGE_FULL'],
  ['pwrite64', 'EIO', 'STORAGE_FAILED'],
  ['fsync', 'EIO', 'STORAGE_FAILED'],
  ['fsync', 'ENOSPC', 'STORAGE_FULL'],
  ['ftruncate', 'EIO', 'STORAGE_FAILED'],
  ['mkdir', 'EACCES', 'STORAGE_FAILED'],
  ['rename', 'EIO', 'STORAGE_FAILED'],
  ['link', 'EIO', 'STORAGE_FAILED'],
];

const traced = available(
  'answers of the system',
  'strace -f --seccomp-bpf -e inject=rename:error=EIO -e trace=rename true',
);

describe.skipIf(!traced)('a system that answers', () => {
  test.each(ANSWERS)(
    '[import.3] [import.4] [pack.4] %s with %s: %s, and nothing is left',
    { timeout: 3_600_000 },
    async (call, answer, said) => {
      let failed = 0;
      for (const [words, made] of [
        [IMPORT, 'machine'],
        [`${PACK} -o new.ova`, 'new.ova'],
      ] as const) {
        for (let nth = 1; nth <= Math.min(RUNS, 12); nth++) {
          const before = readdirSync(desk.folder);
          const { code, stderr } = await injected(`${call}:error=${answer}:when=${nth}`, words);
          const left = readdirSync(desk.folder).filter((name) => !before.includes(name));
          if (code === 0) {
            // The program has no such call any more, or it did not matter.
            if (made === 'machine') expect(contentOf(at(made))).toEqual(machine);
            else expect(digestOf(at(made))).toBe(digestOf(at('big.ova')));
            rmSync(at(made), { recursive: true });
            break;
          }
          expect([code, stderr], `${call} ${nth}`).toEqual([3, expect.stringContaining(`[${said}, exit 3]`)]);
          expect(left, `${call} ${nth}`).toEqual([]);
          failed++;
        }
      }
      expect(failed).toBeGreaterThan(0);
    },
  );

  test.each([
    ['ENOSPC', 'STORAGE_FULL'],
    ['EIO', 'STORAGE_FAILED'],
  ])('[pack.3] [pack.4] %s while the room before the files is filled: %s', async (answer, said) => {
    // All writes by one thread, since they are counted by threads.
    const counted = `UV_THREADPOOL_SIZE=1 strace -f -qq -o trace -e trace=pwrite64 node ${MAIN} ${PACK} -o new.ova`;
    expect((await desk.run(counted)).code).toBe(0);
    const writes = readFileSync(at('trace'), 'utf8').match(/pwrite64\(/g)?.length ?? 0;
    for (const name of ['trace', 'new.ova']) rmSync(at(name));
    const before = readdirSync(desk.folder);
    for (const nth of [writes - 1, writes]) {
      const inject = `-e inject=pwrite64:error=${answer}:when=${nth}`;
      const { code, stderr } = await desk.run(counted.replace('-o trace', `-o /dev/null ${inject}`));
      expect([code, stderr]).toEqual([3, expect.stringContaining(`[${said}, exit 3]`)]);
      expect(readdirSync(desk.folder)).toEqual(before);
    }
  });

  test('[pack.4] fdatasync with EIO, on the way: told in the end, and nothing is left', async () => {
    writeFileSync(at('huge.img'), randomBytes(80 * 1024 * 1024));
    const before = readdirSync(desk.folder);
    const { code, stderr } = await injected('fdatasync:error=EIO', 'pack huge.img -o huge.ova');
    expect([code, stderr]).toEqual([3, expect.stringContaining('[STORAGE_FAILED, exit 3]')]);
    expect(readdirSync(desk.folder)).toEqual(before);
    rmSync(at('huge.img'));
  });

  test('[pack.4] link with EPERM, as file systems without links do: all is right', async () => {
    const { code, stderr } = await injected('link:error=EPERM', `${PACK} -o new.ova --quiet`);
    expect([code, stderr, digestOf(at('new.ova'))]).toEqual([0, '', digestOf(at('big.ova'))]);
    rmSync(at('new.ova'));
  });

  test('[pack.4] [import.8] unlink with EIO, when the bundle is there already: it is kept, and its other name swept later', async () => {
    const { code } = await injected('unlink:error=EIO', `${PACK} -o new.ova --quiet`);
    expect([code, digestOf(at('new.ova')), partialsIn(desk.folder).length]).toEqual([
      0,
      digestOf(at('big.ova')),
      1,
    ]);
    rmSync(at('new.ova'));
    const { stderr } = await runHere(desk, ...PACK.split(' '), '-o', 'new.ova');
    expect([stderr, partialsIn(desk.folder)]).toEqual([
      expect.stringContaining('removed ".new.ova.partial-'),
      [],
    ]);
    rmSync(at('new.ova'));
  });

  test.each(['big.ova', 'ca.pem', ''])(
    '[import.3] openat of "%s" with EMFILE: exit 3, and nothing is left',
    async (path) => {
      const opened = await opensOf(path);
      expect(opened).toBeGreaterThan(0);
      const failed: string[] = [];
      for (const answer of ['EMFILE', 'ENFILE', 'EIO', 'EACCES']) {
        for (let nth = 1; nth <= Math.min(3, opened); nth++) {
          const before = readdirSync(desk.folder);
          const { code, stderr } = await injected(`openat:error=${answer}:when=${nth}`, IMPORT, path);
          const left = readdirSync(desk.folder).filter((name) => !before.includes(name));
          if (code === 0) expect(contentOf(at('machine'))).toEqual(machine);
          else expect([code, stderr, left]).toEqual([3, expect.stringContaining(answer), []]);
          if (code !== 0) failed.push(answer);
          rmSync(at('machine'), { recursive: true, force: true });
        }
      }
      expect([...new Set(failed)]).toEqual(['EMFILE', 'ENFILE', 'EIO', 'EACCES']);
    },
  );
});

/** How often an import opens a file, by all its threads together: what is not opened cannot fail. */
async function opensOf(path: string): Promise<number> {
  const only = `-P '${path || desk.folder}' -e trace=openat`;
  expect((await desk.run(`strace -f -qq -o trace ${only} node ${MAIN} ${IMPORT}`)).code).toBe(0);
  const opened = readFileSync(at('trace'), 'utf8').match(/openat\(/g)?.length ?? 0;
  for (const name of ['trace', 'machine']) rmSync(at(name), { recursive: true });
  return opened;
}

function injected(inject: string, words: string, path?: string): ReturnType<Desk['run']> {
  // A path is compared as the program writes it, and relative ones are not made whole.
  const only = path === undefined ? '' : `-P '${path || desk.folder}'`;
  const [call] = inject.split(':');
  // With --seccomp-bpf, which stops no other call, strace 6.1 counts the first alone.
  const quick = /when=(?!1$)/.test(inject) ? '' : '--seccomp-bpf';
  return desk.run(
    `strace -f ${quick} -qq -o /dev/null ${only} -e trace=${call} -e inject=${inject} node ${MAIN} ${words}`,
  );
}
