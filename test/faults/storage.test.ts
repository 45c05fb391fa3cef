import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runHere } from '../factory/command-line.ts';
import {
  available,
  contentOf,
  type Ended,
  layOut,
  partialsIn,
  RUNS,
  start,
  until,
} from '../factory/faults.ts';
import { type Desk, makeWorkbench, type Workbench } from '../factory/workbench.ts';

const BYTES = 3_000_000;
const PACK = 'bulla pack big.img --vendor Acme --key signer.key --cert signer.pem';
const IMPORT = 'bulla import big.ova --trust ca.pem';

let workbench: Workbench;
let desk: Desk;
let machine: ReturnType<typeof contentOf>;

beforeAll(async () => {
  workbench = await makeWorkbench();
  desk = workbench.desk('keys');
  await layOut(desk, BYTES);
  expect((await here(`${IMPORT} --to reference`)).code).toBe(0);
  machine = contentOf(at('reference'));
});
afterAll(() => {
  desk[Symbol.dispose]();
  workbench[Symbol.dispose]();
});

function at(name: string): string {
  return join(desk.folder, name);
}

/** Runs a line without anything of a shell in this process, where the same line is run as a program in another test. */
function here(line: string): ReturnType<typeof runHere> {
  return runHere(desk, ...line.split(' ').slice(1));
}

/** Runs something with a file system of its own in `there`. */
async function mounted(how: string, work: () => Promise<void>): Promise<void> {
  const { code, stderr } = await desk.run(`mkdir there && ${how}`);
  expect([code, stderr]).toEqual([0, '']);
  try {
    await work();
  } finally {
    await desk.run('umount there; rm -rf there disk.fs');
  }
}

const mounts = available(
  'file systems of their own',
  'd=$(mktemp -d) && mount -t tmpfs none $d && umount $d && rmdir $d',
);
const fat =
  mounts &&
  available(
    'FAT',
    'command -v mkfs.vfat && f=$(mktemp) && truncate -s 8M $f && mkfs.vfat $f && d=$(mktemp -d) && mount -o loop $f $d && umount $d && rm -r $f $d',
  );

describe.skipIf(!mounts)('a file system that is full', () => {
  test('[import.3] [pack.4] of bytes: nothing is left, and with enough of them all is right', {
    timeout: 600_000,
  }, async () => {
    const sizes = Array.from(
      { length: RUNS },
      (_, i) => Math.round((i * 4 * 1024) / Math.max(1, RUNS - 1)) + 16,
    );
    const seen = { full: 0, done: 0 };
    for (const size of sizes) {
      for (const [command, made] of [
        [`${IMPORT} --to there/machine`, 'machine'],
        [`${PACK} -o there/new.ova --quiet`, 'new.ova'],
      ] as const) {
        await mounted(`mount -t tmpfs -o size=${size}k none there`, async () => {
          const { code, stderr } = await desk.run(command);
          if (code === 0) {
            seen.done++;
            expect(readdirSync(at('there'))).toEqual([made]);
            return;
          }
          seen.full++;
          expect([code, stderr]).toEqual([
            3,
            expect.stringMatching(/no space is left {2}\[STORAGE_FULL, exit 3\]/),
          ]);
          expect(readdirSync(at('there'))).toEqual([]);
        });
      }
    }
    console.info(`file systems of ${sizes[0]} to ${sizes.at(-1)} KiB: ${JSON.stringify(seen)}`);
    expect(seen.full).toBeGreaterThan(RUNS);
    expect(seen.done).toBeGreaterThan(0);
  });

  test('[resume.1] with --resume: what has come is kept, and gone on with when there is room', async () => {
    await desk.run('head -c 8000000 /dev/urandom > long.img');
    await here(`${PACK.replace('big.img', 'long.img')} --block-digests -o long.ova`);
    await mounted('mount -t tmpfs -o size=4096k none there', async () => {
      const words = `${IMPORT.replace('big', 'long')} --to there/machine --resume`;
      const { code, stderr } = await desk.run(words);
      expect([code, stderr]).toEqual([3, expect.stringContaining('[STORAGE_FULL, exit 3]')]);
      expect(stderr).toContain('goes on with what has come');
      expect((await here('bulla clean there')).stdout).toContain('kept for import --resume');
      expect((await desk.run('mount -o remount,size=16384k there')).code).toBe(0);
      const again = await desk.run(words);
      expect([again.code, again.stderr]).toEqual([
        0,
        expect.stringContaining('was gone on with: 3145728 bytes'),
      ]);
      expect(readdirSync(at('there'))).toEqual(['machine']);
    });
  });

  test('[import.3] [pack.4] of names: nothing is left', { timeout: 600_000 }, async () => {
    for (let inodes = 1; inodes <= 8; inodes++) {
      for (const command of [`${IMPORT} --to there/machine`, `${PACK} -o there/new.ova --quiet`]) {
        await mounted(`mount -t tmpfs -o nr_inodes=${inodes} none there`, async () => {
          const { code, stderr } = await here(command);
          if (code !== 0) {
            expect([code, stderr]).toEqual([3, expect.stringContaining('[STORAGE_FULL, exit 3]')]);
            expect(readdirSync(at('there'))).toEqual([]);
          } else expect(partialsIn(at('there'))).toEqual([]);
        });
      }
    }
  });

  test('[import.8] of what a run left that was killed: that is removed first', async () => {
    await mounted('mount -t tmpfs -o size=4m none there', async () => {
      const { child, ended } = start(desk, 'import', 'big.ova', '--to', 'there/machine', '--trust', 'ca.pem');
      await until(() =>
        partialsIn(at('there')).some((name) => existsSync(join(at('there'), name, 'content'))),
      );
      child.kill('SIGKILL');
      await ended;
      const [left = ''] = partialsIn(at('there'));
      if (left) writeFileSync(join(at('there'), left, 'big.img'), Buffer.alloc(3_900_000, 1));
      const { code, stderr } = await here(`${IMPORT} --to there/machine --quiet`);
      expect([code, stderr]).toEqual([0, '']);
      expect(contentOf(at('there/machine'))).toEqual(machine);
    });
  });
});

