import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { absolute } from '../../src/storage/absolute.ts';
import { stampWithin } from '../../src/storage/sources/input-file.ts';
import { MarkedFolder } from '../../src/storage/unfinished/marked-folder.ts';
import { runWithin } from '../factory/command-line.ts';
import { makeSandbox } from '../factory/sandbox.ts';
import { type Desk, makeWorkbench, type Workbench } from '../factory/workbench.ts';

let workbench: Workbench;
beforeAll(async () => {
  workbench = await makeWorkbench();
});
afterAll(() => workbench[Symbol.dispose]());

/** A path whose last name is not UTF-8. */
function odd(folder: string, name: string): Buffer {
  return Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name, 'latin1')]);
}

/** What tells that a folder, or anything in it, was touched, however briefly. */
function marksOf(folder: string): readonly string[] {
  const marks = (path: string): string => {
    const { ino, ctimeNs, mtimeNs, size } = statSync(path, { bigint: true });
    return [path, ino, ctimeNs, mtimeNs, size].join(' ');
  };
  return [marks(folder), ...readdirSync(folder).map((name) => marks(join(folder, name)))];
}

/** A folder `job\xff`, a link `lnk` to it, and the folder that Node takes it for, with files of somebody else's. */
function makeTwins(desk: Desk): string {
  const twin = join(desk.folder, 'job\uFFFD');
  mkdirSync(odd(desk.folder, 'job\xff'));
  symlinkSync(odd('.', 'job\xff'), join(desk.folder, 'lnk'));
  mkdirSync(twin);
  mkdirSync(join(twin, 'machine'));
  for (const name of ['x.tar', 'x.ova', 'web.ova.001', 'x.tsq', 'a.vmdk']) {
    writeFileSync(join(twin, name), 'of somebody else');
  }
  return twin;
}

const LINES = [
  'pack --plain $D/disk.qcow2 -o OUT/x.tar --force',
  'import $D/web.ova --to OUT/machine --trust $D/ca.pem',
  'import $D/web.ova --to OUT/machine --resume --trust $D/ca.pem',
  'import $D/web.ova --to OUT/new --trust $D/ca.pem',
  'normalize $D/web.ova -o OUT/x.ova --force',
  'sign $D/web.ova -o OUT/x.ova --force --key $D/signer.key --cert $D/signer.pem',
  'timestamp $D/web.ova --tsq-out OUT/x.tsq --force',
  'dev-certs OUT/certs',
  'BULLA_HOME=OUT/home bulla trust add acme $D/ca.pem',
];

const commandOf = (line: string): string => (line.startsWith('BULLA_HOME') ? line : `bulla ${line}`);

describe('[out.4] a folder whose name is not UTF-8', () => {
  test.each([...LINES.map((line) => line.replace('OUT/', '')), 'split $D/web.ova --size 6000 --force'])(
    'is written into by no relative name: %s',
    async (line) => {
      using desk = workbench.desk('bundle', 'keys', 'disk');
      const twin = makeTwins(desk);
      const before = marksOf(twin);
      const { stderr, code } = await desk.run(`D=$PWD; cd "$(printf 'job\\377')" && ${commandOf(line)}`);
      expect(stderr).toMatch(/leads through "job\\xff", whose name is not UTF-8 +\[USAGE, exit 2\]/);
      expect(code).toBe(2);
      expect(marksOf(twin)).toEqual(before);
      expect((await desk.run('ls -A lnk/ | grep -v home')).stdout).toBe('');
    },
  );

  // as programs they are above: a path is made of the folder and the name, or is there as it is
  test.each(LINES.map((line) => line.replace('OUT/', 'lnk/')))(
    'is written into through no link: %s',
    async (line) => {
      using desk = workbench.desk('bundle', 'keys', 'disk');
      const twin = makeTwins(desk);
      const before = marksOf(twin);
      const [, home, words] = /^(?:BULLA_HOME=(\S+) )?(bulla .*)$/.exec(commandOf(line)) ?? [];
      const env = { ...desk.env, ...(home !== undefined && { BULLA_HOME: home }) };
      const { stderr, code } = await runWithin({ ...desk, env }, `${words?.replaceAll('$D', desk.folder)}`);
      expect(stderr).toMatch(/leads through "job\\xff", whose name is not UTF-8 +\[USAGE, exit 2\]/);
      expect(code).toBe(2);
      expect(marksOf(twin)).toEqual(before);
      expect((await desk.run('ls -A lnk/ | grep -v home')).stdout).toBe('');
    },
  );

  test('may be read in, and left for an output elsewhere', async () => {
    using desk = workbench.desk('bundle', 'keys', 'appliance');
    makeTwins(desk);
    const line = `D=$PWD; cp * lnk/ 2>&-; cd "$(printf 'job\\377')" && for f in *.ovf; do bulla pack $f -o $D/made.ova --key signer.key --cert signer.pem; done
      bulla verify web.ova --trust ca.pem && bulla import ../lnk/web.ova --to $D/new --trust ca.pem && bulla verify none.ova`;
    const { stderr, code } = await desk.run(line);
    expect(stderr).toMatch(/there is no such file.*FILE_NOT_FOUND/);
    expect(code).toBe(3);
    expect(existsSync(join(desk.folder, 'made.ova'))).toBe(true);
    expect(existsSync(join(desk.folder, 'new'))).toBe(true);
  });

  test('is the one from which a folder of unfinished work is removed, wherever that has been moved', () => {
    using sandbox = makeSandbox();
    const folder = MarkedFolder.make(sandbox.folder, { kind: 'import', base: 'web' });
    const name = folder.path.slice(sandbox.folder.length + 1);
    mkdirSync(odd(sandbox.folder, 'moved\xff'));
    mkdirSync(join(sandbox.folder, `moved\uFFFD/${name}`), { recursive: true });
    renameSync(folder.path, odd(sandbox.folder, `moved\xff/${name}`));
    expect(folder.tryRemove()).toBe(true);
    expect(readdirSync(join(sandbox.folder, 'moved\uFFFD'))).toEqual([name]);
    expect(readdirSync(odd(sandbox.folder, 'moved\xff'))).toEqual([]);
  });

  test('does not lie in the one that Node takes it for', () => {
    using sandbox = makeSandbox();
    mkdirSync(odd(sandbox.folder, 'away\xff'));
    writeFileSync(odd(sandbox.folder, 'away\xff/disk'), 'of somebody else');
    const inside = join(sandbox.folder, 'away\uFFFD');
    mkdirSync(inside);
    symlinkSync(odd('..', 'away\xff/disk'), join(inside, 'disk'));
    expect(() => stampWithin(join(inside, 'disk'), inside)).toThrow(/leads out of the folder/);
  });
});

test('[cli.22] where another folder bears the name of the working folder by now, that is not taken for it', () => {
  using sandbox = makeSandbox();
  const home = process.cwd();
  mkdirSync(sandbox.path('here'));
  try {
    process.chdir(sandbox.path('here'));
    expect(absolute('x')).toBe(sandbox.path('here/x'));
    renameSync(sandbox.path('here'), sandbox.path('there'));
    mkdirSync(sandbox.path('here'));
    expect(() => absolute('x')).toThrow(/the folder that you are in is gone/);
  } finally {
    process.chdir(home);
  }
});
