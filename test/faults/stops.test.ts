import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runHere } from '../factory/command-line.ts';
import { contentOf, digestOf, layOut, moments, partialsIn, RUNS, start, until } from '../factory/faults.ts';
import { type Desk, MAIN, makeWorkbench, type Workbench } from '../factory/workbench.ts';

let workbench: Workbench;
let desk: Desk;
let machine: ReturnType<typeof contentOf>;

const IMPORT = ['import', 'big.ova', '--to', 'machine', '--trust', 'ca.pem'] as const;
const PACK = [
  'pack',
  'big.img',
  '--vendor',
  'Acme',
  '--name',
  'big',
  '--key',
  'signer.key',
  '--cert',
  'signer.pem',
] as const;

beforeAll(async () => {
  workbench = await makeWorkbench();
  desk = workbench.desk('keys');
  await layOut(desk, 12_000_000);
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

describe('a program that is told to stop at a random moment', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 143],
  ] as const)(
    '[cli.9] [import.3] [pack.4] %s: exit %d and nothing, or done',
    { timeout: 600_000 },
    async (signal, stopped) => {
      const seen: Record<string, number> = {};
      for (const [words, made] of [
        [IMPORT, 'machine'],
        [[...PACK, '-o', 'new.ova'], 'new.ova'],
      ] as const) {
        for (const moment of moments(RUNS)) {
          const before = readdirSync(desk.folder);
          const { child, ended } = start(desk, ...words);
          await setTimeout(moment * 500);
          child.kill(signal);
          const outcome = await ended;
          const left = readdirSync(desk.folder).filter((name) => !before.includes(name));
          // Before the program listens, the system ends it; then there is nothing yet to be left.
          const word = outcome.signal ?? `exit ${outcome.code}`;
          seen[word] = (seen[word] ?? 0) + 1;
          expect([signal, `exit ${stopped}`, 'exit 0']).toContain(word);
          if (word === 'exit 0') {
            expect(left).toEqual([made]);
            if (made === 'machine') expect(contentOf(at(made))).toEqual(machine);
            else expect(digestOf(at(made))).toBe(digestOf(at('big.ova')));
          } else {
            expect(left).toEqual([]);
            if (outcome.signal === null) expect(outcome.stderr).toContain('nothing was left behind');
          }
          rmSync(at(made), { recursive: true, force: true });
        }
      }
      console.info(`${signal}: ${JSON.stringify(seen)}`);
    },
  );
});

describe('[lane.3] a verification by several threads', () => {
  const disks = ['one.img', 'two.img'];
  /** how long it takes, in milliseconds */
  let whole = 0;
  beforeAll(async () => {
    for (const name of disks) {
      writeFileSync(at(name), '');
      truncateSync(at(name), 120_000_000); // long enough for a thread each, and to be caught at it
    }
    const { code } = await desk.run(
      `bulla pack ${disks.join(' ')} --vendor Acme -o two.ova --order trailing --key signer.key --cert signer.pem --quiet`,
    );
    expect(code).toBe(0);
    const begun = performance.now();
    const { stdout } = await start(desk, 'verify', 'two.ova', '--trust', 'ca.pem').ended;
    whole = performance.now() - begun;
    expect(stdout).toMatch(/two\.ova {2}trusted/);
  });
  afterAll(() => {
    for (const name of [...disks, 'two.ova']) rmSync(at(name));
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGKILL', undefined],
  ] as const)(
    '%s: nothing is trusted, nothing is left, all of it ends',
    { timeout: 600_000 },
    async (signal, stopped) => {
      const before = readdirSync(desk.folder);
      const seen: Record<string, number> = {};
      for (const moment of moments(RUNS)) {
        const started = performance.now();
        const { child, ended } = start(desk, 'verify', 'two.ova', '--trust', 'ca.pem');
        await Promise.race([setTimeout(moment * whole), ended]);
        child.kill(signal);
        const { code, signal: by, stdout } = await ended;
        const word = by ?? `exit ${code}`;
        seen[word] = (seen[word] ?? 0) + 1;
        expect([signal, `exit ${stopped}`, 'exit 0']).toContain(word);
        if (word === 'exit 0') whole = performance.now() - started; // other work on the machine makes it faster and slower
        // one that is killed may have said what is true, and not have ended yet
        if (word !== 'exit 0' && word !== 'SIGKILL') expect(stdout).not.toMatch(/two\.ova {2}trusted/);
      }
      expect(readdirSync(desk.folder)).toEqual(before);
      console.info(`${signal}: ${JSON.stringify(seen)}`);
    },
  );
});