describe('a destination', () => {
  test.skipIf(!mounts)('[import.3] [pack.4] that is read-only: exit 3, and why', async () => {
    await mounted('mount -t tmpfs -o ro none there', async () => {
      for (const command of [`${IMPORT} --to there/machine`, `${PACK} -o there/new.ova`]) {
        const { code, stderr } = await here(command);
        expect([code, stderr]).toEqual([3, expect.stringContaining('the file system is read-only (EROFS)')]);
      }
    });
  });

  test.skipIf(!mounts)(
    '[import.2] that is a file system of its own is refused before anything is read; a folder in it will do',
    async () => {
      await mounted('mount -t tmpfs none there', async () => {
        const whole = await here(`${IMPORT} --to there`);
        expect([whole.code, whole.stderr]).toEqual([2, expect.stringContaining('a file system of its own')]);
        expect((await here(`${IMPORT} --to there/machine`)).code).toBe(0);
        expect(contentOf(at('there/machine'))).toEqual(machine);
        expect(partialsIn(desk.folder)).toEqual([]);
      });
      // A folder bound over itself is on the same device, and cannot be replaced either.
      await mounted('mount --bind there there', async () => {
        const { code, stderr } = await here(`${IMPORT} --to there`);
        expect([code, stderr]).toEqual([3, expect.stringContaining('EBUSY')]);
        expect(partialsIn(desk.folder)).toEqual([]);
      });
    },
  );

  test.skipIf(!fat)(
    '[import.7] [pack.4] on a FAT stick: no links, no holes, no modes, and all is right',
    async () => {
      await mounted(
        'truncate -s 16M disk.fs && mkfs.vfat disk.fs > /dev/null && mount -o loop disk.fs there',
        async () => {
          expect((await desk.run(`${PACK} -o there/new.ova --name big --quiet`)).code).toBe(0);
          expect((await desk.run('cmp there/new.ova big.ova')).code).toBe(0);
          expect((await here(`${PACK} -o there/new.ova --name big`)).code).toBe(2);
          expect((await desk.run(`${IMPORT} --to there/machine --quiet`)).stderr).toBe('');
          expect(contentOf(at('there/machine'))).toEqual(machine);
          let full = await here(`${IMPORT} --to there/m2`);
          for (const name of ['m3', 'm4'])
            if (full.code === 0) full = await here(`${IMPORT} --to there/${name}`);
          expect([full.code, full.stderr]).toEqual([3, expect.stringContaining('STORAGE_FULL')]);
          expect(partialsIn(at('there'))).toEqual([]);
        },
      );
    },
  );

  test('[import.9] whose folder vanishes: nothing comes back in its place', async () => {
    mkdirSync(at('place'));
    const running = await slowImport('place/machine');
    rmSync(at('place'), { recursive: true });
    await expectFailure(running, 'was taken away or changed meanwhile');
    expect(contentOf(at('place'))).toBeUndefined();
  });

  test('[import.9] in a folder that was moved: the import follows no name', async () => {
    mkdirSync(at('place'));
    const running = await slowImport('place/machine');
    renameSync(at('place'), at('moved'));
    mkdirSync(at('place'));
    await expectFailure(running, 'was taken away or changed meanwhile');
    expect(readdirSync(at('place'))).toEqual([]);
    rmSync(at('place'), { recursive: true });
    rmSync(at('moved'), { recursive: true });
  });

  test.each<[string, (staging: string) => void]>([
    ['a member is removed', (staging) => rmSync(join(staging, 'content/big.ovf'))],
    ['a member is exchanged', (staging) => exchange(join(staging, 'content/big.ovf'))],
    ['a member is cut', (staging) => writeFileSync(join(staging, 'content/big.ovf'), '')],
    ['all of it is exchanged', exchangeFolder],
    ['what is in it is exchanged', (staging) => exchangeFolder(join(staging, 'content'))],
    ['all of it is removed', (staging) => rmSync(staging, { recursive: true })],
    ['a link is put in its place', (staging) => linkInstead(staging)],
  ])('[import.9] is not made when %s on the way', async (_, harm) => {
    mkdirSync(at('place'));
    const running = await slowImport('place/machine');
    harm(at(`place/${partialsIn(at('place'))[0]}`));
    await expectFailure(running, 'was taken away or changed meanwhile');
    expect(contentOf(at('place/machine'))).toBeUndefined();
    rmSync(at('place'), { recursive: true });
  });

  test('[import.9] in a folder where everybody may rename everything is refused', async () => {
    mkdirSync(at('open'));
    chmodSync(at('open'), 0o777);
    const { code, stderr } = await here(`${IMPORT} --to open/machine`);
    expect([code, stderr]).toEqual([3, expect.stringContaining('everybody may rename and delete')]);
    expect(readdirSync(at('open'))).toEqual([]);
    chmodSync(at('open'), 0o1777);
    expect((await here(`${IMPORT} --to open/machine --quiet`)).code).toBe(0);
    rmSync(at('open'), { recursive: true });
  });
});

function exchange(path: string): void {
  writeFileSync(`${path}.new`, 'something else');
  renameSync(`${path}.new`, path);
}

function exchangeFolder(staging: string): void {
  renameSync(staging, `${staging}-theirs`);
  mkdirSync(staging);
}

function linkInstead(staging: string): void {
  renameSync(staging, `${staging}-theirs`);
  symlinkSync(`${staging}-theirs`, staging);
}

/** An import that has come half of its way and waits for the rest. */
async function slowImport(to: string): Promise<{ rest(): void; ended: Promise<Ended> }> {
  const { child, ended } = start(desk, 'import', '-', '--to', to, '--trust', 'ca.pem');
  const bytes = readFileSync(at('big.ova'));
  child.stdin.write(bytes.subarray(0, 1_000_000));
  const place = at(to.split('/')[0] ?? '');
  await until(() => partialsIn(place).some((name) => existsSync(join(place, name, 'content/big.img'))));
  return { rest: () => child.stdin.end(bytes.subarray(1_000_000)), ended };
}

async function expectFailure(
  running: { rest(): void; ended: Promise<Ended> },
  message: string,
): Promise<void> {
  running.rest();
  const { code, stderr } = await running.ended;
  expect([code, stderr]).toEqual([3, expect.stringContaining(message)]);
}

/** Kills an import into `machine` in a folder, and gives the name of what it has left. */
async function killed(folder: string): Promise<string> {
  const before = partialsIn(at(folder));
  const { child, ended } = start(desk, 'import', '-', '--to', `${folder}/machine`, '--trust', 'ca.pem');
  const isNew = (name: string): boolean =>
    !before.includes(name) && existsSync(at(`${folder}/${name}/content`));
  await until(() => partialsIn(at(folder)).some(isNew));
  child.kill('SIGKILL');
  await ended;
  return partialsIn(at(folder)).find(isNew) ?? '';
}

/** As if the process of what was left ran on another machine. */
function moveElsewhere(left: string): void {
  const marker = join(left, 'bulla.partial');
  const fields = JSON.parse(readFileSync(marker, 'utf8')) as object;
  writeFileSync(marker, JSON.stringify({ ...fields, place: '00000000' }));
}