describe('a reader of what is written', () => {
  test('[cli.2] that goes away ends packing with 3', async () => {
    const { stderr } = await desk.run(
      `bulla ${PACK.join(' ')} -o - | head -c 1000 > /dev/null; echo "$?" >&2`,
    );
    expect(stderr).toContain('whoever was reading it has gone away (EPIPE)  [STORAGE_FAILED, exit 3]');
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('[cli.9] that takes nothing does not keep %s from ending it', async (signal, code) => {
    const words = [MAIN, ...PACK, '-o', '-', '--progress', 'json'];
    const child = spawn(process.execPath, words, { cwd: desk.folder, env: desk.env }); // nobody listens to its output
    let told = '';
    child.stderr.on('data', (data) => {
      told += data;
    });
    await until(() => told.includes('"phase"'));
    await setTimeout(1000); // by now the pipe is full
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    expect(await exited).toBe(code);
    child.stdout.resume();
    expect(told).toContain(`exit ${code}]`);
  });
});

describe('several at once', () => {
  test('[import.2] importers of one destination: one makes it, the others say that it is there', {
    timeout: 600_000,
  }, async () => {
    const seen = { made: 0, 'was there': 0 };
    for (let round = 0; round < RUNS; round++) {
      const outcomes = await Promise.all([1, 2, 3].map(() => start(desk, ...IMPORT).ended));
      for (const { code, stderr } of outcomes) {
        if (code === 0) seen.made++;
        else {
          expect([code, stderr]).toEqual([2, expect.stringContaining('[DESTINATION_EXISTS, exit 2]')]);
          seen['was there']++;
        }
      }
      expect(outcomes.filter(({ code }) => code === 0)).toHaveLength(1);
      expect(contentOf(at('machine'))).toEqual(machine);
      expect(partialsIn(desk.folder)).toEqual([]);
      rmSync(at('machine'), { recursive: true });
    }
    console.info(`three importers at once, ${RUNS} times: ${JSON.stringify(seen)}`);
  });

  test('[pack.4] packers of one file: one makes it; with --force, each a whole one', {
    timeout: 600_000,
  }, async () => {
    for (let round = 0; round < Math.min(RUNS, 20); round++) {
      for (const force of [[], ['--force']]) {
        const outcomes = await Promise.all(
          [1, 2, 3].map(() => start(desk, ...PACK, '-o', 'new.ova', ...force).ended),
        );
        const made = outcomes.filter(({ code }) => code === 0).length;
        expect(made).toBe(force.length > 0 ? 3 : 1);
        expect(digestOf(at('new.ova'))).toBe(digestOf(at('big.ova')));
        expect(partialsIn(desk.folder)).toEqual([]);
        rmSync(at('new.ova'));
      }
    }
  });
});

describe('links planted beside the destination', () => {
  test('[import.2] [import.8] lead nowhere', async () => {
    writeFileSync(at('victim'), 'mine');
    // As if they were left: of this form, but links. One is dangling, one leads to a folder, one to a file.
    const names = ['reference', 'nowhere', 'victim'].map((target, i) => {
      const name = `machine.partial-00000000-1-1-0000000${i}`;
      symlinkSync(at(target), at(name));
      return name;
    });
    symlinkSync(at('victim'), at('link.ova'));
    expect((await start(desk, ...IMPORT).ended).code).toBe(0);
    expect(contentOf(at('reference'))).toEqual(machine);
    const onto = await runHere(desk, ...PACK, '-o', 'link.ova');
    expect(onto.code).toBe(2);
    const forced = await runHere(desk, ...PACK, '-o', 'link.ova', '--force');
    expect(forced.code).toBe(0); // the link is replaced, not what it leads to
    expect(readFileSync(at('victim'), 'utf8')).toBe('mine');
    symlinkSync(at('victim'), at('dangling'));
    for (const name of ['dangling', 'link.ova', ...names]) rmSync(at(name));
    rmSync(at('machine'), { recursive: true });
    symlinkSync(at('nowhere'), at('machine'));
    const outcome = await runHere(desk, ...IMPORT);
    expect([outcome.code, outcome.stderr]).toEqual([2, expect.stringContaining('a symbolic link')]);
    rmSync(at('machine'));
  });
});