describe('what was left by a run that is gone', () => {
  test('[import.8] is kept while it may be of a machine that is at work, and removed when it is old; names prove nothing', async () => {
    mkdirSync(at('shared'));
    const young = await killed('shared');
    moveElsewhere(at(`shared/${young}`)); // else the next removes it
    const old = await killed('shared');
    moveElsewhere(at(`shared/${old}`));
    const days = (count: number): Date => new Date(Date.now() + count * 86_400_000);
    for (const name of readdirSync(at(`shared/${old}`), { recursive: true, encoding: 'utf8' }))
      utimesSync(at(`shared/${old}/${name}`), days(-2), days(-2));
    utimesSync(at(`shared/${old}`), days(-2), days(-2));
    const mine = [
      'machine.partial-00000000-1-1-01234567',
      'photos.partial-00000000-1-1-01234567',
      'machine.partial-backup',
    ];
    for (const name of mine) {
      mkdirSync(at(`shared/${name}`));
      writeFileSync(at(`shared/${name}/me`), 'mine');
      utimesSync(at(`shared/${name}`), days(-2), days(-2));
    }
    symlinkSync(at(`shared/${young}`), at('shared/machine.partial-00000000-1-1-76543210'));
    const { code, stderr } = await here(`${IMPORT} --to shared/machine`);
    expect([code, stderr]).toEqual([0, expect.stringContaining(`removed "${old}"`)]);
    const kept = [young, ...mine, 'machine.partial-00000000-1-1-76543210'];
    expect(readdirSync(at('shared')).sort()).toEqual(['machine', ...kept].sort());
    rmSync(at('shared'), { recursive: true });
  });

  test('[import.8] is kept while its process runs', async () => {
    mkdirSync(at('place'));
    const running = await slowImport('place/machine');
    expect((await here(`${IMPORT} --to place/other --quiet`)).code).toBe(0);
    running.rest();
    expect((await running.ended).code).toBe(0);
    expect(readdirSync(at('place')).sort()).toEqual(['machine', 'other']);
    rmSync(at('place'), { recursive: true });
  });

  const faked = available('clocks that were set back', 'command -v faketime');
  test.skipIf(!faked)('[import.8] is removed although the clock was set back, and all is right', async () => {
    mkdirSync(at('past'));
    const { child, ended } = start(desk, 'import', '-', '--to', 'past/machine', '--trust', 'ca.pem');
    await until(() => partialsIn(at('past')).some((name) => existsSync(join(at('past'), name, 'content'))));
    child.kill('SIGKILL');
    await ended;
    const { code, stderr } = await desk.run(`faketime -f '-400d' ${IMPORT} --to past/machine`);
    expect([code, stderr]).toEqual([0, expect.stringContaining('removed "machine.partial-')]);
    expect(contentOf(at('past/machine'))).toEqual(machine);
    expect(readdirSync(at('past'))).toEqual(['machine']);
    expect(
      (await desk.run(`faketime -f '-400d' ${PACK} -o past/new.ova --name big && cmp past/new.ova big.ova`))
        .code,
    ).toBe(0);
  });
});

describe('too few file descriptors', () => {
  test('[vol.4] are enough for any number of volumes', async () => {
    writeFileSync(at('many'), Buffer.alloc(100_000, 7));
    const { code, stdout } = await desk.run('ulimit -n 64; bulla split many --size 5000');
    expect([code, stdout]).toEqual([0, expect.stringMatching(/many\.1\d\d /)]);
    for (const name of readdirSync(desk.folder)) if (name.startsWith('many')) rmSync(at(name));
  });

  test('[import.3] [pack.4] end it with 3, or not at all', { timeout: 600_000 }, async () => {
    const seen: Record<string, number> = {};
    for (let limit = 20; limit < 64; limit += RUNS > 6 ? 1 : 4) {
      for (const [command, made] of [
        [`${IMPORT} --to machine`, 'machine'],
        [`${PACK} -o new.ova --name big`, 'new.ova'],
      ] as const) {
        const before = readdirSync(desk.folder);
        const { code, stderr } = await desk.run(`ulimit -n ${limit}; ${command}`);
        const started = stderr.includes('bulla: ') || code === 0;
        const word = started ? `exit ${code}` : 'node itself did not start';
        seen[word] = (seen[word] ?? 0) + 1;
        if (started && code !== 0)
          expect([limit, code, stderr]).toEqual([limit, 3, expect.stringContaining('too many open files')]);
        const left = readdirSync(desk.folder).filter((name) => !before.includes(name));
        expect(left).toEqual(code === 0 ? [made] : []);
        if (code === 0 && made === 'machine') expect(contentOf(at('machine'))).toEqual(machine);
        rmSync(at(made), { recursive: true, force: true });
      }
    }
    expect(seen['exit 0']).toBeGreaterThan(0);
    console.info(`with 20 to 63 descriptors: ${JSON.stringify(seen)}`);
  });
});
